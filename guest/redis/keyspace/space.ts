// The table of keyspaces: one per database, each with its dictionary and its list of keys that expire.
//
// Interface   select() sets the database that keyspace.ts works on; the other functions take the number of a
//             database. exchange() and replace() change which keyspace a database has.
// Structure   Keyspace, KEYSPACE_BYTES:
//               0 dictionary (dict.ts)   32 list of expiring keys (volatile.ts)   48 id u32
//              52 i32 database, -1 = flushed   56 f64 average time to live in ms
//              64 next of the flushed (lazyfree.ts)   68 bucket to go on with
//             Entries carry the id. A flushed keyspace keeps its id until its last entry is freed.

import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import * as volatile from './volatile.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const KEYSPACE_BYTES: u32 = 72;
const EXPIRING: u32 = 32;
const ID: u32 = 48;
const DATABASE: u32 = 52;
const AVERAGE_TTL: u32 = 56;
/** Fields of a flushed keyspace, for lazyfree.ts. */
export const NEXT: u32 = 64;
export const BUCKET: u32 = 68;

/** Most databases: ids have 16 bits, and flushed keyspaces need some. */
export const DATABASES_MAX: u32 = 16384;
const IDS_MAX: u32 = 32768;

let table: u32 = 0; // u32 per database: keyspace
let ids: u32 = 0; // u32 per id: keyspace, or 0
let databaseCount: u32 = 0;

/**
 * The selected keyspace. Set by select(), valid until its next call, and until its database is flushed or
 * swapped.
 */
export let current: u32 = 0;

/** Makes the databases, all empty. */
export function boot(databases: u32): void {
  databaseCount = databases < 1 ? 1 : min(databases, DATABASES_MAX);
  table = heap.alloc(databaseCount << 2);
  ids = heap.alloc(IDS_MAX << 2);
  memory.fill(ids, 0, IDS_MAX << 2);
  for (let i: u32 = 0; i < databaseCount; i++) store<u32>(table + (i << 2), create(i));
  select(0);
}

/** A new keyspace for a database; 0 if out of memory or ids. */
export function create(database: u32): u32 {
  for (let id: u32 = 0; id < IDS_MAX; id++) {
    if (load<u32>(ids + (id << 2)) != 0) continue;
    const made = heap.alloc(KEYSPACE_BYTES);
    if (made == 0) return 0;
    memory.fill(made, 0, KEYSPACE_BYTES);
    store<u32>(made, id, ID);
    store<u32>(made, database, DATABASE);
    store<u32>(ids + (id << 2), made);
    return made;
  }
  return 0;
}

/** Frees a flushed keyspace that is empty. */
export function destroy(keyspace: u32): void {
  if (CHECKED && (dict.used(keyspace) != 0 || load<i32>(keyspace, DATABASE) != -1))
    broken('SPACE: a keyspace that is freed has keys, or a database');
  store<u32>(ids + (load<u32>(keyspace, ID) << 2), 0);
  heap.free(keyspace, KEYSPACE_BYTES);
}


@inline
export function databases(): u32 {
  return databaseCount;
}

/** Selects a database; the number is in range. */
@inline
export function select(database: u32): void {
  if (CHECKED && database >= databaseCount) broken('SPACE: no such database');
  current = load<u32>(table + (database << 2));
}

/** Number of the selected database. */
export function selected(): u32 {
  return load<u32>(current, DATABASE);
}

/** The keyspace of a database, which is also its dictionary (dict.ts). */
@inline
export function dictOf(database: u32): u32 {
  return load<u32>(table + (database << 2));
}

/** The keys of a database that expire (volatile.ts). */
export function expiringOf(database: u32): u32 {
  return load<u32>(table + (database << 2)) + EXPIRING;
}

/** Keys in a database. */
export function keyCount(database: u32): u32 {
  return dict.used(dictOf(database));
}

/** Keys with an expiry in a database. */
export function expiringCount(database: u32): u32 {
  return volatile.count(expiringOf(database));
}

export function averageTtl(database: u32): f64 {
  return load<f64>(dictOf(database), AVERAGE_TTL);
}

export function setAverageTtl(database: u32, ms: f64): void {
  store<f64>(dictOf(database), ms, AVERAGE_TTL);
}

/** Number of the database that an entry belongs to, or -1: it was flushed, or unlinked and not yet freed. */
export function databaseOf(found: u32): i32 {
  const id = entry.keyspaceId(found);
  if (id == entry.NO_KEYSPACE) return -1;
  const keyspace = load<u32>(ids + (id << 2));
  return keyspace == 0 ? -1 : load<i32>(keyspace, DATABASE);
}

/** Bytes of tables, chains and lists of all databases. */
export function overheadBytes(): u64 {
  let total: u64 = 0;
  for (let i: u32 = 0; i < databaseCount; i++)
    total += dict.bytes(dictOf(i)) + ((<u64>expiringCount(i)) << 2);
  return total;
}

/** Id of a keyspace, which its entries carry. */
@inline
export function idOf(keyspace: u32): u32 {
  return load<u32>(keyspace, ID);
}

/** The list of keys of a keyspace that expire (volatile.ts). */
@inline
export function expiring(keyspace: u32): u32 {
  return keyspace + EXPIRING;
}

/** Gives a database another keyspace; the old one belongs to no database then. */
export function replace(database: u32, by: u32): void {
  const old = dictOf(database);
  if (CHECKED && load<u32>(by, DATABASE) != database)
    broken('SPACE: a keyspace of another database');
  store<u32>(table + (database << 2), by);
  if (current == old) current = by;
  store<i32>(old, -1, DATABASE);
}

/** Exchanges the keyspaces of two databases. */
export function exchange(a: u32, b: u32): void {
  const first = dictOf(a);
  const second = dictOf(b);
  store<u32>(table + (a << 2), second);
  store<u32>(table + (b << 2), first);
  store<u32>(first, b, DATABASE);
  store<u32>(second, a, DATABASE);
}
