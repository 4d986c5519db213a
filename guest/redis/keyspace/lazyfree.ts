// Freeing in the background: values of many elements, and whole keyspaces.
//
// Interface   discard() frees an unlinked entry, at once if that is short or the options say so. step()
//             frees a part of the rest; cron calls it, and so does a write that finds no memory.
// Structure   Pending entries are linked through their access field; flushed keyspaces through their own.

import * as config from '../config/config.ts';
import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as space from './space.ts';
import * as stats from '../stats/stats.ts';
import * as type from './type.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { slab } from '../../../assembly/index.ts';

const KEYS_AT_ONCE: u32 = 256;
const BUCKETS_PER_STEP: u32 = 16;

let entries: u32 = 0;
let keyspaces: u32 = 0;
let pendingCount: u64 = 0;

/** Objects that wait to be freed, keys of flushed databases included. */
export function pending(): u64 {
  return pendingCount;
}

/** For discard(): whatever the options say. */
export const ALWAYS: u32 = 0xffffffff;

/**
 * Frees an entry that is in no dictionary; a long one in the background where the option `why` allows that.
 */
export function discard(unlinked: u32, why: u32): void {
  const kind = entry.type(unlinked);
  if (CHECKED && space.databaseOf(unlinked) != -1) broken('LAZY: a key of a database is freed');
  if (type.isOutside(kind)) {
    const isLazy = why == ALWAYS || config.number(why) != 0;
    if (isLazy && type.effort(kind, unlinked) > type.LAZY_EFFORT) {
      entry.setAccess(unlinked, entries);
      entries = unlinked;
      pendingCount++;
      return;
    }
    type.free(kind, unlinked);
  }
  slab.free(unlinked);
}

/** Takes a flushed keyspace over. */
export function drainKeyspace(flushed: u32): void {
  const keys = dict.used(flushed);
  store<u32>(flushed, keyspaces, space.NEXT);
  store<u32>(flushed, 0, space.BUCKET);
  keyspaces = flushed;
  pendingCount += keys;
  if (keys <= KEYS_AT_ONCE) while (keyspaces == flushed) step();
}

/** Frees a bounded number of objects; false when nothing is left. */
export function step(): bool {
  if (entries != 0) {
    const unlinked = entries;
    const following = entry.access(unlinked);
    if (!type.step(entry.type(unlinked), unlinked)) {
      entries = following;
      slab.free(unlinked);
      pendingCount--;
      stats.add(stats.LAZY_FREED, 1);
    }
    return true;
  }
  if (CHECKED && keyspaces == 0 && pendingCount != 0)
    broken('LAZY: objects are counted that do not wait');
  if (keyspaces == 0) return false;
  const at = dict.drain(keyspaces, load<u32>(keyspaces, space.BUCKET), BUCKETS_PER_STEP, freeKey);
  if (at != 0) store<u32>(keyspaces, at, space.BUCKET);
  else {
    const done = keyspaces;
    keyspaces = load<u32>(done, space.NEXT);
    space.destroy(done);
  }
  return true;
}

function freeKey(key: u32): void {
  if (CHECKED && pendingCount == 0) broken('LAZY: more objects than were counted');
  pendingCount--;
  stats.add(stats.LAZY_FREED, 1);
  entry.setKeyspaceId(key, entry.NO_KEYSPACE);
  discard(key, ALWAYS);
}
