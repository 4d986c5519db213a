// The block that replies are appended to: one stretch of memory, which the host reads after each call.
//
// Interface   reserve() room, store at `at`, advance(). length() names a place: what was appended behind it
//             can be looked at, and dropped with rewind().
// Invariants  REPLY-1  The block is empty when a batch begins; session.ts ends a batch that leaves much
//                      behind.
//             REPLY-2  If out of memory, hasFailed() holds, nothing more is appended, and the client is
//                      closed: half a reply is never sent.

import * as ascii from '../bytes/ascii.ts';
import * as heap from '../bytes/heap.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const FIRST_BYTES: u32 = 262144;
const KEPT_BYTES: u32 = 2097152;

let base: u32 = 0;
let room: u32 = 0; // bytes from `at` to the end of the block
let capacity: u32 = FIRST_BYTES;
let failed: bool = false;

/** Where the next byte goes. Changed by advance(), and by reserve() when the block moves. */
export let at: u32 = 0;

export function boot(): void {
  base = heap.alloc(FIRST_BYTES);
  if (base == 0) unreachable();
  reset();
}

/** Empties the block, and frees a large one: the reply in it has been read. */
export function reset(): void {
  if (capacity > KEPT_BYTES) {
    heap.free(base, capacity);
    base = heap.alloc(FIRST_BYTES); // cannot fail: more than that was just freed
    capacity = FIRST_BYTES;
  }
  at = base;
  room = capacity;
  failed = false;
  if (CHECKED && length() != 0) broken('REPLY-1: the block is not empty');
}

/** Frees a block that has grown; between batches. */
export function shrink(): void {
  if (capacity > FIRST_BYTES) {
    heap.free(base, capacity);
    base = heap.alloc(FIRST_BYTES);
    capacity = FIRST_BYTES;
  }
  reset();
}


@inline
export function address(): u32 {
  return base;
}

/** Bytes appended since reset(). */
@inline
export function length(): u32 {
  return at - base;
}


@inline
export function hasFailed(): bool {
  return failed;
}

/** For the checked build: the bytes used and those free are the block. */
export function isSound(): bool {
  return at - base + room == capacity;
}

// --- Appending ---------------------------------------------------------------------------------------------

/** True when `bytes` more can be appended. */
@inline
export function reserve(bytes: u32): bool {
  return room >= bytes || grow(bytes);
}


@inline
export function advance(bytes: u32): void {
  if (CHECKED && bytes > room) broken('REPLY: more bytes than were reserved');
  at += bytes;
  room -= bytes;
}

function grow(bytes: u32): bool {
  if (failed) return false;
  const used = at - base;
  const least = used + bytes;
  if (least < used || least > 0xf0000000) return fail();
  let wanted = least < 0x08000000 ? least << 1 : least + (least >> 3);
  let moved = heap.alloc(wanted);
  if (moved == 0) {
    wanted = least;
    moved = heap.alloc(wanted);
    if (moved == 0) return fail();
  }
  memory.copy(moved, base, used);
  heap.free(base, capacity);
  capacity = wanted;
  base = moved;
  at = moved + used;
  room = wanted - used;
  return true;
}

/** Nothing more is appended: REPLY-2. */
export function fail(): bool {
  failed = true;
  room = 0;
  return false;
}

// --- What was appended -------------------------------------------------------------------------------------

/** Drops what was appended behind a length() read earlier. */
export function rewind(to: u32): void {
  if (CHECKED && to > length()) broken('REPLY: rewound to what was not appended');
  if (!failed) room += at - base - to;
  at = base + to;
}

/** True when what was appended behind a length() read earlier begins as an error. */
@inline
export function startsWithError(from: u32): bool {
  return at - base > from && load<u8>(base + from) == ascii.MINUS;
}

/** True when the error at `from` has this code. */
export function isCode(from: u32, code: string): bool {
  const bytes = <u32>code.length;
  if (at - base < from + 1 + bytes) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(base + from + 1 + i) != load<u16>(changetype<u32>(code) + (i << 1))) return false;
  }
  return true;
}

/** Puts blanks for CR and LF into what was appended behind a length() read earlier. */
export function blankLines(from: u32): void {
  for (let i = base + from; i < at; i++) {
    const c: u32 = load<u8>(i);
    if (c == ascii.CR || c == ascii.LF) store<u8>(i, <u8>ascii.SPACE);
  }
}
