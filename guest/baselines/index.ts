// Snapshot schemes that Snappy is compared with: Linux's fork, and the paper's two schemes before Snappy.
// Each is complete (a fault copies, a release frees frames); they exist to be measured.
//
// Interface   choose(scheme), then setup(pages, endPage), take(), fault(page), release(). One snapshot at a
//             time.

import * as epochFork from './epoch-fork';
import * as fork from './fork';
import * as instantFork from './instant-fork';

const FORK: i32 = 0;
const EPOCH: i32 = 1;

let scheme: i32 = FORK;

export function choose(which: i32): void {
  scheme = which;
}

export function setup(pages: u32, endPage: u32): void {
  if (scheme == FORK) fork.setup(pages, endPage);
  else if (scheme == EPOCH) epochFork.setup(pages, endPage);
  else instantFork.setup(pages, endPage);
}

export function take(): void {
  if (scheme == FORK) fork.take();
  else if (scheme == EPOCH) epochFork.take();
  else instantFork.take();
}

export function fault(page: u32): void {
  if (scheme == FORK) fork.fault(page);
  else if (scheme == EPOCH) epochFork.fault(page);
  else instantFork.fault(page);
}

/** A store of the parent: through the fault, to the page's current frame. */
export function write(page: u32, value: u32): void {
  fault(page);
  store<u32>(frameSeen(page, false) << 12, value);
}

export function read(page: u32, byChild: bool): u32 {
  return load<u32>(frameSeen(page, byChild) << 12);
}

function frameSeen(page: u32, byChild: bool): u32 {
  if (scheme == FORK) return fork.frameSeen(page, byChild);
  if (scheme == EPOCH) return epochFork.frameSeen(page, byChild);
  return instantFork.frameSeen(page, byChild);
}

export function release(): void {
  if (scheme == FORK) fork.release();
  else if (scheme == EPOCH) epochFork.release();
  else instantFork.release();
}

/** Background work of the instant scheme between two snapshots. */
export function prepare(): void {
  if (scheme > EPOCH) instantFork.prepare();
}
