// Threads that ended while they were vCPUs, typically by worker.terminate(). Nothing tells the other vCPUs,
// so a long wait looks for them.
//
// Interface   sayThread() when a thread becomes a vCPU. Patience tells when a wait has become long;
//             lookForDeparted() then frees what a dead thread held, or reports that it cannot be freed.
//             replaceable() gives the number of a dead thread to a new one.
// Invariants  GONE-1  Only the thread that changed a vCPU's state to VCPU_DEAD buries it or takes its number.
//             GONE-2  A thread counts as dead only when the host says so: no thread has its number and its
//                     start time.
// Concurrency Any function, any thread, any time.
// Cost        none without waits. A sleep in the kernel (50 us) reads the clock; after 200 ms of sleeps,
//             /proc is read, 20 us per vCPU.

import {
  HOLDS_COUNTED,
  VCPU_ABSENT,
  VCPU_COUNTERS,
  VCPU_DEAD,
  VCPU_DEPTH,
  VCPU_FAULTING,
  VCPU_HOLDS,
  VCPU_STATE,
  VCPU_THREAD,
  VCPU_THREAD_START,
} from '../../assembly/abi/vcpu-block.ts';
import { FRAME_BYTES, VCPUS_MAX } from '../../assembly/abi/limits.ts';
import { vcpuBlocks } from '../../assembly/abi/memory-map.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { hasThreadEnded, thisThread } from '#platform';
import type * as Wasm from '../webassembly.ts';

/** A wait looks for dead threads after this time, and again after each further period. */
const LOOK_MS = 200;
/** Two sleeps further apart than this belong to different waits. */
const GAP_MS = 20;
/**
 * Where the host cannot tell whether a thread lives: if no thread inside makes a system call for this long,
 * they count as dead.
 */
const STALLED_MS = 30_000;

const COUNTERS = 8;

/** The vCPU blocks of a VM. */
export class VcpuBlocks {
  readonly #words: Int32Array;
  readonly #first: number;

  constructor(memory: Wasm.Memory, frames: number) {
    this.#words = new Int32Array(physicalBuffer(memory));
    this.#first = vcpuBlocks(frames) / 4;
  }

  #at(vcpu: number, offset: number): number {
    return this.#first + (vcpu * FRAME_BYTES + offset) / 4;
  }

  word(vcpu: number, offset: number): number {
    return Atomics.load(this.#words, this.#at(vcpu, offset));
  }

  /** Records which thread the vCPU is. */
  sayThread(vcpu: number): void {
    const { id, start } = thisThread();
    Atomics.store(this.#words, this.#at(vcpu, VCPU_THREAD_START), start);
    Atomics.store(this.#words, this.#at(vcpu, VCPU_THREAD), id);
  }

  /** Records that this guest counts every resource that it holds. */
  countHolds(vcpu: number): void {
    Atomics.or(this.#words, this.#at(vcpu, VCPU_HOLDS), HOLDS_COUNTED | 0);
  }

  isPresent(vcpu: number): boolean {
    const state = this.word(vcpu, VCPU_STATE);
    return state !== VCPU_ABSENT && state !== VCPU_DEAD;
  }

  isInside(vcpu: number): boolean {
    return this.isPresent(vcpu) && this.word(vcpu, VCPU_DEPTH) !== 0;
  }

  /** Whether its thread has certainly ended. */
  isGone(vcpu: number): boolean {
    const id = this.word(vcpu, VCPU_THREAD);
    return id !== 0 && hasThreadEnded(id, this.word(vcpu, VCPU_THREAD_START));
  }

  /** Whether it is another thread, which lives. */
  isOthers(vcpu: number): boolean {
    const id = this.word(vcpu, VCPU_THREAD);
    return id !== 0 && id !== thisThread().id && !this.isGone(vcpu);
  }

  /** Whether a thread that ended may have left a lock held or a change unfinished. */
  mayHold(vcpu: number): boolean {
    const holds = this.word(vcpu, VCPU_HOLDS);
    if ((holds & 0x7fffffff) !== 0 || (this.word(vcpu, VCPU_FAULTING) & 1) !== 0) return true;
    return (holds & HOLDS_COUNTED) === 0 && this.word(vcpu, VCPU_DEPTH) !== 0;
  }

  /** GONE-1: true for one caller only. */
  claimDead(vcpu: number): boolean {
    const at = this.#at(vcpu, VCPU_STATE);
    const state = Atomics.load(this.#words, at);
    if (state === VCPU_ABSENT || state === VCPU_DEAD) return false;
    return Atomics.compareExchange(this.#words, at, state, VCPU_DEAD) === state;
  }

  /** Whether a thread is inside whose life the host cannot tell. */
  hasUnknownInside(own: number): boolean {
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++)
      if (vcpu !== own && this.isInside(vcpu) && this.word(vcpu, VCPU_THREAD) === 0) return true;
    return false;
  }

  /** A number that changes whenever a vCPU inside does something that is counted. */
  progress(own: number): number {
    let sum = 0;
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
      if (vcpu === own || !this.isInside(vcpu)) continue;
      for (let i = 0; i < COUNTERS; i++)
        sum = (sum * 31 + this.word(vcpu, VCPU_COUNTERS + i * 8)) | 0;
    }
    return sum;
  }
}

/** Tells one long wait from many short ones. */
export class Patience {
  #began = 0;
  #last = 0;

  /** After each sleep: true once per LOOK_MS of a wait. */
  isLong(nowMs: number): boolean {
    if (nowMs - this.#last > GAP_MS) this.#began = nowMs;
    this.#last = nowMs;
    if (nowMs - this.#began < LOOK_MS) return false;
    this.#began = nowMs;
    return true;
  }
}

/**
 * For hosts that cannot tell whether a thread lives: a wait during which no thread inside does anything for
 * STALLED_MS is endless.
 */
export class Stall {
  #since = 0;
  #last = 0;
  #progress = 0;

  /** At each look of a long wait. */
  isOver(blocks: VcpuBlocks, own: number, nowMs: number): boolean {
    const progress = blocks.progress(own);
    if (progress !== this.#progress || nowMs - this.#last > 2 * LOOK_MS) this.#since = nowMs;
    this.#progress = progress;
    this.#last = nowMs;
    return nowMs - this.#since > STALLED_MS && blocks.hasUnknownInside(own);
  }
}

/**
 * Buries the dead threads that hold nothing. True when a dead thread may hold something: waiting for it could
 * take forever.
 */
export function lookForDeparted(
  blocks: VcpuBlocks,
  own: number,
  bury: (vcpu: number) => void,
): boolean {
  let isStuck = false;
  for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
    if (vcpu === own || !blocks.isPresent(vcpu) || !blocks.isGone(vcpu)) continue;
    if (blocks.mayHold(vcpu)) isStuck = true;
    else if (blocks.claimDead(vcpu)) bury(vcpu);
  }
  return isStuck;
}

/**
 * The number of a vCPU whose thread has ended and left nothing behind, for the caller to reuse; -1 when there
 * is none.
 */
export function replaceable(blocks: VcpuBlocks): number {
  for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
    if (!blocks.isPresent(vcpu) || !blocks.isGone(vcpu) || blocks.mayHold(vcpu)) continue;
    if (blocks.claimDead(vcpu)) return vcpu;
  }
  return -1;
}
