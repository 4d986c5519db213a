// What a walk has met: addresses, kept until the walk has ended. Its cursor stands before them in the reply,
// and an expired key that is deleted changes the table.
//
// Interface   clear(), add() while it walks; isWhole() says whether there was memory for all; count(), at();
//             trim() at the end.

import * as heap from './heap.ts';
import { CHECKED, broken } from './checked.ts';

const FIRST_ROOM: u32 = 256;
const KEPT_ROOM: u32 = 4096;

let list: u32 = 0;
let room: u32 = 0;
let used: u32 = 0;
let hasFailed: bool = false;

export function clear(): void {
  used = 0;
  hasFailed = false;
}

export function add(address: u32): void {
  if (used == room && !grow()) hasFailed = true;
  else store<u32>(list + (used++ << 2), address);
}

function grow(): bool {
  const wanted = room == 0 ? FIRST_ROOM : room << 1;
  const moved = heap.alloc(wanted << 2);
  if (moved == 0) return false;
  if (room != 0) {
    memory.copy(moved, list, room << 2);
    heap.free(list, room << 2);
  }
  list = moved;
  room = wanted;
  return true;
}

export function isWhole(): bool {
  return !hasFailed;
}

export function count(): u32 {
  return used;
}

export function at(index: u32): u32 {
  if (CHECKED && index >= used) broken('GATHERED: no such address');
  return load<u32>(list + (index << 2));
}

/** Frees what only a long walk needs. */
export function trim(): void {
  if (room <= KEPT_ROOM) return;
  heap.free(list, room << 2);
  room = 0;
}
