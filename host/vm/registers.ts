// Where a snapshot keeps its parent's mutable globals: in its block if they fit, else in kernel memory that
// the VM claims once for all snapshots. Dynamically linked modules have tens of thousands.

import { FRAME_BYTES, REGISTERS_MAX, SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { SNAPSHOT_REGISTERS } from '../../assembly/abi/snapshot-block.ts';
import { RingzeroError } from '../errors.ts';
import type { GuestImages } from './images.ts';
import type { KernelExports } from './kernel.ts';

/** Can be posted. `address` is 0 when the globals are in the snapshots' blocks. */
export interface Registers {
  readonly address: number;
  /** Bytes from the globals of one snapshot to those of the next. */
  readonly stride: number;
  /** Bytes of the globals of one snapshot; the last ones say which segments are dropped. */
  readonly bytes: number;
  readonly dropBytes: number;
}

/** Fails with RZ_OUT_OF_MEMORY. */
export function claimRegisters(
  calls: KernelExports,
  { registerBytes: bytes, dropBytes = 0 }: GuestImages['info'],
): Registers {
  if (bytes <= REGISTERS_MAX * 8) return { address: 0, stride: 0, bytes, dropBytes };
  const frames = Math.ceil(bytes / FRAME_BYTES);
  const address = calls.claimWindow(frames * SNAPSHOTS_MAX) >>> 0;
  if (address === 0) {
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      `the module's mutable globals take ${bytes} bytes in each of ${SNAPSHOTS_MAX} snapshots, which does not fit \`memory\`: raise it`,
    );
  }
  return { address, stride: frames * FRAME_BYTES, bytes, dropBytes };
}

/** Address, unsigned, of the globals that the snapshot in a slot keeps. */
export function registersOf(
  calls: Pick<KernelExports, 'snapshotBlock'>,
  registers: Registers,
  slot: number,
): number {
  if (registers.address === 0) return (calls.snapshotBlock(slot) >>> 0) + SNAPSHOT_REGISTERS;
  return registers.address + slot * registers.stride;
}
