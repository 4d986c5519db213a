// What can happen to a snapshot while it is read.

import { SNAPSHOT_LOST, SNAPSHOT_STOPPED } from '../../assembly/abi/snapshot-block.ts';
import { RingzeroError } from '../errors.ts';
import { STOPPED } from './guest-trap.ts';
import type { KernelExports } from './kernel.ts';

/** Throws when what was read from a snapshot is not valid, or the snapshot was disposed of. */
export function checkState(calls: KernelExports, slot: number): void {
  const state = calls.snapshotState(slot);
  if (state === SNAPSHOT_LOST) {
    throw new RingzeroError(
      'RZ_SNAPSHOT_LOST',
      'no frame was left for a copy; the snapshot is lost',
    );
  }
  if (state === SNAPSHOT_STOPPED) {
    throw new RingzeroError('RZ_SNAPSHOT_STOPPED', STOPPED);
  }
}
