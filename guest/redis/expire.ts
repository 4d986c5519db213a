// Active expiry: keys whose time has come are deleted though nobody asks for them.
//
// The keys with an expiry of each database are a list (volatile.ts); each cycle goes on in it where the last one stopped.
// It goes on as long as many of the keys that it sees are expired, and its time is not up.

import * as clock from './clock.ts';
import * as entry from './entry.ts';
import * as keyspace from './keyspace.ts';
import * as stats from './stats.ts';
import * as volatile from './volatile.ts';
import { clockUs } from './host.ts';

const KEYS_AT_ONCE: u32 = 200;
const CYCLE_US: f64 = 25000; // a quarter of the time between two
const STALE_PERCENT: u32 = 10; // a database with fewer expired keys among those seen is left

let nextDatabase: u32 = 0;

let isActive: bool = true;

/** DEBUG SET-ACTIVE-EXPIRE. */
export function setActive(active: bool): void {
  isActive = active;
}

export function cycle(): void {
  if (!isActive) return;
  const databases = keyspace.databases();
  const end = clock.us() + CYCLE_US;
  stats.add(stats.EXPIRE_CYCLES, 1);
  let seen: u64 = 0;
  let stale: u64 = 0;
  for (let i: u32 = 0; i < databases; i++) {
    const database = nextDatabase;
    nextDatabase = (nextDatabase + 1) % databases;
    if (keyspace.expiringCount(database) == 0) continue;
    keyspace.select(database);
    let found: u32;
    do {
      found = look(database);
      seen += looked;
      stale += found;
      if (clockUs() > end) {
        stats.add(stats.EXPIRE_TIME_CAP, 1);
        i = databases;
        break;
      }
    } while (looked != 0 && found * 100 > looked * STALE_PERCENT);
  }
  if (seen != 0) stats.set(stats.EXPIRE_STALE_PERCENT, (stale * 10000) / seen);
}

let looked: u32 = 0;

/** Looks at some keys of the selected database and deletes the expired ones; how many those were. */
function look(database: u32): u32 {
  const list = keyspace.expiringOf(database);
  const turns = min(volatile.count(list), KEYS_AT_ONCE);
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
  const old = keyspace.averageTtl(database);
  keyspace.setAverageTtl(database, old == 0 ? ms : old * 0.98 + ms * 0.02);
}
