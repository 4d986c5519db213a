// Memory for everything but keys, and its kinds. A failed allocation is 0; the caller decides what that
// means.

import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from './checked.ts';

export const KIND_ENTRY: u32 = 0; // keys: enumerated in address order by the saver (entry.ts)
export const KIND_BLOCK: u32 = 1; // buffers, tables, client records
export const KIND_VALUE: u32 = 2; // what values hold outside their entry

export function alloc(bytes: u32): u32 {
  return slab.alloc(KIND_BLOCK, bytes);
}

/** Frees a block. `bytes` is what was asked for, or 0: the slab knows. */
export function free(address: u32, bytes: u32): void {
  slab.free(address);
}

/** A copy of some bytes, or 0. */
export function duplicate(from: u32, bytes: u32): u32 {
  const at = slab.alloc(KIND_BLOCK, bytes);
  if (at != 0) memory.copy(at, from, bytes);
  return at;
}

let atHost: i64 = 0; // bytes that count, though the host keeps them
let own: i64 = 0; // bytes of the slab that do not count

/** A block of the server's own, of bounded size, that does not count: its first use must not evict a key. */
export function allocOwn(bytes: u32): u32 {
  const at = alloc(bytes);
  if (at != 0) own += <i64>slab.usable(at);
  return at;
}

export function freeOwn(address: u32): void {
  own -= <i64>slab.usable(address);
  slab.free(address);
}

/** The host keeps this many bytes more, or fewer, in its own memory for the guest. */
export function countOutside(bytes: i64): void {
  atHost += bytes;
  if (CHECKED && atHost < 0) broken('OUTPUT-1: the host keeps less than nothing');
}

let limit: u64 = 0; // maxmemory, 0 = none

export function setLimit(bytes: u64): void {
  limit = bytes;
}

/** True when this many bytes more stay within maxmemory. */
export function fits(bytes: u64): bool {
  return limit == 0 || usedBytes() + bytes <= limit;
}

/** Bytes of all objects as maxmemory and INFO count them, with what the host keeps for clients. */
export function usedBytes(): u64 {
  return slab.liveBytes() + <u64>(atHost - own);
}
