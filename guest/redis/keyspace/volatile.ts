// The list of a database's keys that have an expiry: an array in chunks, in no order.
//
// Interface   push(), remove() when an entry gains or loses its expiry, repoint() when it moves; at() to look
//             through it.
// Structure   A list of LIST_BYTES: [directory u32 | count u32 | room for chunks u32 | cursor u32]. The
//             directory holds addresses of chunks of 4096 entry addresses. Each entry knows its position, so
//             removal is O(1).

import * as heap from '../bytes/heap.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const CHUNK_SHIFT: u32 = 12;
const CHUNK_MASK: u32 = 4095;
const CHUNK_BYTES: u32 = 16384;


@inline
export function count(list: u32): u32 {
  return load<u32>(list, 4);
}

/** Where the next look through the list begins. */
export function cursor(list: u32): u32 {
  return load<u32>(list, 12);
}

export function setCursor(list: u32, at: u32): void {
  store<u32>(list, at, 12);
}


@inline
function cellOf(list: u32, index: u32): u32 {
  return load<u32>(load<u32>(list) + ((index >> CHUNK_SHIFT) << 2)) + ((index & CHUNK_MASK) << 2);
}


@inline
export function at(list: u32, index: u32): u32 {
  return load<u32>(cellOf(list, index));
}

/** For the checked build: whether an entry is at its position. */
export function has(list: u32, entry: u32): bool {
  const index = load<u32>(entry, 24);
  return index < count(list) && at(list, index) == entry;
}

/** Adds an entry; false if out of memory. */
export function push(list: u32, entry: u32): bool {
  const index = count(list);
  if ((index & CHUNK_MASK) == 0 && !addChunk(list, index >> CHUNK_SHIFT)) return false;
  store<u32>(list, index + 1, 4);
  store<u32>(cellOf(list, index), entry);
  store<u32>(entry, index, 24);
  if (CHECKED && !has(list, entry)) broken('VOLATILE: an entry that was added is not there');
  return true;
}

function addChunk(list: u32, chunk: u32): bool {
  const room = load<u32>(list, 8);
  if (chunk == room) {
    const wanted: u32 = room == 0 ? 4 : room << 1;
    const moved = heap.alloc(wanted << 2);
    if (moved == 0) return false;
    if (room != 0) {
      memory.copy(moved, load<u32>(list), room << 2);
      heap.free(load<u32>(list), room << 2);
    }
    store<u32>(list, moved);
    store<u32>(list, wanted, 8);
  }
  const block = heap.alloc(CHUNK_BYTES);
  if (block == 0) return false;
  store<u32>(load<u32>(list) + (chunk << 2), block);
  return true;
}

/** Takes an entry out; the last of the list takes its position. */
export function remove(list: u32, entry: u32): void {
  const last = count(list) - 1;
  const index = load<u32>(entry, 24);
  if (CHECKED && !has(list, entry)) broken('VOLATILE: an entry is not at its position');
  if (index != last) {
    const moved = at(list, last);
    store<u32>(cellOf(list, index), moved);
    store<u32>(moved, index, 24);
  }
  store<u32>(list, last, 4);
  if ((last & CHUNK_MASK) == 0) {
    heap.free(load<u32>(load<u32>(list) + ((last >> CHUNK_SHIFT) << 2)), CHUNK_BYTES);
  }
}

/** The entry at a position has moved. */
export function repoint(list: u32, entry: u32): void {
  if (CHECKED && load<u32>(entry, 24) >= count(list)) broken('VOLATILE: no such position');
  store<u32>(cellOf(list, load<u32>(entry, 24)), entry);
}

/** Frees all memory. */
export function clear(list: u32): void {
  const chunks = (count(list) + CHUNK_MASK) >> CHUNK_SHIFT;
  for (let i: u32 = 0; i < chunks; i++)
    heap.free(load<u32>(load<u32>(list) + (i << 2)), CHUNK_BYTES);
  if (load<u32>(list, 8) != 0) heap.free(load<u32>(list), load<u32>(list, 8) << 2);
  memory.fill(list, 0, 16);
}
