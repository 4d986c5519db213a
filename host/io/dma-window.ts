// The frames that the host may touch by itself: the guest's IOMMU. Kept outside the VM's memory, so that no guest can forge it.
//
//   words   start, end; lock of set(); generation; the service's transfers under way, by the generation's parity
//   rows    one a vCPU, 64 bytes: odd while a system call of it transfers
//
// Interface   set() for the guest; around each transfer begin(), then contains(), and end(). A vCPU's system calls have beginCall()
//             and endCall().
// Invariants  DMA-1  After it is set it only narrows. Start and end are read one after the other: whatever mixture of two
//                    windows that gives lies within the earlier one, and set() waits for a transfer which has seen that.
//             DMA-2  When set() has returned 0, nothing under way touches frames outside. A transfer counts itself before it looks
//                    at the window, set() stores the window before it looks at the counts.
// Concurrency Atomics on shared words; any thread. Each row is stored by its vCPU's thread, the two counts by the service.
// Cost        three atomics a transfer, on a line of its own; set() waits for transfers that began before.

import { EBUSY, EINVAL, EPERM } from '../../assembly/abi/errno.ts';
import { FRAME_BYTES, VCPUS_MAX } from '../../assembly/abi/limits.ts';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import { sleepUs } from '#platform';

const START = 0;
const END = 1;
const LOCK = 2;
const GENERATION = 3;
const UNDER_WAY = 16;
const ROWS = 32;
const ROW_WORDS = 16;
const WORDS = ROWS + VCPUS_MAX * ROW_WORDS;
/** No address is so high: nothing is in the window before the guest has set one. */
const UNSET = 0xffffffff;
const LOOK_US = 50;
const PATIENCE_US = 10_000_000;

/** Which count a transfer of the service is in. */
export type Side = 0 | 1;

export class DmaWindow {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** The kernel's tables begin there: no window reaches them. */
  readonly #limit: number;

  constructor(frames: number, shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(WORDS * 4);
    this.#words = new Int32Array(this.shared);
    this.#limit = vmBlock(frames);
    if (shared === undefined) this.#store(START, UNSET);
  }

  #load(word: number): number {
    return Atomics.load(this.#words, word) >>> 0;
  }

  #store(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
  }

  /**
   * The first time any whole frames below the kernel's tables, later only frames that are in the window already. 0; -EINVAL for
   * what is no range of frames; -EPERM for one that reaches out of the window; -EBUSY when the window is set, but a transfer that
   * began before does not come to its end.
   */
  set(start: number, end: number): number {
    const isRange = start < end && start % FRAME_BYTES === 0 && end % FRAME_BYTES === 0;
    if (!isRange || end > this.#limit) return -EINVAL;
    if (!until(() => Atomics.compareExchange(this.#words, LOCK, 0, 1) === 0)) return -EBUSY;
    try {
      return this.#narrow(start, end);
    } finally {
      this.#store(LOCK, 0);
    }
  }

  #narrow(start: number, end: number): number {
    const isFirst = this.#load(START) === UNSET;
    if (!isFirst && (start < this.#load(START) || end > this.#load(END))) return -EPERM;
    this.#store(END, end);
    this.#store(START, start);
    return this.#isQuiet() ? 0 : -EBUSY;
  }

  /** Returns when every transfer that may have seen the window of before has ended; false when one does not. */
  #isQuiet(): boolean {
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
      const row = ROWS + vcpu * ROW_WORDS;
      const turn = this.#load(row);
      if (turn % 2 !== 0 && !until(() => this.#load(row) !== turn)) return false;
    }
    // Each side in turn, while new transfers count themselves on the other one: so it comes to zero.
    return this.#turn() && this.#turn();
  }

  #turn(): boolean {
    const side = Atomics.add(this.#words, GENERATION, 1) & 1;
    return until(() => this.#load(UNDER_WAY + side) === 0);
  }

  /** Whether a range is inside. Between begin() and end(), or the calls' own. */
  contains(address: number, bytes: number): boolean {
    return address >= this.#load(START) && address + bytes <= this.#load(END);
  }

  /** The service begins a transfer. */
  begin(): Side {
    const side = (this.#load(GENERATION) & 1) as Side;
    Atomics.add(this.#words, UNDER_WAY + side, 1);
    return side;
  }

  end(side: Side): void {
    Atomics.sub(this.#words, UNDER_WAY + side, 1);
  }

  beginCall(vcpu: number): void {
    Atomics.add(this.#words, ROWS + vcpu * ROW_WORDS, 1);
  }

  endCall(vcpu: number): void {
    Atomics.add(this.#words, ROWS + vcpu * ROW_WORDS, 1);
  }

  /** A vCPU of before may have ended in the middle of a transfer. */
  attach(vcpu: number): void {
    const row = ROWS + vcpu * ROW_WORDS;
    if (this.#load(row) % 2 !== 0) this.endCall(vcpu);
  }
}

/** Looks again and again; false when it takes too long. */
function until(isSo: () => boolean): boolean {
  for (let waitedUs = 0; !isSo(); waitedUs += LOOK_US) {
    if (waitedUs >= PATIENCE_US) return false;
    sleepUs(LOOK_US);
  }
  return true;
}
