// A snapshot, for its user.

import { STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { checkNames, checkObject, refuse, RingzeroError } from '../errors.ts';
import type { ArgumentsOf, FunctionName, GuestExports, ResultOf } from './exports.ts';
import type { Kernel } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { SnapshotPool } from './snapshot-pool.ts';
import { checkState } from './snapshot-state.ts';
import type { ByteStream } from './state/source.ts';
import { stateStream, type Source } from './state/stream.ts';
import type { TableState } from './tables.ts';
import { forkSlot } from './take.ts';
import type { Job } from './snapshot-worker.ts';
import { physicalBuffer } from '../physical-buffer.ts';

/**
 * Options of `Snapshot.export`.
 *
 * @category States
 */
export interface ExportOptions {
  /** An earlier snapshot of the same VM: the stream has only what differs from it. */
  since?: Snapshot<never> | Snapshot | undefined;
  /** Whether to compress (LZ4). Default true. */
  compress?: boolean;
}

/** What all snapshots of a VM that this thread takes have in common: taking one fills few fields. */
export interface SnapshotVM {
  readonly kernel: Kernel;
  readonly machine: Pick<Machine, 'memory' | 'source' | 'registers' | 'files'>;
  readonly pool: SnapshotPool;
  /** The directory in which calls may open files. */
  root(): string | undefined;
}

/**
 * Guest memory as it was when `MicroVM.snapshot` was called. Release it with `snapshot.release()`, or with
 * `using snapshot = vm.snapshot()` where the runtime supports that. Until then each page is copied once, when
 * the guest first writes to it. Source: paper, section 4.1.
 *
 * @category VM
 * @example
 * const snapshot = vm.snapshot();
 * exports.put(1, 3);
 * await snapshot.run('get', 1); // what it was before the put, computed in another thread
 * await snapshot.release();
 */
export class Snapshot<Exports extends object = GuestExports> {
  readonly #slot: number;
  readonly #vm: SnapshotVM;
  /** The program's tables in this snapshot, where they differ from what its module declares. */
  #tables: TableState | undefined;
  #jobs = 0;
  #open = true;
  #idle: (() => void) | undefined;
  /** Names its content in exported states. A call may change the content, so it gets another name then. */
  #id: Uint8Array | undefined;

  /** @internal */
  constructor(slot: number, vm: SnapshotVM, tables: TableState | undefined) {
    this.#slot = slot;
    this.#vm = vm;
    this.#tables = tables;
  }

  /** Bytes of guest memory that the snapshot covers. */
  get byteLength(): number {
    this.#check();
    return this.#vm.kernel.calls.snapshotBytes(this.#slot);
  }

  /** Frames copied for this snapshot so far. */
  get framesOwned(): number {
    this.#check();
    return this.#vm.kernel.calls.snapshotFrames(this.#slot);
  }

  /**
   * Calls an exported function of the guest in another thread, with memory and mutable globals as they were.
   * Its stores are visible only to later calls on this snapshot. Calls on one snapshot run in sequence if
   * each is awaited.
   *
   * @throws {@link RingzeroError} RZ_EXPORT (no such function), RZ_GUEST_TRAP, RZ_SNAPSHOT_LOST
   * (out of frames), RZ_SNAPSHOT_CLOSED, RZ_SNAPSHOT_STOPPED (disposed of during the call),
   * RZ_VM_CLOSED, and RZ_OPTION for an argument that cannot be cloned.
   */
  run<Name extends FunctionName<Exports>>(
    name: Name,
    ...args: ArgumentsOf<Exports, Name>
  ): Promise<ResultOf<Exports, Name>> {
    const call: Job['call'] = { name, args };
    return this.#job(call) as Promise<ResultOf<Exports, Name>>;
  }

  /**
   * Calls `main(fork, argument)` of a module, given by its URL, in another thread. There it drives the
   * guest's exports (see Fork) on memory and globals as they were. The argument and the result of main are
   * cloned.
   *
   * Fails as run() does, with RZ_OPTION for an invalid URL, with RZ_EXPORT when the module has no such
   * function, and with the error that the module or main throws.
   */
  drive(module: string | { readonly href: string }, argument?: unknown): Promise<unknown> {
    const url = String(module);
    if (!URL.canParse(url)) {
      throw new RingzeroError(
        'RZ_OPTION',
        `drive('${url}'): give a whole URL, such as new URL('./driver.js', import.meta.url)`,
      );
    }
    return this.#job({ module: url, argument });
  }

  #job(call: Job['call']): Promise<unknown> {
    this.#check();
    const { kernel, machine, pool } = this.#vm;
    const { files } = machine;
    const { vcpu: owner } = kernel;
    const about = { slot: this.#slot, preopen: this.#vm.root(), tables: this.#tables };
    const job = { ...about, files, owner, call, release: false };
    this.#id = undefined;
    return new Promise((resolve, reject) => {
      this.#jobs += 1;
      pool.run(job, ({ result, failure, tables }) => {
        this.#jobs -= 1;
        if (tables !== undefined) this.#tables = tables.state;
        if (failure === undefined) resolve(result);
        else reject(failure.error);
        if (this.#jobs === 0) this.#idle?.();
      });
    });
  }

  /**
   * A snapshot of this one as calls on it have left it, to any depth: memory, its growth, files, globals and
   * tables. Both go on privately, and each is released by itself, in any order. No page is copied.
   *
   * @throws {@link RingzeroError} RZ_BUSY while a call on it runs, RZ_SNAPSHOT_LIMIT when 32 are active,
   * RZ_SNAPSHOT_LOST, RZ_SNAPSHOT_CLOSED, RZ_VM_CLOSED
   * @example
   * const migrated = vm.snapshot();
   * await migrated.run('migrate');
   * const test = migrated.snapshot();
   * await test.run('put', 1, 3); // neither the VM nor `migrated` sees it
   */
  snapshot(): Snapshot<Exports> {
    this.#check();
    this.#checkVM();
    if (this.#jobs > 0)
      throw new RingzeroError(
        'RZ_BUSY',
        'a call on the snapshot runs: a snapshot of it can be taken when the call has ended',
      );
    const { kernel, machine } = this.#vm;
    return new Snapshot(forkSlot(kernel.calls, machine, this.#slot), this.#vm, this.#tables);
  }

  /**
   * A copy of `length` bytes at `address` as they were.
   *
   * @throws {@link RingzeroError} RZ_OPTION for a range outside the snapshot, RZ_SNAPSHOT_LOST,
   * RZ_SNAPSHOT_CLOSED, RZ_VM_CLOSED
   */
  read(address: number, length: number): Uint8Array {
    this.#checkVM();
    const size = this.byteLength;
    if (
      !Number.isInteger(address) ||
      !Number.isInteger(length) ||
      address < 0 ||
      length < 0 ||
      address + length > size
    ) {
      throw new RingzeroError(
        'RZ_OPTION',
        `read(${address}, ${length}): the snapshot has ${size} bytes`,
      );
    }
    const { calls } = this.#vm.kernel;
    calls.settleSnapshot(this.#slot);
    const result = new Uint8Array(length);
    for (let done = 0; done < length; done += STAGING_BYTES) {
      const part = Math.min(STAGING_BYTES, length - done);
      const staged = calls.readSnapshot(this.#slot, address + done, part) >>> 0;
      result.set(new Uint8Array(physicalBuffer(this.#vm.machine.memory), staged, part), done);
    }
    checkState(calls, this.#slot);
    return result;
  }

  /**
   * The state as a stream of bytes, from which `MicroVM.restore` and `vm.restore` make it again, in this
   * process or another, in this runtime or another: memory, mutable globals and tables. With `since`, a
   * delta:
   * only what differs from that earlier snapshot of the same VM, which must have been exported or kept.
   * docs/states.md says what a state does not contain; docs/state-format.md has the format.
   *
   * The snapshot must not be released, and no call on it may begin, before the stream has ended.
   *
   * @example
   * const first = vm.snapshot();
   * await writeFile('state', first.export());
   * exports.put(1, 3);
   * const second = vm.snapshot();
   * await writeFile('delta', second.export({ since: first }));
   *
   * @throws {@link RingzeroError} RZ_OPTION, RZ_SNAPSHOT_CLOSED, RZ_VM_CLOSED, RZ_BUSY while calls on it run;
   * reading fails with these and with RZ_SNAPSHOT_LOST
   */
  export(options: ExportOptions = {}): ByteStream {
    checkObject(options);
    checkNames(options, { since: true, compress: true } satisfies Record<
      keyof ExportOptions,
      true
    >);
    const { since, compress = true } = options;
    if (typeof compress !== 'boolean') refuse('compress', compress, 'true or false');
    if (
      since !== undefined &&
      (!(since instanceof Snapshot) || since.#vm.machine !== this.#vm.machine)
    )
      refuse('since', since, 'an earlier snapshot of the same VM');
    const { calls } = this.#vm.kernel;
    const base = since === undefined ? undefined : since.#source();
    return stateStream(this.#source(), base, compress, calls, this.#vm.machine);
  }

  #source(): Source {
    const check = (): void => {
      this.#check();
      this.#checkVM();
      if (this.#jobs > 0 || this.#id !== id)
        throw new RingzeroError(
          'RZ_BUSY',
          'a call on the snapshot runs, or has run, during its export',
        );
    };
    const id = (this.#id ??= crypto.getRandomValues(new Uint8Array(16)));
    check();
    return { slot: this.#slot, id, tables: this.#tables, check };
  }

  /** Frees its frames, after the calls in progress have ended. Releasing it again does nothing. */
  async release(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    if (this.#jobs > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#vm.kernel.calls.releaseSnapshot(this.#slot);
  }

  /**
   * As release(), but at once: stops calls in progress, which reject with RZ_SNAPSHOT_STOPPED. A call stops
   * at its next safepoint; one that reaches none within a second (a wait, a loop without polls) is stopped
   * with its thread.
   */
  [Symbol.dispose](): void {
    if (this.#jobs > 0) {
      this.#vm.kernel.calls.stopReaders(this.#slot);
      this.#vm.pool.stop(this.#slot);
    }
    void this.release();
  }

  /** `release`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Reading uses the vCPU of this thread. */
  #checkVM(): void {
    if (this.#vm.pool.isClosed) throw new RingzeroError('RZ_VM_CLOSED', 'the VM was closed');
  }

  #check(): void {
    if (!this.#open) throw new RingzeroError('RZ_SNAPSHOT_CLOSED', 'the snapshot was released');
  }
}
