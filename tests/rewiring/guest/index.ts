// A guest for the tests and the bench of assembly/rewiring.

import { counter } from '../../../assembly/index';
import { GAUGE_FRAMES_USED } from '../../../assembly/abi/counter';
import { linkage } from '../../../assembly/linked';
import {
  append,
  create,
  follow,
  free,
  get,
  length,
  lookUp,
  move,
  pop,
  produce,
  push,
  resize,
  set,
  sum,
  tableBytes,
} from './arrays';

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
}

/** Memory for tables, never freed. */
export function claim(frames: u32): u32 {
  return linkage.claimFrames(frames);
}

export function framesUsed(): u32 {
  return <u32>counter(GAUGE_FRAMES_USED);
}

/** Takes frames until at most `left` are free; freeHoard() frees them. */
export function hoard(left: u32): u32 {
  let taken: u32 = 0;
  while (true) {
    const frame = linkage.allocFrame();
    if (frame == 0) break;
    store<u32>(frame, hoarded);
    hoarded = frame;
    taken += 1;
  }
  freeSome(left);
  return taken;
}

export function freeHoard(): void {
  freeSome(u32.MAX_VALUE);
}

let hoarded: u32 = 0;

function freeSome(count: u32): void {
  for (let i: u32 = 0; i < count && hoarded != 0; i++) {
    const next = load<u32>(hoarded);
    linkage.freeFrame(hoarded);
    hoarded = next;
  }
}

export {
  append,
  create,
  follow,
  free,
  get,
  length,
  lookUp,
  move,
  pop,
  produce,
  push,
  resize,
  set,
  sum,
  tableBytes,
};
export {
  hashTableBytes,
  hashCreate,
  hashFree,
  hashPut,
  hashGet,
  hashRemove,
  hashDepth,
  hashDouble,
  hashCheck,
  hashFill,
  hashLookUp,
} from './hashes';
export {
  plainCreate,
  plainPush,
  plainDouble,
  plainProduce,
  plainSum,
  plainLookUp,
  plainHashBytes,
  plainHashCreate,
  plainHashDouble,
  plainHashFill,
  plainHashLookUp,
} from './plain';
