// The file system as one vCPU has it: an instance of the image that fits the vCPU, made at its first use.

import { RingzeroError } from '../errors.ts';
import { FileSystem } from '../files/file-system.ts';
import { TranslatedFiles } from '../files/translated.ts';
import type { FilesOfVcpu } from '../wasi/calls.ts';
import { guestTrap } from './guest-trap.ts';
import type { Kernel } from './kernel.ts';
import type { Machine } from './machine.ts';

export class VcpuFiles implements FilesOfVcpu {
  readonly #machine: Machine;
  readonly #kernel: Kernel;
  readonly #image: 'main' | 'snapshot';
  #translated: TranslatedFiles | undefined;
  #system: FileSystem | undefined;
  readonly isFork: boolean;
  /** Memory, and with it the files, are those of a state. */
  readonly isRestored: boolean;
  /** This vCPU boots the VM. */
  readonly boots: boolean;
  readonly files = (): FileSystem | undefined => this.system;

  constructor(
    machine: Machine,
    kernel: Kernel,
    image: 'main' | 'snapshot',
    boots: boolean,
    isRestored: boolean,
  ) {
    this.isFork = image === 'snapshot';
    this.isRestored = isRestored;
    this.boots = boots;
    this.#machine = machine;
    this.#kernel = kernel;
    this.#image = image;
  }

  /** Undefined until the VM has a file system. Fails with RZ_OUT_OF_MEMORY. */
  get system(): FileSystem | undefined {
    const { files: images, memory } = this.#machine;
    if (this.#system !== undefined || images === undefined) return this.#system;
    const toError = (what: string, thrown: unknown): unknown =>
      guestTrap(this.#kernel, `file system: ${what}`, thrown);
    const made = new TranslatedFiles(images, memory, this.#kernel, this.#image, toError);
    if (this.#image === 'main' && made.guest.calls.format() === 0)
      throw new RingzeroError('RZ_OUT_OF_MEMORY', 'there is not enough memory for a file system');
    this.#translated = made;
    return (this.#system = new FileSystem(made.guest));
  }

  /** Memory has become that of a state: it may have no file system. */
  restored(): void {
    this.#system?.guest.calls.format();
    this.#system?.replaced();
  }

  /** Points the file system at the snapshot that the vCPU now runs. */
  lookAtSnapshot(): void {
    this.#translated?.lookAt(this.#kernel.snapshotSlot);
  }
}
