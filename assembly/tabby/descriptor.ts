// Frame descriptors: 4 bytes a frame in one array, so that the clock touches no page that it leaves alone.
//
//   byte 0  referenced since the hand passed     byte 1  FREE, RESIDENT or LOADING     bytes 2..3  for checkpoints
//
// Concurrency Hints. The reference byte is stored plainly by anyone; a lost one costs a reload. State is stored by the
//             holder of the frame's header, and a scan that reads an old one finds out at the header.

import { FRAME_SHIFT } from '../abi/limits';
import * as area from './area';

export const FREE: u8 = 0;
export const RESIDENT: u8 = 1;

const STATE: u32 = 1;


@inline
function at(frame: u32): u32 {
  return area.descriptors + ((frame - area.first) >> (FRAME_SHIFT - 2));
}

/** Somebody has used the page. */
@inline
export function refer(frame: u32): void {
  const descriptor = at(frame);
  if (load<u8>(descriptor) == 0) store<u8>(descriptor, 1);
}

/** Whether the page was used since the last call. */
@inline
export function takeReference(frame: u32): bool {
  const descriptor = at(frame);
  if (load<u8>(descriptor) == 0) return false;
  store<u8>(descriptor, 0);
  return true;
}


@inline
export function isResident(frame: u32): bool {
  return load<u8>(at(frame), STATE) == RESIDENT;
}

export function setState(frame: u32, state: u8): void {
  store<u8>(at(frame), state, STATE);
}
