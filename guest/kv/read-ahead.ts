// Read-ahead of a scan: the next leaves are read while the current one is processed.
//
// Interface   start() before a scan that is long enough, follow() after each leaf that descent found, stop()
//             at the end.
// Invariants  A vCPU that leaves the guest has no reads in flight: stop() waits for them.
// Concurrency Page numbers are taken from the parent and count only if it was unchanged; a wrong one would be
//             a wasted read.
// Cost        a look at one child of the parent per leaf; a batch of reads when that child is on storage.

import { pool } from '../../assembly/linked';
import * as descent from './descent';
import * as map from './memory-map';
import * as node from './node';

/**
 * The most leaves read ahead, and after how many consecutive leaves it starts: short ranges would only lose.
 */
const DEPTH_MAX: u32 = 32;
const PATIENCE: u32 = 2;

let isOn: bool = false;
/** Leaves since start(). */
let leaves: u32 = 0;

export function start(): void {
  isOn = pool.readsAhead();
  leaves = 0;
}

/** Between pool.begin() and pool.end(), after descent.to() or below(). */
export function follow(isReverse: bool): void {
  if (!isOn || descent.parent == 0 || leaves++ < PATIENCE) return;
  const depth = min<u32>(DEPTH_MAX, 1 << leaves);
  const here = descent.position;
  const left = isReverse
    ? here
    : node.count(descent.parent) - min<u32>(here, node.count(descent.parent));
  const near = min<u32>(left, depth >> 3);
  if (left == 0 || pool.peek(<u64>childAt(here, near + u32(near == 0), isReverse)) != 0) return;
  const wanted = min<u32>(left, depth);
  for (let i: u32 = 0; i < wanted; i++)
    store<u64>(map.ahead + (i << 3), <u64>childAt(here, i + 1, isReverse));
  if (pool.isUnchanged(descent.parent, descent.parentSeen)) pool.prefetch(map.ahead, wanted);
}


@inline
function childAt(here: u32, distance: u32, isReverse: bool): u32 {
  return pool.numberIn(node.child(descent.parent, isReverse ? here - distance : here + distance));
}

export function stop(): void {
  isOn = false;
  pool.drainReads();
}
