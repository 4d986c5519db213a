// The file system of a VM, opened when it is first wanted.

import { RingzeroError } from '../errors.ts';
import type { FileSystem } from '../files/file-system.ts';
import { fileImages } from '../files/module.ts';
import type { KernelExports } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { Vcpu } from './vcpu.ts';

export { loadFileModule } from '../files/module.ts';

/** Gives the VM a file system. Fails with RZ_OUT_OF_MEMORY, RZ_LINKED. */
export function beginFiles(machine: Machine, calls: KernelExports, isWeak: boolean): void {
  if (machine.linked)
    throw new RingzeroError('RZ_LINKED', 'the VM of a linked guest has no file system');
  const top = calls.openFiles();
  if (top === 0)
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      'too little memory for files: they are between the memory of the program and that for copies. ' +
        'Raise `memory`, or use the file system before snapshots have taken that room',
    );
  machine.files = fileImages(machine.frames, isWeak, top);
}

/** The file system of a vCPU's VM. */
export function filesOf(vcpu: Vcpu, machine: Machine): FileSystem {
  if (machine.files === undefined)
    beginFiles(machine, vcpu.kernel.calls, vcpu.kernel.hasWeakMemory);
  return vcpu.files.system!;
}
