// The command table: one row per command and per subcommand, found by name in any case.
//
// Interface   Each file in command/ has a register() that calls define() for its rows; index.ts calls them
//             once. A subcommand's name holds a bar: 'config|get'; its container is defined before it.
// Structure   Row, ROW_BYTES:
//               0 u64 first eight bytes of the name, lower case   8 handler: table index
//              12 name address   16 name bytes   20 flags   24 acl   28 i32 arity
//              32 i32 first key   36 i32 last key   40 i32 step   44 container row   48 subcommands
//              52 calls in this batch   56 next in batch   60 spare for the server commands
//              64 u64 calls   72 f64 microseconds   80 u64 failed   88 u64 rejected
//              96 histogram (latency-histogram.ts)
//             Index: open addressing over u32 row addresses, at most half full.

import * as ascii from '../bytes/ascii.ts';
import { equal } from '../bytes/copy.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

export const ROW_BYTES: u32 = 112;
const ROWS_MAX: u32 = 288;
const INDEX_CELLS: u32 = 1024;
const NAMES_BYTES: u32 = 4096;
const ROWS: usize = memory.data(32256, 8); // ROWS_MAX * ROW_BYTES
const INDEX: usize = memory.data(4096, 8); // INDEX_CELLS * 4
const NAMES: usize = memory.data(4096, 8);

// Flags, as COMMAND INFO names them.
export const WRITE: u32 = 1;
export const READONLY: u32 = 2;
export const DENYOOM: u32 = 4;
export const ADMIN: u32 = 8;
export const PUBSUB: u32 = 16;
export const NOSCRIPT: u32 = 32;
export const BLOCKING: u32 = 64;
export const LOADING: u32 = 128;
export const STALE: u32 = 256;
export const SKIP_MONITOR: u32 = 512;
export const SKIP_SLOWLOG: u32 = 1024;
export const ASKING: u32 = 2048;
export const FAST: u32 = 4096;
export const NO_AUTH: u32 = 8192;
export const MAY_REPLICATE: u32 = 16384;
export const NO_MANDATORY_KEYS: u32 = 32768;
export const NO_ASYNC_LOADING: u32 = 65536;
export const NO_MULTI: u32 = 131072;
export const MOVABLE_KEYS: u32 = 262144;
export const ALLOW_BUSY: u32 = 524288;
/** Not Redis's: it may take long, so it is timed by itself rather than as its share of a batch. */
export const TIMED: u32 = 1 << 30;
/** Not Redis's: runs between MULTI and EXEC instead of being queued. */
export const UNQUEUED: u32 = 1 << 31;

// ACL categories. Those that follow from the flags are added by define().
export const ACL_KEYSPACE: u32 = 1;
export const ACL_READ: u32 = 2;
export const ACL_WRITE: u32 = 4;
export const ACL_SET: u32 = 8;
export const ACL_SORTEDSET: u32 = 16;
export const ACL_LIST: u32 = 32;
export const ACL_HASH: u32 = 64;
export const ACL_STRING: u32 = 128;
export const ACL_BITMAP: u32 = 256;
export const ACL_HYPERLOGLOG: u32 = 512;
export const ACL_GEO: u32 = 1024;
export const ACL_STREAM: u32 = 2048;
export const ACL_PUBSUB: u32 = 4096;
export const ACL_ADMIN: u32 = 8192;
export const ACL_FAST: u32 = 16384;
export const ACL_SLOW: u32 = 32768;
export const ACL_BLOCKING: u32 = 65536;
export const ACL_DANGEROUS: u32 = 131072;
export const ACL_CONNECTION: u32 = 262144;
export const ACL_TRANSACTION: u32 = 524288;
export const ACL_SCRIPTING: u32 = 1048576;

let rowCount: u32 = 0;
let namesUsed: u32 = 0;

/** Adds a row and returns it. A container without a handler of its own has `null`. */
export function define(
  name: string,
  handler: (() => void) | null,
  arity: i32,
  flags: u32,
  first: i32,
  last: i32,
  step: i32,
  acl: u32,
): u32 {
  const bytes = <u32>name.length;
  if (!hasRoom(bytes)) unreachable();
  for (let i: u32 = 0; i < bytes; i++)
    store<u8>(NAMES + namesUsed + i, <u8>load<u16>(changetype<u32>(name) + (i << 1)));
  return defineRow(bytes, handler, arity, flags, first, last, step, acl);
}

/** The same with a name that a user gives: letters, digits, dots and hyphens. There is room. */
export function defineNamed(
  name: u32,
  bytes: u32,
  handler: () => void,
  arity: i32,
  flags: u32,
  first: i32,
  last: i32,
  step: i32,
  acl: u32,
): u32 {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(NAMES + namesUsed + i, load<u8>(name + i) | 32);
  return defineRow(bytes, handler, arity, flags, first, last, step, acl);
}

/** Whether a row with a name of `nameBytes` bytes can be added. */
export function hasRoom(nameBytes: u32): bool {
  return rowCount < ROWS_MAX && namesUsed + nameBytes + 8 <= NAMES_BYTES;
}

/** The name is behind those of the other rows. */
function defineRow(
  bytes: u32,
  handler: (() => void) | null,
  arity: i32,
  flags: u32,
  first: i32,
  last: i32,
  step: i32,
  acl: u32,
): u32 {
  const row = <u32>ROWS + rowCount++ * ROW_BYTES;
  const at = <u32>NAMES + namesUsed;
  namesUsed += bytes;
  let bar: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) if (load<u8>(at + i) == ascii.BAR) bar = i;
  store<u64>(row, wordOf(at, bytes));
  if (handler !== null) store<u32>(row, <u32>handler.index, 8);
  store<u32>(row, at, 12);
  store<u32>(row, bytes, 16);
  store<u32>(row, flags, 20);
  store<u32>(row, acl | impliedAcl(flags), 24);
  store<i32>(row, arity, 28);
  store<i32>(row, first, 32);
  store<i32>(row, last, 36);
  store<i32>(row, step, 40);
  if (bar != 0) {
    const container = find(at, bar);
    store<u32>(row, container, 44);
    store<u32>(container, load<u32>(container, 48) + 1, 48);
  }
  let cell = hashOf(load<u64>(row), at, bytes);
  while (load<u32>(INDEX + (cell << 2)) != 0) cell = (cell + 1) & (INDEX_CELLS - 1);
  store<u32>(INDEX + (cell << 2), row);
  if (CHECKED && (find(at, bytes) != row || rowCount > INDEX_CELLS / 2))
    broken('COMMAND: a row is not found by its name');
  return row;
}

function impliedAcl(flags: u32): u32 {
  let acl: u32 = 0;
  if (flags & WRITE) acl |= ACL_WRITE;
  if (flags & READONLY) acl |= ACL_READ;
  if (flags & ADMIN) acl |= ACL_ADMIN | ACL_DANGEROUS;
  if (flags & PUBSUB) acl |= ACL_PUBSUB;
  if (flags & BLOCKING) acl |= ACL_BLOCKING;
  return acl | (flags & FAST ? ACL_FAST : ACL_SLOW);
}

const LOWER: u64 = 0x2020202020202020;

/**
 * The first eight bytes of a name in lower case, zeros behind a shorter one. Reads up to 8 bytes from `at`.
 */
@inline
function wordOf(at: u32, bytes: u32): u64 {
  const word = load<u64>(at) | LOWER;
  return bytes >= 8 ? word : word & (((<u64>1) << ((<u64>bytes) << 3)) - 1);
}


@inline
function hashOf(word: u64, at: u32, bytes: u32): u32 {
  let mixed = (word ^ bytes) * 0x9e3779b97f4a7c15;
  if (bytes > 8) {
    // The last bytes tell subcommands apart.
    for (let i: u32 = 8; i < bytes; i++) mixed = (mixed ^ (load<u8>(at + i) | 32)) * 0x100000001b3;
  }
  return (<u32>(mixed >> 40)) & (INDEX_CELLS - 1);
}

/** The row of a name, of a command or (with a bar) of a subcommand; 0 when there is none. */
export function find(at: u32, bytes: u32): u32 {
  if (bytes - 1 >= 64) return 0;
  const word = wordOf(at, bytes);
  let cell = hashOf(word, at, bytes);
  // At most INDEX_CELLS turns: the index is never more than half full.
  let row = load<u32>(INDEX + (cell << 2));
  while (row != 0) {
    if (load<u64>(row) == word && load<u32>(row, 16) == bytes && restIs(row, at, bytes)) break;
    cell = (cell + 1) & (INDEX_CELLS - 1);
    row = load<u32>(INDEX + (cell << 2));
  }
  return row == 0 && aliasCount != 0 ? findAlias(at, bytes) : row;
}

// --- Names that rename-command gives. A row keeps its own name for people and statistics. ---

const ALIASES_MAX: u32 = 128;
const ALIASES: usize = memory.data(1536, 8); // ALIASES_MAX * [name u32 | bytes u32 | row u32]

let aliasCount: u32 = 0;

function findAlias(at: u32, bytes: u32): u32 {
  for (let i: u32 = 0; i < aliasCount; i++) {
    const alias = <u32>ALIASES + i * 12;
    if (load<u32>(alias, 4) != bytes) continue;
    const name = load<u32>(alias);
    let same: u32 = 0;
    while (same < bytes && ascii.lower(load<u8>(at + same)) == ascii.lower(load<u8>(name + same)))
      same++;
    if (same == bytes) return load<u32>(alias, 8);
  }
  return 0;
}

/**
 * Lets a command be called by another name only, or, where that is empty, by none. False when there is no
 * room.
 */
export function rename(row: u32, to: u32, bytes: u32): bool {
  if (aliasCount == ALIASES_MAX || !hasRoom(bytes)) return false;
  store<u64>(row, 0); // no name has this word
  for (let i: u32 = 0; i < aliasCount; i++)
    if (load<u32>(ALIASES + i * 12, 8) == row) store<u32>(ALIASES + i * 12, 0, 4);
  if (bytes == 0) return true;
  const alias = <u32>ALIASES + aliasCount++ * 12;
  store<u32>(alias, <u32>NAMES + namesUsed);
  store<u32>(alias, bytes, 4);
  store<u32>(alias, row, 8);
  memory.copy(NAMES + namesUsed, to, bytes);
  namesUsed += bytes;
  return true;
}


@inline
function restIs(row: u32, at: u32, bytes: u32): bool {
  if (bytes <= 8) return true;
  const name = load<u32>(row, 12);
  for (let i: u32 = 8; i < bytes; i++) {
    if ((load<u8>(at + i) | 32) != load<u8>(name + i)) return false;
  }
  return true;
}

const PATH: usize = memory.data(160, 8);

/** The row of a container's subcommand, or 0. */
export function findSubcommand(container: u32, at: u32, bytes: u32): u32 {
  const first = nameBytes(container);
  if (first + 1 + bytes > 64) return 0;
  memory.copy(PATH, nameAddress(container), first);
  store<u8>(PATH + first, 124);
  memory.copy(PATH + first + 1, at, bytes);
  const row = find(<u32>PATH, first + 1 + bytes);
  return row != 0 && containerOf(row) == container ? row : 0;
}

export function count(): u32 {
  return rowCount;
}

/** Row number `index`, in order of definition. */
export function rowAt(index: u32): u32 {
  return <u32>ROWS + index * ROW_BYTES;
}

/** Position of a row in the order of definition. */
export function indexOf(row: u32): u32 {
  return (row - <u32>ROWS) / ROW_BYTES;
}


@inline
export function handlerOf(row: u32): u32 {
  return load<u32>(row, 8);
}


@inline
export function nameAddress(row: u32): u32 {
  return load<u32>(row, 12);
}


@inline
export function nameBytes(row: u32): u32 {
  return load<u32>(row, 16);
}


@inline
export function flagsOf(row: u32): u32 {
  return load<u32>(row, 20);
}

export function aclOf(row: u32): u32 {
  return load<u32>(row, 24);
}


@inline
export function arityOf(row: u32): i32 {
  return load<i32>(row, 28);
}

export function firstKey(row: u32): i32 {
  return load<i32>(row, 32);
}

export function lastKey(row: u32): i32 {
  return load<i32>(row, 36);
}

export function keyStep(row: u32): i32 {
  return load<i32>(row, 40);
}

/** Of a subcommand, else 0. */
export function containerOf(row: u32): u32 {
  return load<u32>(row, 44);
}


@inline
export function subcommandCount(row: u32): u32 {
  return load<u32>(row, 48);
}

/** True when the row's full name is this. */
export function isNamed(row: u32, at: u32, bytes: u32): bool {
  return nameBytes(row) == bytes && equal(nameAddress(row), at, bytes);
}
