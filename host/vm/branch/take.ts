// Taking the state of a program for a branch: a snapshot, and what the thread needs to read it.

import { SNAPSHOT_GOOD } from '../../../assembly/abi/snapshot-block.ts';
import { physicalBuffer } from '../../physical-buffer.ts';
import type { Machine } from '../machine.ts';
import { registersOf } from '../registers.ts';
import { checkState } from '../snapshot-state.ts';
import { takeSlot } from '../take.ts';
import type { Vcpu } from '../vcpu.ts';
import type { BranchState } from './state.ts';

/** Frames that a base may have had copied for it: 16 MiB. */
const FRESH_FRAMES = 4096;

let lastId = 0;

/** A snapshot that threads copy. */
export interface Taken {
  readonly state: BranchState;
  /** Throws RZ_SNAPSHOT_LOST if what was read since is not the snapshot. */
  check(): void;
  release(): void;
  /** Whether threads may still copy it, and little has changed since. */
  isFresh(): boolean;
}

/** Fails as MicroVM.snapshot does. */
export function takeState(vcpu: Vcpu, machine: Machine, base: Taken | undefined): Taken {
  const slot = takeSlot(vcpu, machine);
  const { calls } = vcpu.kernel;
  calls.settleSnapshot(slot);
  const memory = physicalBuffer(machine.memory);
  const { registers } = machine;
  const bytes = registers.bytes - registers.dropBytes;
  const from = base && { id: base.state.id, table: base.state.table };
  return {
    state: {
      id: ++lastId,
      memory: machine.memory,
      bytes: calls.snapshotBytes(slot) >>> 0,
      table: calls.snapshotTable(slot) >>> 0,
      base: from,
      files: { pages: calls.filePages(slot), end: calls.openedFiles() },
      registers: new Uint8Array(memory, registersOf(calls, registers, slot), bytes).slice(),
      tables: vcpu.tables!.capture(),
      sides: vcpu.sides.map((side) => side.state(slot, memory)),
    },
    check: () => {
      checkState(calls, slot);
      if (base !== undefined) base.check();
    },
    release: () => calls.releaseSnapshot(slot),
    isFresh: () =>
      calls.snapshotState(slot) === SNAPSHOT_GOOD && calls.snapshotFrames(slot) < FRESH_FRAMES,
  };
}
