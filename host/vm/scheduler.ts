// Tasks with priorities on one vCPU's thread: a task of a higher level runs inside a safepoint of a
// lower-level task, on the same stack, and returns to it.
//
// Interface   Scheduler.create() on the thread that runs the tasks; `handle` goes to others, which submit
//             with new Tasks(handle).
// Invariants  SCHED-1  What runs inside a task has a higher level than it: nesting is bounded by the number
//                      of levels.
//             SCHED-2  A task that was ready never starts after one of a lower level that was not started
//                      yet.
//             SCHED-3  No interrupt is lost: a task is ready before its interrupt is pending, and the vCPU
//                      that takes the interrupt runs all that is ready.
// Concurrency Each level has its own registers: an instance of the guest and a vCPU of its own, on the same
//             thread. So the guest's globals belong to the level; levels share what is in memory, and a
//             safepoint is a place where no latch is held.
// Cost        0.1 us per interrupt and a look at 64 slots; nothing while no task of a higher level is ready.

import { vcpuBlocks } from '../../assembly/abi/memory-map.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { VCPU_PENDING } from '../../assembly/abi/vcpu-block.ts';
import { VECTOR_KILL, VECTOR_TASK } from '../../assembly/abi/vector.ts';
import { refuse, RingzeroError } from '../errors.ts';
import { after } from '#platform';
import { MicroVM } from './micro-vm.ts';
import type { AttachOptions } from './options.ts';
import { ARGUMENTS_MAX, RUNNING, TaskQueue, type Task } from './task-queue.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type * as Wasm from '../webassembly.ts';

const LEVELS_MAX = 8;
const LIMIT_MS_MAX = 2 ** 31 - 1; // the most that a timer takes

/**
 * Options of `Scheduler.create`.
 *
 * @category VM
 */
export interface SchedulerOptions {
  /** Exported functions that tasks may name. They take and return numbers. */
  functions: readonly string[];
  /** Number of priorities, 2 to 8. Default 2: 0 for tasks that may wait, 1 for urgent ones. */
  levels?: number;
  /**
   * Prepares the vCPU of a level above 0 before its first task, as a thread that attaches would: opens files,
   * joins a store.
   */
  prepare?(vm: MicroVM, level: number): void | Promise<void>;
  /** For the vCPUs of the levels above 0. */
  attach?: AttachOptions;
}

/**
 * For threads that submit tasks; can be posted.
 *
 * @category VM
 */
export interface TasksHandle {
  queue: SharedArrayBuffer;
  memory: Wasm.Memory;
  /** Addresses of the levels' vCPU blocks. */
  blocks: number[];
  functions: readonly string[];
}

/**
 * Options of one task.
 *
 * @category VM
 */
export interface SubmitOptions {
  /** 0 to levels - 1, higher runs first. Default 0. */
  level?: number;
  /** Stops the task at its next safepoint after it has run this long. Default: never. */
  limitMs?: number;
}

/**
 * Submits tasks, from any thread.
 *
 * @category VM
 */
export class Tasks {
  readonly #queue: TaskQueue;
  readonly #handle: TasksHandle;
  readonly #words: Int32Array;

  constructor(handle: TasksHandle) {
    this.#handle = handle;
    this.#queue = new TaskQueue(handle.queue);
    this.#words = new Int32Array(physicalBuffer(handle.memory));
  }

  /**
   * Runs a guest function; resolves with its result.
   *
   * @throws {@link RingzeroError} RZ_OPTION, RZ_BUSY when 64 tasks are queued, RZ_VM_CLOSED, or RZ_GUEST_TRAP
   * when the task trapped or was stopped: the other tasks go on
   */
  async submit(
    name: string,
    args: readonly number[] = [],
    options: SubmitOptions = {},
  ): Promise<number> {
    const { level = 0, limitMs } = options;
    if (limitMs !== undefined && !(limitMs > 0 && limitMs <= LIMIT_MS_MAX))
      refuse('limitMs', limitMs, `above 0, up to ${LIMIT_MS_MAX}`);
    const slot = this.#submit(name, [...args], level);
    const order = this.#queue.order(slot);
    if (limitMs !== undefined) after(limitMs, () => this.#stop(slot, order, level));
    await this.#queue.ended(slot);
    const result = this.#queue.take(slot);
    if (typeof result === 'string') throw new RingzeroError('RZ_GUEST_TRAP', result);
    return result;
  }

  #submit(name: string, args: readonly number[], level: number): number {
    const { functions, blocks } = this.#handle;
    const fn = functions.indexOf(name);
    if (fn < 0)
      throw new RingzeroError('RZ_OPTION', `no task \`${name}\`; allowed: ${functions.join(', ')}`);
    if (!Number.isInteger(level) || level < 0 || level >= blocks.length)
      refuse('level', level, `0 to ${blocks.length - 1}`);
    if (args.length > ARGUMENTS_MAX || !args.every((arg) => typeof arg === 'number'))
      throw new RingzeroError('RZ_OPTION', `a task takes up to ${ARGUMENTS_MAX} numbers`);
    if (this.#queue.isClosed) throw new RingzeroError('RZ_VM_CLOSED', 'the scheduler was closed');
    const slot = this.#queue.submit(level, fn, args);
    if (slot < 0) throw new RingzeroError('RZ_BUSY', 'the queue of tasks is full');
    for (const block of blocks.slice(0, level)) this.#post(block, VECTOR_TASK);
    this.#queue.ring();
    return slot;
  }

  #post(block: number, vector: number): void {
    Atomics.or(this.#words, (block + VCPU_PENDING) / 4, 1 << vector);
  }

  #stop(slot: number, order: number, level: number): void {
    if (this.#queue.order(slot) === order && this.#queue.state(slot) === RUNNING)
      this.#post(this.#handle.blocks[level]!, VECTOR_KILL);
  }
}

/**
 * Runs tasks on the thread that created it, by priority: a task of a higher level runs inside a safepoint of
 * a lower-level task.
 *
 * @category VM
 */
export class Scheduler {
  readonly handle: TasksHandle;
  readonly #queue = new TaskQueue();
  readonly #contexts: readonly MicroVM[];
  readonly #functions: readonly string[];
  readonly #served: Promise<void>;
  /** Level of the innermost running task, -1 for none. */
  #running = -1;

  private constructor(contexts: readonly MicroVM[], functions: readonly string[]) {
    this.#contexts = contexts;
    this.#functions = functions;
    const { memory, frames } = contexts[0]!.handle.machine;
    const blocks = contexts.map((vm) => vcpuBlocks(frames) + vm.enter().number * FRAME_BYTES);
    this.handle = { queue: this.#queue.shared, memory, blocks, functions };
    for (const vm of contexts) vm.enter().onInterrupt(VECTOR_TASK, () => this.#drain());
    this.#served = this.#serve();
  }

  /**
   * Makes the calling thread run tasks on `vm` whenever it is idle.
   *
   * @example
   * const scheduler = await Scheduler.create(vm, { functions: ['pay', 'analyse'] });
   * worker.postMessage(scheduler.handle);
   * // In the worker: an urgent task runs inside a safepoint of one that may wait.
   * await new Tasks(handle).submit('pay', [1, 20], { level: 1 });
   *
   * @throws {@link RingzeroError} RZ_OPTION, and as {@link MicroVM.attach} does
   */
  static async create(vm: MicroVM, options: SchedulerOptions): Promise<Scheduler> {
    const { levels = 2, functions, prepare } = options;
    if (!Number.isInteger(levels) || levels < 2 || levels > LEVELS_MAX)
      refuse('levels', levels, `2 to ${LEVELS_MAX}`);
    for (const name of functions) vm.enter().function(name);
    const contexts = [vm];
    for (let level = 1; level < levels; level++) {
      const context = await MicroVM.attach(vm.handle, options.attach);
      await prepare?.(context, level);
      contexts.push(context);
    }
    return new Scheduler(contexts, functions);
  }

  async #serve(): Promise<void> {
    while (!this.#queue.isClosed) {
      const seen = this.#queue.bell;
      this.#drain();
      await this.#queue.rung(seen);
    }
  }

  /** Runs the ready tasks above the running level, the highest first. */
  #drain(): void {
    for (
      let task = this.#queue.next(this.#running);
      task !== undefined;
      task = this.#queue.next(this.#running)
    )
      this.#run(task);
  }

  #run(task: Task): void {
    const before = this.#running;
    this.#running = task.level;
    this.#forgive(task.level);
    try {
      const { exports } = this.#contexts[task.level]!.enter();
      this.#queue.finish(task, Number(exports[this.#functions[task.fn]!]!(...task.args)));
    } catch (error) {
      this.#queue.fail(task, (error as Error).message);
    } finally {
      this.#running = before;
    }
  }

  /** A stop that was meant for an earlier task of the level came too late. */
  #forgive(level: number): void {
    const at = (this.handle.blocks[level]! + VCPU_PENDING) / 4;
    Atomics.and(new Int32Array(physicalBuffer(this.handle.memory)), at, ~(1 << VECTOR_KILL));
  }

  /** Accepts no more tasks; the vCPUs of the higher levels end. Not from inside a task. */
  async close(): Promise<void> {
    this.#queue.close();
    await this.#served;
    for (let task = this.#queue.next(-1); task !== undefined; task = this.#queue.next(-1))
      this.#queue.fail(task, 'the scheduler was closed');
    await Promise.all(this.#contexts.slice(1).map((vm) => vm.close()));
  }
}
