// Frame descriptors: 4 bytes per frame in one array, so that the clock touches only pages that it evicts.
//
//   byte 0  referenced since the hand passed     byte 1  FREE, RESIDENT or CLAIMED    bytes 2..3  for checkpoints
//
// Concurrency Hints. Any vCPU stores the reference byte plainly; a lost one costs a reload. The holder of the
//             frame's header stores the state, and a scan that reads a stale one detects it at the header;
//             but a free frame is taken by compare-and-swap on its state.

import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { PANIC_DESCRIPTOR } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';

export const FREE: u8 = 0;
export const RESIDENT: u8 = 1;
export const CLAIMED: u8 = 2; // owned by a vCPU, with no page in it yet

const STATE: u32 = 1;


@inline
function at(frame: u32): u32 {
  if (CHECKED && (frame < area.first || frame >= area.end || (frame & (FRAME_BYTES - 1)) != 0))
    panic(PANIC_DESCRIPTOR);
  return area.descriptors + ((frame - area.first) >> (FRAME_SHIFT - 2));
}

/** Marks the page as used. */
@inline
export function refer(frame: u32): void {
  const descriptor = at(frame);
  if (load<u8>(descriptor) == 0) store<u8>(descriptor, 1);
}

/** Whether the page was used since the last call; clears the mark. */
@inline
export function takeReference(frame: u32): bool {
  const descriptor = at(frame);
  if (load<u8>(descriptor) == 0) return false;
  store<u8>(descriptor, 0);
  return true;
}


@inline
export function isReferenced(frame: u32): bool {
  return load<u8>(at(frame)) != 0;
}


@inline
export function isResident(frame: u32): bool {
  return load<u8>(at(frame), STATE) == RESIDENT;
}

/** Takes the frame if it is free. Its header is invalid, or was never written. */
export function claim(frame: u32): bool {
  const state = at(frame) + STATE;
  return load<u8>(state) == FREE && atomic.cmpxchg<u8>(state, FREE, CLAIMED) == FREE;
}

/** Frees the frame, whose header is invalid. */
export function free(frame: u32): void {
  if (CHECKED && load<u8>(at(frame), STATE) != CLAIMED) panic(PANIC_DESCRIPTOR);
  atomic.store<u8>(at(frame), FREE, STATE);
}

export function setState(frame: u32, state: u8): void {
  if (CHECKED && load<u8>(at(frame), STATE) != (state == RESIDENT ? CLAIMED : RESIDENT))
    panic(PANIC_DESCRIPTOR);
  store<u8>(at(frame), state, STATE);
}
