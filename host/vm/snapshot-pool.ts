// The warm snapshot vCPUs of a VM: threads that wait for jobs, one job at a time each. More threads start
// when more jobs run than there are threads.
//
// Invariants  POOL-1  Every job ends once: with the result of its thread, with its thread, with the pool, or
//                     immediately when it cannot be posted. Nothing is thrown between run() and `end`.
//             POOL-2  A stopped job ends within STOP_GRACE_MS plus the end of a thread: a job that does not
//                     leave the guest in that time (a wait, a loop without safepoints) loses its thread.

import { EINTR, EIO } from '../../assembly/abi/errno.ts';
import { SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { ENDING_PARENT, SNAPSHOT_STOPPED } from '../../assembly/abi/snapshot-block.ts';
import { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import { after, onceIdle, startThread, type Thread } from '#platform';
import type { SyscallSink } from '../syscalls/table.ts';
import { ProgramExit } from '../wasi/exit.ts';
import { GuestTrap } from './guest-trap.ts';
import { STOPPED } from './guest-trap.ts';
import type { KernelExports } from './kernel.ts';
import type { TableState } from './tables.ts';
import type { Failure, Job, SnapshotThreadData, SnapshotThreadMessage } from './snapshot-worker.ts';

interface JobEnd {
  result: unknown;
  failure: (Failure & { error: Error }) | undefined;
  /** The tables after the job; undefined = it did not run. */
  tables: { state: TableState | undefined } | undefined;
  /** The thread died during the job: what the job was to release is still held. */
  died: boolean;
}

/** Warm threads start a little later, so that the VM's first work is not delayed. */
const WARM_DELAY_MS = 30;
/** Time for a stopped job to reach its next safepoint. */
const STOP_GRACE_MS = 1000;

interface Finished {
  result?: unknown;
  failure?: Failure | undefined;
  died?: boolean;
  tables?: JobEnd['tables'];
}

interface Worker {
  thread: Thread;
  vcpu: number | undefined;
  job: Job | undefined;
  /** Lengths of its tables, where they are longer than at first. */
  lengths: readonly number[] | undefined;
}

type PoolKernel = Pick<KernelExports, 'bury' | 'endSnapshot' | 'snapshotState'>;

export class SnapshotPool {
  readonly #data: SnapshotThreadData;
  readonly #sink: SyscallSink;
  readonly #kernel: PoolKernel;
  readonly #workers = new Set<Worker>();
  readonly #waiting: Job[] = [];
  readonly #ends = new Map<number, (end: JobEnd) => void>();
  #nextJob = 0;
  #closed = false;

  constructor(data: SnapshotThreadData, warm: number, sink: SyscallSink, kernel: PoolKernel) {
    this.#data = data;
    this.#kernel = kernel;
    this.#sink = sink;
    onceIdle(WARM_DELAY_MS, () => {
      try {
        while (!this.#closed && this.#workers.size < warm) this.#start();
      } catch {
        // the first job tries again, and reports the error
      }
    });
  }

  /** Number of threads. */
  get size(): number {
    return this.#workers.size;
  }

  /** Runs a job on the next free thread; `end` is called once, from the event loop. */
  run(job: Omit<Job, 'id'>, end: (end: JobEnd) => void): void {
    const id = this.#nextJob++;
    this.#ends.set(id, end);
    this.#waiting.push({ ...job, id });
    if (this.#closed) this.#failWaiting('the VM was closed');
    else this.#assign();
  }

  /**
   * The readers of a snapshot were told to stop: ends a thread that is still running after the grace time.
   * Calls that wait for a thread start, and then notice.
   */
  stop(slot: number): void {
    for (const worker of this.#workers) {
      const { job } = worker;
      if (job?.slot !== slot) continue;
      const cancel = after(STOP_GRACE_MS, () => {
        if (worker.job === job && this.#kernel.endSnapshot(slot, ENDING_PARENT) !== 0)
          void worker.thread.terminate();
      });
      const end = this.#ends.get(job.id);
      this.#ends.set(job.id, (result) => {
        cancel();
        end?.(result);
      });
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers].map(({ thread }) => thread.terminate()));
  }

  #start(): Worker {
    const worker: Worker = { job: undefined, vcpu: undefined, lengths: undefined } as Worker;
    worker.thread = startThread(
      new URL('./snapshot-worker.js', import.meta.url),
      this.#data,
      (message) => this.#receive(worker, message as SnapshotThreadMessage),
      (error) => this.#ended(worker, error),
    );
    this.#workers.add(worker);
    return worker;
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#free(this.#waiting[0]!);
      if (worker === undefined) return;
      this.#post(worker, this.#waiting.shift()!);
    }
  }

  /** A thread without a job, or a new one if there may be more. Without any thread the waiting jobs fail. */
  #free({ tables }: Job): Worker | undefined {
    for (const worker of [...this.#workers]) {
      if (worker.job !== undefined) continue;
      if (worker.lengths?.every((length, t) => length <= (tables?.[t]?.length ?? 0)) ?? true)
        return worker;
      this.#workers.delete(worker); // its tables are too long for this snapshot, and cannot shrink
      void worker.thread.terminate();
    }
    if (this.#workers.size >= SNAPSHOTS_MAX) return undefined;
    try {
      return this.#start();
    } catch (error) {
      if (this.#workers.size === 0)
        this.#failWaiting(`a thread for the snapshot did not start: ${(error as Error).message}`);
      return undefined;
    }
  }

  #post(worker: Worker, job: Job): void {
    worker.job = job;
    worker.thread.hold(true);
    try {
      worker.thread.post(job);
    } catch (error) {
      worker.job = undefined;
      worker.thread.hold(false);
      const why = error instanceof Error ? error.message : String(error);
      const message = `an argument cannot be posted to the snapshot's thread: ${why}`;
      this.#finish(job.id, { failure: failureOf('RZ_OPTION', message) });
    }
  }

  #receive(worker: Worker, message: SnapshotThreadMessage): void {
    if (message.kind === 'log') this.#sink.log(message.level, message.text);
    if (message.kind === 'progress') this.#sink.progress(message.what, message.perMille);
    if (message.kind === 'ready') worker.vcpu = message.vcpu;
    if (message.kind !== 'done') return;
    worker.job = undefined;
    worker.thread.hold(false);
    worker.lengths = message.lengths;
    const { id, result, failure, tables: state } = message;
    this.#finish(id, { result, failure, tables: { state } });
    this.#assign();
  }

  #finish(id: number, { result, failure, died = false, tables }: Finished): void {
    const end = this.#ends.get(id);
    this.#ends.delete(id);
    const error = failure && { ...failure, error: errorOf(failure) };
    end?.({ result, failure: error, died, tables });
  }

  /** A thread ended: its job fails. A new thread starts when it is needed. */
  #ended(worker: Worker, error: Error | undefined): void {
    this.#workers.delete(worker);
    if (worker.vcpu !== undefined) this.#kernel.bury(worker.vcpu);
    const { job } = worker;
    if (job !== undefined) {
      const isStopped = this.#kernel.snapshotState(job.slot) === SNAPSHOT_STOPPED;
      const failure = isStopped
        ? failureOf('RZ_SNAPSHOT_STOPPED', STOPPED)
        : failureOf(
            'RZ_VM_CLOSED',
            `the thread of a snapshot vCPU ended: ${error?.message ?? 'terminated'}`,
          );
      this.#finish(job.id, { failure: { ...failure, stack: error?.stack }, died: true });
    }
    if (this.#closed) this.#failWaiting('the VM was closed');
    else this.#assign();
  }

  #failWaiting(why: string): void {
    for (const { id } of this.#waiting.splice(0))
      this.#finish(id, { failure: failureOf('RZ_VM_CLOSED', why), died: true });
  }
}

function failureOf(code: RingzeroErrorCode, message: string): Failure {
  const errno = code === 'RZ_SNAPSHOT_STOPPED' ? EINTR : EIO;
  return { code, message, stack: undefined, errno, exitCode: undefined };
}

function errorOf(failure: Failure): Error {
  if (failure.thrown instanceof Error) return failure.thrown;
  if (failure.exitCode !== undefined) return new ProgramExit(failure.exitCode);
  const error =
    failure.code === 'RZ_GUEST_TRAP'
      ? new GuestTrap(failure.message)
      : new RingzeroError(failure.code as RingzeroErrorCode, failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
