// maxmemory: which keys are deleted when memory runs short.
//
// Interface   configure() after each change of the options. makeRoom() before a command that may need memory; makeSpans() when
//             the VM refuses to grow. Both free what waits in the background first, then delete keys as the policy says.
// Method      As Redis: some keys of each database are sampled, and the best of them goes. Keys for the policies on keys
//             that expire come from the list of those; others from the dictionary.
// Invariants  EVICT-1  A call deletes at most KEYS_AT_ONCE keys, unless memory is still short of what the command must have.

import * as clock from './clock.ts';
import * as config from './config.ts';
import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as heap from './heap.ts';
import * as keyspace from './keyspace.ts';
import * as lazyfree from './lazyfree.ts';
import * as lru from './lru.ts';
import * as option from './option.ts';
import * as random from './random.ts';
import * as stats from './stats.ts';
import * as volatile from './volatile.ts';
import { slab } from '../../assembly/index.ts';

const KEYS_AT_ONCE: u32 = 100000;

let limit: u64 = 0;
let policy: i64 = option.NOEVICTION;
let nextDatabase: u32 = 0;

/** Reads maxmemory and its policy. */
export function configure(): void {
  limit = <u64>config.number(option.MAXMEMORY);
  heap.setLimit(limit);
  policy = config.number(option.MAXMEMORY_POLICY);
}

// @ts-ignore: decorator
@inline
export function isLimited(): bool {
  return limit != 0;
}

/** True when memory in use is at or below maxmemory, after evicting if need be. */
// @ts-ignore: decorator
@inline
export function makeRoom(): bool {
  return heap.usedBytes() <= limit || evictBytes();
}

function evictBytes(): bool {
  const database = keyspace.selected();
  for (let keys: u32 = 0; keys < KEYS_AT_ONCE && heap.usedBytes() > limit; keys++) {
    if (!lazyfree.step() && !evictOne()) break;
  }
  keyspace.select(database);
  return heap.usedBytes() <= limit;
}

/** True when the heap has its reserve of free spans, after freeing what may be freed. */
export function makeSpans(): bool {
  const database = keyspace.selected();
  while (!slab.hasRoom(0)) if (!lazyfree.step() && !evictSpan()) break;
  keyspace.select(database);
  return slab.hasRoom(0);
}

/**
 * Deletes the key that the policy says, and its neighbours: a span is free only when its last object is, and deleting
 * here and there would empty the database before it emptied a span.
 */
function evictSpan(): bool {
  const victim = choose();
  if (victim == 0) return false;
  const from = victim & ~(slab.SPAN_BYTES - 1);
  evict(victim);
  let key = entry.next(from);
  while (key != 0 && key - from < slab.SPAN_BYTES) {
    const database = keyspace.databaseOf(key);
    if (database >= 0 && (policy >= option.ALLKEYS_LRU || entry.hasExpiry(key))) {
      keyspace.select(<u32>database);
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
  keyspace.removeEntry(victim);
  keyspace.addDirty(1);
  stats.add(stats.EVICTED, 1);
}

/** The key that is to go, its database selected; 0 when the policy allows none. */
function choose(): u32 {
  if (policy == option.NOEVICTION) return 0;
  const database = pickDatabase();
  if (database < 0) return 0;
  keyspace.select(<u32>database);
  return pickKey(<u32>database);
}

/** The next database in turn that has keys for the policy, or -1. */
function pickDatabase(): i32 {
  const count = keyspace.databases();
  for (let i: u32 = 0; i < count; i++) {
    const database = nextDatabase;
    nextDatabase = (nextDatabase + 1) % count;
    const keys =
      policy < option.ALLKEYS_LRU ? keyspace.expiringCount(database) : keyspace.keyCount(database);
    if (keys != 0) return <i32>database;
  }
  return -1;
}

function sample(database: u32): u32 {
  if (policy >= option.ALLKEYS_LRU) return dict.random(keyspace.dictOf(database), random.bits);
  const list = keyspace.expiringOf(database);
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
