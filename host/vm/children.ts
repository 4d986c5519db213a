// Children of spawn(): functions of the guest that run on a snapshot, in another thread, until they return.

import { EAGAIN, EBUSY, ECHILD, ENOSYS } from '../../assembly/abi/errno.ts';
import { SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { VECTOR_CHILD } from '../../assembly/abi/vector.ts';
import { monotonicUs } from '#platform';
import type { FileImages } from '../files/module.ts';
import type { HypervisorCalls } from './machine.ts';
import type { SnapshotPool } from './snapshot-pool.ts';
import type { Vcpu } from './vcpu.ts';

/** The VM whose guest spawns. */
export interface Parent {
  readonly isLinked: boolean;
  isClosed(): boolean;
  vcpu(): Vcpu;
  pool(): SnapshotPool;
  /** The directory in which its guest may open files. */
  root(): string | undefined;
  /** Its file system. */
  files(): FileImages | undefined;
  /** Takes a snapshot and returns its slot; throws when it cannot be taken. */
  take(): number;
}

/** Running, or ended with a status that the guest has not asked for yet. */
type Child = { slot: number } | { status: number };

/** Serves the guest's calls `spawn`, `childStatus` and `killChild`. */
export class Children implements HypervisorCalls {
  readonly #parent: Parent;
  readonly #children = new Map<number, Child>();
  #snapshotUs = 0;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  /** Microseconds that the last snapshot took. */
  get snapshotUs(): number {
    return this.#snapshotUs;
  }

  /**
   * Number of the new child, which calls function `fn` of the guest's table with `arg`; or a negative errno.
   */
  spawn(fn: number, arg: number): number {
    const parent = this.#parent;
    if (parent.isLinked) return -ENOSYS;
    const id = this.#firstFree();
    if (id === undefined) return -EAGAIN;
    const before = monotonicUs();
    let slot: number;
    try {
      slot = parent.take();
    } catch {
      return -EBUSY;
    }
    this.#snapshotUs = monotonicUs() - before;
    this.#children.set(id, { slot });
    const vcpu = parent.vcpu();
    const about = {
      slot,
      preopen: parent.root(),
      tables: vcpu.tables!.capture(),
      files: parent.files(),
      owner: vcpu.number,
    };
    const job = { ...about, call: { fn, arg }, release: true };
    parent.pool().run(job, ({ result, failure, died }) => {
      const { calls, vcpu: number } = vcpu.kernel;
      if (died) calls.releaseSnapshot(slot);
      this.#children.set(id, { status: failure === undefined ? Number(result) : -failure.errno });
      if (parent.isClosed()) return;
      calls.post(number, VECTOR_CHILD);
      vcpu.deliverInterrupts();
    });
    return id;
  }

  /** What the child returned, once; -EAGAIN while it runs, -ECHILD when the child does not exist. */
  childStatus(id: number): number {
    const child = this.#children.get(id);
    if (child === undefined) return -ECHILD;
    if ('slot' in child) return -EAGAIN;
    this.#children.delete(id);
    return child.status;
  }

  /** Stops a running child; its status will be an error. */
  killChild(id: number): void {
    const child = this.#children.get(id);
    if (child === undefined || !('slot' in child)) return;
    this.#parent.vcpu().kernel.calls.stopReaders(child.slot);
    this.#parent.pool().stop(child.slot);
  }

  #firstFree(): number | undefined {
    for (let id = 0; id < SNAPSHOTS_MAX; id++) if (!this.#children.has(id)) return id;
    return undefined;
  }
}
