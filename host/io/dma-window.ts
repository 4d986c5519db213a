// The frames that the host may access on its own: the guest's IOMMU. It is outside the VM's memory, so that a
// guest cannot forge it.
//
//   words   start, end; lock of set(); generation; transfers of the service in flight, by the generation's parity
//   rows    one per vCPU, 64 bytes: odd while a system call of the vCPU transfers
//
// Interface   set() for the guest; around each transfer begin(), then contains(), and end(). A vCPU's system
//             calls have beginCall() and endCall().
// Invariants  DMA-1  Once set, the window only narrows. Start and end are read one after the other: any
//                    mixture of two windows is within the earlier one, and set() waits for a transfer that
//                    has seen it.
//             DMA-2  After set() has returned 0, no transfer in flight touches frames outside. A transfer
//                    counts itself before it reads the window; set() stores the window before it reads the
//                    counts.
// Concurrency Atomics on shared words; any thread. Each row is stored by its vCPU's thread, the two counts by
//             the service.
// Cost        three atomics per transfer, on a separate cache line; set() waits for earlier transfers.

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
/** Higher than any address: nothing is in the window before the guest has set one. */
const UNSET = 0xffffffff;
const LOOK_US = 50;
const PATIENCE_US = 10_000_000;

/** Index of the count that a transfer of the service is in. */
export type Side = 0 | 1;

export class DmaWindow {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** The kernel's tables begin here: no window reaches them. */
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
   * The first time any whole frames below the kernel's tables, later only frames that are already in the
   * window. Returns 0; -EINVAL when it is not a range of frames; -EPERM when it extends beyond the window;
   * -EBUSY when the window is set, but an earlier transfer has not finished.
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

  /**
   * Returns when every transfer that may have seen the previous window has ended; false when one does not
   * end.
   */
  #isQuiet(): boolean {
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
      const row = ROWS + vcpu * ROW_WORDS;
      const turn = this.#load(row);
      if (turn % 2 !== 0 && !until(() => this.#load(row) !== turn)) return false;
    }
    // Each side in turn, while new transfers count themselves on the other one: so the count reaches zero.
    return this.#turn() && this.#turn();
  }

  #turn(): boolean {
    const side = Atomics.add(this.#words, GENERATION, 1) & 1;
    return until(() => this.#load(UNDER_WAY + side) === 0);
  }

  /** Whether a range is inside. Valid between begin() and end(), or beginCall() and endCall(). */
  contains(address: number, bytes: number): boolean {
    return address >= this.#load(START) && address + bytes <= this.#load(END);
  }

  /** A transfer of the service begins. */
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

  /** The previous owner of this vCPU number may have died during a transfer. */
  attach(vcpu: number): void {
    const row = ROWS + vcpu * ROW_WORDS;
    if (this.#load(row) % 2 !== 0) this.endCall(vcpu);
  }
}

/** Polls until the condition holds; false when that takes too long. */
function until(isSo: () => boolean): boolean {
  for (let waitedUs = 0; !isSo(); waitedUs += LOOK_US) {
    if (waitedUs >= PATIENCE_US) return false;
    sleepUs(LOOK_US);
  }
  return true;
}
