// Active expiry: expired keys are deleted although no command asks for them.
//
// The keys with an expiry of each database are a list (volatile.ts); each cycle continues where the last one
// stopped. It continues while many of the keys that it sees are expired and it has time left.

import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as entry from './entry.ts';
import * as keyspace from './keyspace.ts';
import * as option from '../config/option.ts';
import * as pace from '../client/hz.ts';
import * as space from './space.ts';
import * as stats from '../stats/stats.ts';
import * as volatile from './volatile.ts';
import { clockUs } from '../border/host.ts';

const KEYS_AT_ONCE: u32 = 200;
// As Redis counts, at the lowest effort of active-expire-effort and for each step above it.
const KEYS_PER_STEP: u32 = 50;
const CYCLE_PERCENT: i64 = 25; // of the time between two
const CYCLE_PERCENT_PER_STEP: i64 = 2;
// A database with fewer expired keys among those seen is left; one less per step.
const STALE_PERCENT: u32 = 10;

let nextDatabase: u32 = 0;

let isActive: bool = true;

/** DEBUG SET-ACTIVE-EXPIRE. */
export function setActive(active: bool): void {
  isActive = active;
}

export function cycle(): void {
  if (!isActive) return;
  const databases = space.databases();
  const steps = config.number(option.ACTIVE_EXPIRE_EFFORT) - 1;
  const percent = CYCLE_PERCENT + CYCLE_PERCENT_PER_STEP * steps;
  const end = clock.us() + <f64>((percent * 10000) / pace.hz());
  const keysAtOnce = KEYS_AT_ONCE + KEYS_PER_STEP * <u32>steps;
  const stalePercent = STALE_PERCENT - <u32>steps;
  stats.add(stats.EXPIRE_CYCLES, 1);
  let seen: u64 = 0;
  let stale: u64 = 0;
  for (let i: u32 = 0; i < databases; i++) {
    const database = nextDatabase;
    nextDatabase = (nextDatabase + 1) % databases;
    if (space.expiringCount(database) == 0) continue;
    space.select(database);
    let found: u32;
    do {
      found = look(database, keysAtOnce);
      seen += looked;
      stale += found;
      if (clockUs() > end) {
        stats.add(stats.EXPIRE_TIME_CAP, 1);
        i = databases;
        break;
      }
    } while (looked != 0 && found * 100 > looked * stalePercent);
  }
  if (seen != 0) stats.set(stats.EXPIRE_STALE_PERCENT, (stale * 10000) / seen);
}

let looked: u32 = 0;

/** Looks at some keys of the selected database and deletes the expired ones; how many those were. */
function look(database: u32, keysAtOnce: u32): u32 {
  const list = space.expiringOf(database);
  const turns = min(volatile.count(list), keysAtOnce);
  let at = volatile.cursor(list);
  let found: u32 = 0;
  let ttl: f64 = 0;
  for (let i: u32 = 0; i < turns; i++) {
    if (at >= volatile.count(list)) at = 0;
    if (volatile.count(list) == 0) break;
    const key = volatile.at(list, at);
    // A deleted key's position is taken by another, which is looked at next.
    if (entry.isExpired(key)) {
      keyspace.expire(key);
      found++;
    } else {
      ttl += <f64>(entry.expiry(key) - clock.ms());
      at++;
    }
  }
  volatile.setCursor(list, at);
  looked = turns;
  if (turns > found) noteTtl(database, ttl / <f64>(turns - found));
  return found;
}

/** A running average: each look counts one part in fifty. */
function noteTtl(database: u32, ms: f64): void {
  const old = space.averageTtl(database);
  space.setAverageTtl(database, old == 0 ? ms : old * 0.98 + ms * 0.02);
}
