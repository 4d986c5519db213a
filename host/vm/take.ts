// Taking a snapshot on a vCPU, with its registers.

import { EBUSY, EPERM } from '../../assembly/abi/errno.ts';
import { SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { RingzeroError } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { GuestFunction } from './exports.ts';
import type { KernelExports } from './kernel.ts';
import type { Machine } from './machine.ts';
import { registersOf } from './registers.ts';
import { checkState } from './snapshot-state.ts';
import type { Vcpu } from './vcpu.ts';

/** Fails with RZ_LINKED in a VM that has no snapshots. */
export function checkTranslated({ linked }: Machine): void {
  if (linked)
    throw new RingzeroError(
      'RZ_LINKED',
      'a linked guest stores unchecked, so its VM has no snapshots: run the guest translated to have them',
    );
}

/**
 * Slot of a new snapshot, with the vCPU's registers saved in it. Fails with RZ_LINKED, RZ_GUEST_TRAP,
 * RZ_SNAPSHOT_LIMIT.
 */
export function takeSlot(vcpu: Vcpu, machine: Machine): number {
  checkTranslated(machine);
  const { calls } = vcpu.kernel;
  const slot = calls.takeSnapshot();
  if (slot === -EPERM)
    throw new RingzeroError(
      'RZ_GUEST_TRAP',
      'cannot take a snapshot inside a page-fault handler: take it after the handler has returned',
    );
  if (slot < 0) throw tooMany();
  vcpu.loadView();
  vcpu.glue?.exposure.taken();
  (vcpu.instance.exports['ringzero.save'] as GuestFunction)(
    registersOf(calls, machine.registers, slot),
  );
  for (const side of vcpu.sides) side.taken(slot);
  return slot;
}

/**
 * Slot of a snapshot of the snapshot `parent`, on which no call runs. Fails with RZ_SNAPSHOT_LIMIT,
 * RZ_SNAPSHOT_LOST.
 */
export function forkSlot(
  calls: KernelExports,
  { memory, registers }: Pick<Machine, 'memory' | 'registers'>,
  parent: number,
): number {
  checkState(calls, parent);
  const slot = calls.forkSnapshot(parent);
  if (slot === -EBUSY) throw tooMany();
  checkState(calls, parent);
  if (slot < 0)
    throw new RingzeroError('RZ_SNAPSHOT_LOST', 'no frame was left for a copy of the new snapshot');
  const from = registersOf(calls, registers, parent);
  const to = registersOf(calls, registers, slot);
  new Uint8Array(physicalBuffer(memory)).copyWithin(to, from, from + registers.bytes);
  return slot;
}

function tooMany(): RingzeroError {
  return new RingzeroError(
    'RZ_SNAPSHOT_LIMIT',
    `${SNAPSHOTS_MAX} snapshots are active: release one first`,
  );
}

/** Calls `use` with an address where the vCPU's registers are, and others can be put. */
export function withRegisters(vcpu: Vcpu, machine: Machine, use: (address: number) => void): void {
  const { calls } = vcpu.kernel;
  const slot = takeSlot(vcpu, machine); // its registers are where a snapshot's are
  try {
    use(registersOf(calls, machine.registers, slot));
  } finally {
    calls.releaseSnapshot(slot);
  }
}
