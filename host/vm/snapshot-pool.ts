// The warm snapshot vCPUs of a VM: threads that wait for jobs. One job at a time on each; more threads start when
// more jobs are under way than there are threads.

import { SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import { onceIdle, startThread, type Thread } from '#platform';
import type { SyscallSink } from '../syscalls/table.ts';
import { ProgramExit } from '../wasi/exit.ts';
import type { Failure, Job, SnapshotThreadData, SnapshotThreadMessage } from './snapshot-worker.ts';

export interface JobEnd {
  result: unknown;
  failure: (Failure & { error: Error }) | undefined;
  /** The thread died under the job: what the job was to release is still held. */
  died: boolean;
}

/** The warm threads start a little later, so that what the VM was made for comes first. */
const WARM_DELAY_MS = 30;

interface Worker {
  thread: Thread;
  vcpu: number | undefined;
  job: number | undefined;
}

export class SnapshotPool {
  readonly #data: SnapshotThreadData;
  readonly #sink: SyscallSink;
  readonly #bury: (vcpu: number) => void;
  readonly #workers = new Set<Worker>();
  readonly #waiting: Job[] = [];
  readonly #ends = new Map<number, (end: JobEnd) => void>();
  #nextJob = 0;
  #closed = false;

  /** `bury` tells the kernel that a vCPU's thread is gone. */
  constructor(
    data: SnapshotThreadData,
    warm: number,
    sink: SyscallSink,
    bury: (vcpu: number) => void,
  ) {
    this.#data = data;
    this.#bury = bury;
    this.#sink = sink;
    onceIdle(WARM_DELAY_MS, () => {
      while (!this.#closed && this.#workers.size < warm) this.#start();
    });
  }

  /** Threads alive now. */
  get size(): number {
    return this.#workers.size;
  }

  /** Runs a job on the next free thread; `end` is called once, from the event loop. */
  run(job: Omit<Job, 'id'>, end: (end: JobEnd) => void): void {
    const id = this.#nextJob++;
    this.#ends.set(id, end);
    this.#waiting.push({ ...job, id });
    this.#assign();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers].map(({ thread }) => thread.terminate()));
  }

  #start(): void {
    const worker: Worker = { job: undefined, vcpu: undefined } as Worker;
    worker.thread = startThread(
      new URL('./snapshot-worker.js', import.meta.url),
      this.#data,
      (message) => this.#receive(worker, message as SnapshotThreadMessage),
      (error) => this.#ended(worker, error),
    );
    this.#workers.add(worker);
  }

  #assign(): void {
    for (const worker of this.#workers) {
      if (worker.job !== undefined) continue;
      const job = this.#waiting.shift();
      if (job === undefined) return;
      worker.job = job.id;
      worker.thread.hold(true);
      worker.thread.post(job);
    }
    if (this.#waiting.length > 0 && this.#workers.size < SNAPSHOTS_MAX) {
      this.#start();
      this.#assign();
    }
  }

  #receive(worker: Worker, message: SnapshotThreadMessage): void {
    if (message.kind === 'log') this.#sink.log(message.level, message.text);
    if (message.kind === 'progress') this.#sink.progress(message.what, message.perMille);
    if (message.kind === 'ready') worker.vcpu = message.vcpu;
    if (message.kind !== 'done') return;
    worker.job = undefined;
    worker.thread.hold(false);
    this.#finish(message.id, message.result, message.failure);
    this.#assign();
  }

  #finish(id: number, result: unknown, failure?: Failure, died = false): void {
    const end = this.#ends.get(id);
    this.#ends.delete(id);
    end?.({ result, failure: failure && { ...failure, error: errorOf(failure) }, died });
  }

  /** A thread died: its job fails, and a new thread takes its place when it is wanted. */
  #ended(worker: Worker, error: Error | undefined): void {
    this.#workers.delete(worker);
    if (worker.vcpu !== undefined) this.#bury(worker.vcpu);
    const message = `the thread of a snapshot vCPU ended: ${error?.message ?? 'terminated'}`;
    const failure: Failure = {
      code: 'RZ_VM_CLOSED',
      message,
      stack: error?.stack,
      errno: 5,
      exitCode: undefined,
    };
    if (worker.job !== undefined) this.#finish(worker.job, undefined, failure, true);
    if (this.#closed || this.#workers.size === 0) {
      for (const job of this.#waiting.splice(0)) this.#finish(job.id, undefined, failure, true);
    }
  }
}

function errorOf(failure: Failure): Error {
  if (failure.thrown instanceof Error) return failure.thrown;
  if (failure.exitCode !== undefined) return new ProgramExit(failure.exitCode);
  const error = new RingzeroError(failure.code as RingzeroErrorCode, failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
