// WATCH: which clients watch which keys.
//
// Interface   add() and clear() for a client; touch() when a key changes; touchDatabase() when a database is
//             flushed or swapped. A touched client's next EXEC does nothing.
// Structure   A record is in two lists: of its client, and of its bucket of a table of 256, chosen by the
//             key's hash. [next of client u32 | next in bucket u32 | client u32 | database u32 | was expired
//             u32 | key bytes u32 | key...]

import * as client from '../client/client.ts';
import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import * as siphash from '../bytes/siphash.ts';
import * as space from './space.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { equal } from '../bytes/copy.ts';

const BUCKETS: usize = memory.data(1024, 8);
const KEY: u32 = 24;

let records: u32 = 0;


@inline
export function isAnything(): bool {
  return records != 0;
}

function bucketOf(database: u32, key: u32, keyBytes: u32): u32 {
  return <u32>BUCKETS + (((<u32>siphash.hash(key, keyBytes) + database) & 255) << 2);
}

function isOf(record: u32, database: u32, key: u32, keyBytes: u32): bool {
  return (
    load<u32>(record, 12) == database &&
    load<u32>(record, 20) == keyBytes &&
    equal(record + KEY, key, keyBytes)
  );
}

/** The entry of a key, or 0. */
function find(database: u32, key: u32, keyBytes: u32): u32 {
  return dict.find(space.dictOf(database), key, keyBytes, siphash.hash(key, keyBytes));
}

/** The client watches a key of its database. False if out of memory. */
export function add(watcher: client.Client, key: u32, keyBytes: u32): bool {
  const database = watcher.db;
  for (let old = watcher.watchHead; old != 0; old = load<u32>(old)) {
    if (isOf(old, database, key, keyBytes)) return true;
  }
  const record = heap.alloc(KEY + keyBytes);
  if (record == 0) return false;
  const found = find(database, key, keyBytes);
  const bucket = bucketOf(database, key, keyBytes);
  store<u32>(record, watcher.watchHead);
  store<u32>(record, load<u32>(bucket), 4);
  store<u32>(record, changetype<u32>(watcher), 8);
  store<u32>(record, database, 12);
  store<u32>(record, found != 0 && entry.isExpired(found) ? 1 : 0, 16);
  store<u32>(record, keyBytes, 20);
  memory.copy(record + KEY, key, keyBytes);
  store<u32>(bucket, record);
  watcher.watchHead = record;
  records++;
  return true;
}

/** The client watches nothing any more. */
export function clear(watcher: client.Client): void {
  let record = watcher.watchHead;
  while (record != 0) {
    const next = load<u32>(record);
    const keyBytes = load<u32>(record, 20);
    let link = bucketOf(load<u32>(record, 12), record + KEY, keyBytes);
    while (load<u32>(link) != record) link = load<u32>(link) + 4;
    store<u32>(link, load<u32>(record, 4));
    heap.free(record, KEY + keyBytes);
    if (CHECKED && records == 0) broken('WATCH: more records than were made');
    records--;
    record = next;
  }
  watcher.watchHead = 0;
  if (CHECKED && records == 0 && !isEmpty()) broken('WATCH: records that are not counted');
}

function isEmpty(): bool {
  for (let bucket: u32 = 0; bucket < 256; bucket++)
    if (load<u32>(BUCKETS + (bucket << 2)) != 0) return false;
  return true;
}

/** True when a key that the client watches has expired since it began to. */
export function hasExpired(watcher: client.Client): bool {
  for (let record = watcher.watchHead; record != 0; record = load<u32>(record)) {
    if (load<u32>(record, 16) != 0) continue;
    const found = find(load<u32>(record, 12), record + KEY, load<u32>(record, 20));
    if (found != 0 && entry.isExpired(found)) return true;
  }
  return false;
}

/** A key of a database has changed. */
export function touch(database: u32, key: u32, keyBytes: u32): void {
  let record = load<u32>(bucketOf(database, key, keyBytes));
  for (; record != 0; record = load<u32>(record, 4)) {
    if (!isOf(record, database, key, keyBytes)) continue;
    if (load<u32>(record, 16) != 0) {
      // It was expired when the watch began: deleting it for that now does not count as a change.
      const found = find(database, key, keyBytes);
      if (found != 0 && entry.isExpired(found)) {
        store<u32>(record, 0, 16);
        continue;
      }
    }
    fail(record);
  }
}

function fail(record: u32): void {
  const watcher = changetype<client.Client>(load<u32>(record, 8));
  watcher.flags |= client.DIRTY_CAS;
}

/**
 * A database's contents become those of another dictionary; `by` 0 = none. Fails the transactions that watch
 * a key which changes by it.
 */
export function touchDatabase(database: u32, old: u32, by: u32): void {
  if (records == 0) return;
  for (let bucket: u32 = 0; bucket < 256; bucket++) {
    let record = load<u32>(BUCKETS + (bucket << 2));
    for (; record != 0; record = load<u32>(record, 4)) {
      if (load<u32>(record, 12) == database && isChanged(record, old, by)) fail(record);
    }
  }
}

/**
 * Whether a record's key changes. An expired key counts as a missing one; that it is there is noted in the
 * record.
 */
function isChanged(record: u32, old: u32, by: u32): bool {
  const keyBytes = load<u32>(record, 20);
  const hash = siphash.hash(record + KEY, keyBytes);
  const before = dict.find(old, record + KEY, keyBytes, hash);
  const after = by == 0 ? 0 : dict.find(by, record + KEY, keyBytes, hash);
  if (before == 0 && after == 0) return false;
  if (load<u32>(record, 16) != 0) {
    if (after != 0) return !entry.isExpired(after);
    store<u32>(record, 0, 16);
    return false;
  }
  if (before != 0 || !entry.isExpired(after)) return true;
  store<u32>(record, 1, 16);
  return false;
}
