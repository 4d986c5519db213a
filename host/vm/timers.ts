// The timers of a VM's vCPUs: one thread that sleeps until the next one is due, and posts VECTOR_TIMER
// through shared memory.
//
// Interface   startTimers() when a VM is created; the result stops them. Timers is the code of the thread.
//             How a vCPU sets a timer and takes what was posted: assembly/kernel/timer.ts.
// Invariants  TIMER-4  Never early: a period begins when the thread learns of it, which is after it was set.
//             TIMER-5  A period does not drift; one that the thread missed is counted with the next. By
//                      construction.
// Concurrency One thread per VM. It writes VCPU_TIMER_DUE and posts, nothing else, and nothing after it was
//             stopped.
// Cost        nothing without the option. With it the thread sleeps on VM_TIMER_BELL; an
//             expiration takes it about 10 us, and is 20 to 100 us late on an idle machine.

import { VCPUS_MAX, FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { vcpuBlocks, vmBlock } from '../../assembly/abi/memory-map.ts';
import { TIMER_NONE, TIMER_THERE } from '../../assembly/abi/timer.ts';
import {
  VCPU_ABSENT,
  VCPU_DEAD,
  VCPU_PENDING,
  VCPU_STATE,
  VCPU_TIMER_DUE,
  VCPU_TIMER_EVERY,
  VCPU_TIMER_FIRST,
  VCPU_TIMER_SET,
} from '../../assembly/abi/vcpu-block.ts';
import { VECTOR_TIMER } from '../../assembly/abi/vector.ts';
import { VM_TIMER_BELL, VM_TIMER_STATE, VM_VCPUS } from '../../assembly/abi/vm-block.ts';
import { startThread, type Thread } from '#platform';
import { RingzeroError } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';

/** What the thread posts once it runs. */
export const READY = 'ready';

/** Data that the thread starts with. */
export interface TimersThreadData {
  memory: WebAssembly.Memory;
  frames: number;
}

/** A vCPU's setting, as the thread last read it. */
interface Timer {
  setting: number;
  everyUs: number;
  /** When it expires next. */
  dueUs: number;
  expirations: number;
}

export class Timers {
  readonly #words: Int32Array;
  readonly #longs: BigUint64Array;
  readonly #vm: number;
  readonly #blocks: number;
  readonly #timers: (Timer | undefined)[] = [];

  constructor({ memory, frames }: TimersThreadData) {
    this.#words = new Int32Array(physicalBuffer(memory));
    this.#longs = new BigUint64Array(physicalBuffer(memory));
    this.#vm = vmBlock(frames);
    this.#blocks = vcpuBlocks(frames);
  }

  get isStopped(): boolean {
    return this.#load(this.#vm + VM_TIMER_STATE) === TIMER_NONE;
  }

  /** Sleeps and fires until stopped. */
  run(nowUs: () => number): void {
    const bellAt = (this.#vm + VM_TIMER_BELL) / 4;
    while (true) {
      const bell = Atomics.load(this.#words, bellAt);
      if (this.isStopped) return;
      const now = nowUs();
      const next = this.turn(now);
      Atomics.wait(this.#words, bellAt, bell, (next - now) / 1000);
    }
  }

  /** Fires what is due; returns the time of the next one. */
  turn(nowUs: number): number {
    let next = Infinity;
    const vcpus = Math.min(this.#load(this.#vm + VM_VCPUS), VCPUS_MAX);
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      const block = this.#blocks + vcpu * FRAME_BYTES;
      const timer = (this.#timers[vcpu] = this.#timer(block, this.#timers[vcpu], nowUs));
      if (timer === undefined) continue;
      if (timer.dueUs <= nowUs) this.#fire(block, timer, nowUs);
      next = Math.min(next, timer.dueUs);
    }
    return next;
  }

  /** The current setting of a vCPU's timer; undefined = none. */
  #timer(block: number, known: Timer | undefined, nowUs: number): Timer | undefined {
    const state = this.#load(block + VCPU_STATE);
    const setting = this.#load(block + VCPU_TIMER_SET);
    const firstUs = this.#load(block + VCPU_TIMER_FIRST) >>> 0;
    if (firstUs === 0 || state === VCPU_ABSENT || state === VCPU_DEAD) return undefined;
    if (known?.setting === setting) return known;
    // A setting that changes while it is read here has a number that the vCPU no longer accepts.
    const everyUs = this.#load(block + VCPU_TIMER_EVERY) >>> 0;
    return { setting, everyUs, dueUs: nowUs + firstUs, expirations: 0 };
  }

  #fire(block: number, timer: Timer, nowUs: number): void {
    const { everyUs, dueUs } = timer;
    const more = everyUs === 0 ? 0 : Math.floor((nowUs - dueUs) / everyUs);
    timer.expirations += 1 + more;
    timer.dueUs = everyUs === 0 ? Infinity : dueUs + (1 + more) * everyUs;
    const due = (BigInt(timer.setting >>> 0) << 32n) | BigInt(timer.expirations >>> 0);
    Atomics.store(this.#longs, (block + VCPU_TIMER_DUE) / 8, due);
    Atomics.or(this.#words, (block + VCPU_PENDING) / 4, 1 << VECTOR_TIMER);
  }

  #load(address: number): number {
    return Atomics.load(this.#words, address / 4);
  }
}

/** From now on vCPUs may set timers; those set before the thread runs wait for it. */
export function announceTimers({ memory, frames }: TimersThreadData): void {
  Atomics.store(
    new Int32Array(physicalBuffer(memory)),
    (vmBlock(frames) + VM_TIMER_STATE) / 4,
    TIMER_THERE,
  );
}

/**
 * Starts the thread; resolves when it runs. The result stops it: when that resolves, nothing is posted any
 * more. Fails with RZ_HOST when the thread does not start.
 */
export async function startTimers(data: TimersThreadData): Promise<() => Promise<void>> {
  const words = new Int32Array(physicalBuffer(data.memory));
  const vm = vmBlock(data.frames);
  let ended!: () => void;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const url = new URL('./timer-worker.js', import.meta.url);
  const thread = await new Promise<Thread>((resolve, reject) => {
    const gone = (error: Error | undefined): void => {
      Atomics.store(words, (vm + VM_TIMER_STATE) / 4, TIMER_NONE);
      ended();
      const why = error?.message ?? 'it ended';
      reject(new RingzeroError('RZ_HOST', `the thread of the timers did not start: ${why}`));
    };
    const started: Thread = startThread(
      url,
      data,
      (message) => (message === READY ? resolve(started) : gone(undefined)),
      gone,
    );
    started.hold(true);
  });
  thread.hold(false);
  return async () => {
    thread.hold(true);
    Atomics.store(words, (vm + VM_TIMER_STATE) / 4, TIMER_NONE);
    Atomics.add(words, (vm + VM_TIMER_BELL) / 4, 1);
    Atomics.notify(words, (vm + VM_TIMER_BELL) / 4);
    await end;
    await thread.terminate();
  };
}
