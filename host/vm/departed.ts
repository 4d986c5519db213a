// Threads that have ended while they were vCPUs, by worker.terminate() above all: nothing tells the others, so who waits for long looks.
//
// Interface   sayThread() when a thread becomes a vCPU. Patience says when a wait has become long; lookForDeparted() then frees what a dead
//             thread has, or says that what it had cannot be freed. replaceable() gives the place of a dead thread to a new one.
// Invariants  GONE-1  Only who has changed a vCPU's state from another to VCPU_DEAD buries it or takes its place.
//             GONE-2  A thread is taken for dead only when the host says so: its number, and when it began, are nobody's.
// Concurrency Everything by any thread at any time.
// Cost        nothing for who does not wait. Of a sleep of the kernel (50 us) the clock is read; after 200 ms in sleeps /proc is, 20 us a vCPU.

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

/** A wait of sleeps that follow one another goes on for so long before it looks, and between two looks. */
const LOOK_MS = 200;
/** Two sleeps further apart belong to two waits. */
const GAP_MS = 20;
/** Where the host cannot say whether a thread lives: so long without a system call of any thread inside, and it counts as dead. */
export const STALLED_MS = 30_000;

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

  /** Says which thread the vCPU is. */
  sayThread(vcpu: number): void {
    const { id, start } = thisThread();
    Atomics.store(this.#words, this.#at(vcpu, VCPU_THREAD_START), start);
    Atomics.store(this.#words, this.#at(vcpu, VCPU_THREAD), id);
  }

  /** Its guest counts all that it holds. */
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

  /** Whether it is a thread other than this one, which lives. */
  isOthers(vcpu: number): boolean {
    const id = this.word(vcpu, VCPU_THREAD);
    return id !== 0 && id !== thisThread().id && !this.isGone(vcpu);
  }

  /** Whether a thread that has ended may have kept others from something, or left something half done. */
  mayHold(vcpu: number): boolean {
    const holds = this.word(vcpu, VCPU_HOLDS);
    if ((holds & 0x7fffffff) !== 0 || (this.word(vcpu, VCPU_FAULTING) & 1) !== 0) return true;
    return (holds & HOLDS_COUNTED) === 0 && this.word(vcpu, VCPU_DEPTH) !== 0;
  }

  /** GONE-1: true for one caller. */
  claimDead(vcpu: number): boolean {
    const at = this.#at(vcpu, VCPU_STATE);
    const state = Atomics.load(this.#words, at);
    if (state === VCPU_ABSENT || state === VCPU_DEAD) return false;
    return Atomics.compareExchange(this.#words, at, state, VCPU_DEAD) === state;
  }

  /** Whether a thread is inside of which the host cannot say whether it lives. */
  hasUnknownInside(own: number): boolean {
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++)
      if (vcpu !== own && this.isInside(vcpu) && this.word(vcpu, VCPU_THREAD) === 0) return true;
    return false;
  }

  /** A number that changes whenever a vCPU that is inside has done something that is counted. */
  progress(own: number): number {
    let sum = 0;
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
      if (vcpu === own || !this.isInside(vcpu)) continue;
      for (let i = 0; i < COUNTERS; i++) sum = (sum * 31 + this.word(vcpu, VCPU_COUNTERS + i * 8)) | 0; // prettier-ignore
    }
    return sum;
  }
}

/** Tells a long wait from many short ones. */
export class Patience {
  #began = 0;
  #last = 0;

  /** After each sleep: true once in LOOK_MS of a wait. */
  isLong(nowMs: number): boolean {
    if (nowMs - this.#last > GAP_MS) this.#began = nowMs;
    this.#last = nowMs;
    if (nowMs - this.#began < LOOK_MS) return false;
    this.#began = nowMs;
    return true;
  }
}

/** For hosts that cannot say whether a thread lives: a wait in which no thread inside does anything for STALLED_MS has no end. */
export class Stall {
  #since = 0;
  #last = 0;
  #progress = 0;

  /** In each look of a long wait. */
  isOver(blocks: VcpuBlocks, own: number, nowMs: number): boolean {
    const progress = blocks.progress(own);
    if (progress !== this.#progress || nowMs - this.#last > 2 * LOOK_MS) this.#since = nowMs;
    this.#progress = progress;
    this.#last = nowMs;
    return nowMs - this.#since > STALLED_MS && blocks.hasUnknownInside(own);
  }
}

/**
 * Buries the dead threads that hold nothing. True when one is dead that may hold something: who waits then may wait for ever.
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

/** A vCPU whose thread has ended and left nothing behind, for the caller to replace; -1 when there is none. */
export function replaceable(blocks: VcpuBlocks): number {
  for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
    if (!blocks.isPresent(vcpu) || !blocks.isGone(vcpu) || blocks.mayHold(vcpu)) continue;
    if (blocks.claimDead(vcpu)) return vcpu;
  }
  return -1;
}
