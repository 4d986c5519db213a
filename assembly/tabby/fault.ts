// The page-fault handler: from a page number to the frame that holds the page (paper, Tabby).
//
// Interface   resolve(page) returns the frame to which the page's translation leads, with bit LATCHED if this
//             vCPU has just loaded the page and holds it exclusively, or 0 with an errno in `failure`.
//             make(page) does the same without reading the page. Without LATCHED the frame may be another
//             page's a moment later: the caller checks the header. With LATCHED the caller calls
//             translation.letGo() once the frame is unlatched or pinned. admit() is the first half of a
//             fault, for reads that the vCPU does not wait for (reads.ts).
// Cost        a fault costs a read of storage; otherwise the cost is that of translation.ts.

import { EINVAL, ENOMEM } from '../abi/errno';
import { PAGES_MAX } from '../mmu/page-table';
import * as arrivals from './arrivals';
import * as clock from './clock';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as operation from './operation';
import * as storage from './storage';
import * as translation from './translation';
import { wait } from './waiting';

/** Added to the address of a frame that this vCPU has latched. */
export const LATCHED: u32 = 1;

/** Errno of the last call that returned 0. Set by resolve(), make(), admit(); valid until their next call. */
export let failure: i32 = 0;
/** Header of the frame that admit() latched last. Set by admit(); valid until anything waits or faults. */
export let claimedHeader: u64 = 0;


@inline
function fail(errno: i32): u32 {
  failure = errno;
  return 0;
}

export function resolve(page: u64): u32 {
  return locate(page, true);
}

export function make(page: u64): u32 {
  return locate(page, false);
}

function locate(page: u64, fromStorage: bool): u32 {
  const guess = translation.guess(page);
  if (guess != 0 && translation.confirms(guess, page)) return found(page, guess);
  if (page >= PAGES_MAX) return fail(EINVAL);
  const cell = translation.cellOf(page);
  if (cell == 0) return fail(ENOMEM);
  let turn: u32 = 0;
  while (true) {
    const entry = translation.read(cell, page);
    if (translation.isResident(entry)) return found(page, translation.frameIn(entry));
    if (translation.isClaimed(entry)) wait(turn++, cell);
    else if (translation.claim(cell, entry)) return bring(page, cell, entry, fromStorage);
  }
}

function found(page: u64, frame: u32): u32 {
  descriptor.refer(frame);
  translation.remember(page, frame);
  return frame;
}

/** Loads a page that this vCPU has claimed; `entry` is the previous value of its cell. */
function bring(page: u64, cell: u32, entry: u64, fromStorage: bool): u32 {
  const admitted = admit(page, cell, entry);
  if ((admitted & LATCHED) == 0) return admitted;
  const claimed = claimedHeader; // below, other vCPUs' requests may be served, and a handler may fault
  const frame = admitted & ~LATCHED;
  if (!fromStorage) {
    latch.setDirty(frame);
    arrivals.enroll(frame, claimed, cell, entry);
    return admitted;
  }
  const result = storage.read(frame, page, translation.slotIn(page, entry));
  if (!arrivals.arrive(frame, claimed, cell, entry, result == 0)) return fail(-result);
  counter.count(counter.FAULTS);
  return admitted;
}

/**
 * Takes a frame for a page that this vCPU has claimed, and latches it under the page's number: LATCHED, with
 * its header in `claimedHeader`. Another vCPU's frame if that vCPU was faster, or 0 with `failure` set: the
 * claim is then released.
 */
export function admit(page: u64, cell: u32, entry: u64): u32 {
  const frame = clock.take(page);
  if (frame == 0) {
    translation.unclaim(cell, entry);
    return fail(clock.failure);
  }
  const old = load<u64>(frame);
  const version = header.versionOf(operation.advance(old));
  claimedHeader = header.make(page, version, header.EXCLUSIVE);
  header.set(frame, old, claimedHeader);
  const other = translation.enter(page, frame);
  if (other == 0) return frame | LATCHED;
  header.set(frame, claimedHeader, claimedHeader | header.INVALID);
  descriptor.free(frame);
  return other;
}
