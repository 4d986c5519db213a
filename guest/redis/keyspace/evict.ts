// maxmemory: which keys are deleted when memory runs short.
//
// Interface   makeRoom() before a command that may need memory; makeSpans() when the VM refuses to grow. Both
//             free what waits in the background first, then delete keys as the policy says.
// Method      As Redis: some keys of each database are sampled, and the best victim is deleted. The
//             policies on keys that expire sample the list of those, the others the dictionary.
// Invariants  EVICT-1  A call takes at most the time that maxmemory-eviction-tenacity allows, unless memory
//                      is short of what the command must have. Then the command is let in, and the next one
//                      and goOn() free the rest.

import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import * as keyspace from './keyspace.ts';
import * as lazyfree from './lazyfree.ts';
import * as lru from './lru.ts';
import * as option from '../config/option.ts';
import * as random from '../bytes/random.ts';
import * as space from './space.ts';
import * as stats from '../stats/stats.ts';
import * as volatile from './volatile.ts';
import { clockUs } from '../border/host.ts';
import { slab } from '../../../assembly/index.ts';

const KEYS_PER_LOOK: u32 = 16; // at the clock
const CRON_US: f64 = 25000;

let limit: u64 = 0;
let policy: i64 = option.NOEVICTION;
let nextDatabase: u32 = 0;

export function boot(): void {
  config.whenChanged(option.MAXMEMORY, configure);
  config.whenChanged(option.MAXMEMORY_POLICY, configure);
  configure();
}

/** Reads maxmemory and its policy. */
function configure(): void {
  lru.configure();
  limit = <u64>config.number(option.MAXMEMORY);
  heap.setLimit(limit);
  policy = config.number(option.MAXMEMORY_POLICY);
}


@inline
export function isLimited(): bool {
  return limit != 0;
}

/**
 * True when memory in use is at or below maxmemory after evicting if need be, or keys are being evicted and
 * time is up.
 */
@inline
export function makeRoom(): bool {
  return heap.usedBytes() <= limit || evictBytes();
}

/** What Redis lets a call take, in microseconds. */
function tenacityUs(): f64 {
  const tenacity = config.number(option.MAXMEMORY_EVICTION_TENACITY);
  if (tenacity <= 10) return 50 * <f64>tenacity;
  if (tenacity == 100) return Infinity;
  let us: f64 = 500;
  for (let step: i64 = 10; step < tenacity; step++) us *= 1.15;
  return us;
}

function evictBytes(): bool {
  return evictFor(tenacityUs());
}

/**
 * Frees for `us` microseconds; false when the memory in use is above maxmemory and nothing more can be freed.
 */
function evictFor(us: f64): bool {
  const database = space.selected();
  const end = clockUs() + us;
  let isRunning = false;
  for (let keys: u32 = 1; heap.usedBytes() > limit && !isRunning; keys++) {
    if (!lazyfree.step() && !evictOne()) break;
    isRunning = keys % KEYS_PER_LOOK == 0 && clockUs() > end;
  }
  space.select(database);
  return isRunning || heap.usedBytes() <= limit;
}

/** By cron: continues where commands have stopped. */
export function goOn(): void {
  if (limit != 0 && heap.usedBytes() > limit) evictFor(CRON_US);
}

/** True when the heap has its reserve of free spans, after freeing what may be freed. */
export function makeSpans(): bool {
  const database = space.selected();
  while (!slab.hasRoom(0)) if (!lazyfree.step() && !evictSpan()) break;
  space.select(database);
  return slab.hasRoom(0);
}

/**
 * Deletes the key that the policy says, and its neighbours: a span is free only when its last object is, and
 * deleting here and there would empty the database before it emptied a span.
 */
function evictSpan(): bool {
  const victim = choose();
  if (victim == 0) return false;
  const from = victim & ~(slab.SPAN_BYTES - 1);
  evict(victim);
  let key = entry.next(from);
  while (key != 0 && key - from < slab.SPAN_BYTES) {
    const database = space.databaseOf(key);
    if (database >= 0 && (policy >= option.ALLKEYS_LRU || entry.hasExpiry(key))) {
      space.select(<u32>database);
      evict(key);
    }
    key = entry.next(key + 1);
  }
  return true;
}

/** Deletes one key by the policy; false when there is none that it allows. */
function evictOne(): bool {
  const victim = choose();
  if (victim != 0) evict(victim);
  return victim != 0;
}

/** Deletes a key of the selected database. */
function evict(victim: u32): void {
  keyspace.signalModified(entry.key(victim), entry.keyBytes(victim));
  keyspace.removeEntry(victim, option.LAZYFREE_LAZY_EVICTION);
  keyspace.addDirty(1);
  stats.add(stats.EVICTED, 1);
}

/** The key that is to go, its database selected; 0 when the policy allows none. */
function choose(): u32 {
  if (policy == option.NOEVICTION) return 0;
  const database = pickDatabase();
  if (database < 0) return 0;
  space.select(<u32>database);
  return pickKey(<u32>database);
}

/** The next database in turn that has keys for the policy, or -1. */
function pickDatabase(): i32 {
  const count = space.databases();
  for (let i: u32 = 0; i < count; i++) {
    const database = nextDatabase;
    nextDatabase = (nextDatabase + 1) % count;
    const keys =
      policy < option.ALLKEYS_LRU ? space.expiringCount(database) : space.keyCount(database);
    if (keys != 0) return <i32>database;
  }
  return -1;
}

function sample(database: u32): u32 {
  if (policy >= option.ALLKEYS_LRU) return dict.random(space.dictOf(database), random.bits);
  const list = space.expiringOf(database);
  return volatile.at(list, random.bits() % volatile.count(list));
}

/** The best of some keys: the first for the random policies, else the one with the highest score. */
function pickKey(database: u32): u32 {
  let best = sample(database);
  if (policy == option.VOLATILE_RANDOM || policy == option.ALLKEYS_RANDOM) return best;
  let bestScore = score(best);
  const samples = min<i64>(config.number(option.MAXMEMORY_SAMPLES), 64);
  for (let i: i64 = 1; i < samples; i++) {
    const other = sample(database);
    const otherScore = score(other);
    if (otherScore > bestScore) {
      best = other;
      bestScore = otherScore;
    }
  }
  return best;
}

function score(key: u32): i64 {
  if (policy == option.VOLATILE_TTL) return clock.ms() - entry.expiry(key);
  return lru.isFrequency() ? 255 - <i64>lru.frequency(key) : <i64>lru.idleSeconds(key);
}
