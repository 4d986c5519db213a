// Random operations on the blocks of one vCPU, checked against a model: a read returns the last write unless
// that failed; every entry completes exactly once; every result is one that the faults allow.

import * as errno from '../../assembly/abi/errno.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { BLOCK, type Rings } from './machine.ts';

export interface Stress {
  seed: number;
  file: number;
  /** The vCPU's own blocks and buffers: [first, first + count). */
  first: number;
  count: number;
  ms: number;
}

const ALLOWED = new Set([-errno.EIO, -errno.ENOSPC, -errno.ECANCELED]);

/** Runs for the given time; returns the operations that succeeded and failed. Throws at the first error. */
export function runStress(at: Rings, stress: Stress): [number, number] {
  const run = new StressRun(at, stress);
  const deadline = Date.now() + stress.ms;
  while (Date.now() < deadline) run.turn();
  run.finish();
  return [run.succeeded, run.failed];
}

class StressRun {
  succeeded = 0;
  failed = 0;
  readonly #at: Rings;
  readonly #stress: Stress;
  /** What a block holds: a stamp, or undefined after a write that failed. */
  readonly #blocks: (number | undefined)[];
  readonly #under = new Map<number, { index: number; stamp: number | undefined }>();
  #state: number;
  #stamp: number;

  constructor(at: Rings, stress: Stress) {
    this.#at = at;
    this.#stress = stress;
    this.#blocks = Array.from({ length: stress.count });
    this.#state = stress.seed | 1;
    this.#stamp = stress.seed << 8;
  }

  #random(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  /** Submits operations on blocks that have none in flight, and takes completions. */
  turn(): void {
    const at = this.#at;
    const busy = new Set([...this.#under.values()].map(({ index }) => index));
    for (let i = 0; i < this.#stress.count; i++)
      if (!busy.has(i) && this.#random(3) === 0) this.#begin(i);
    at.call('ring');
    if (this.#under.size === 0) return;
    const waited = at.call('wait', 1 + this.#random(this.#under.size));
    if (waited < 0) throw new Error(`wait: ${waited}`);
    while (at.call('next') !== 0) this.#end(at.call('data'), at.call('result'));
  }

  finish(): void {
    for (const [number, result] of this.#at.finish()) this.#end(number, result);
    if (this.#under.size !== 0) throw new Error('a completion is missing');
  }

  #begin(index: number): void {
    const { memory } = this.#at;
    const { first, file } = this.#stress;
    const writes = this.#random(2) === 0;
    const address = this.#at.at(first + index);
    memory.fill(0, address, address + BLOCK);
    if (writes)
      for (let i = 0; i < BLOCK; i += 4) memory.writeInt32LE(++this.#stamp | 0, address + i);
    const number = this.#at.submit({
      opcode: writes ? abi.OP_WRITE : abi.OP_READ,
      file,
      flags: this.#random(4) === 0 ? abi.SQE_LINK : 0,
      address,
      position: (first + index) * BLOCK,
    });
    if (number < 0) throw new Error('no room');
    this.#under.set(number, { index, stamp: writes ? this.#stamp : undefined });
  }

  #end(number: number, result: number): void {
    const operation = this.#under.get(number);
    if (operation === undefined)
      throw new Error(`a completion of ${number}, which is not in flight`);
    this.#under.delete(number);
    const { index, stamp: written } = operation;
    if (result < 0 && !ALLOWED.has(result)) throw new Error(`result ${result}`);
    if (result === BLOCK) this.succeeded++;
    else this.failed++;
    if (written === undefined) this.#check(index, result);
    else if (result !== -errno.ECANCELED)
      this.#blocks[index] = result === BLOCK ? written : undefined;
  }

  /** What a read returned is what the last write left. */
  #check(index: number, result: number): void {
    const expected = this.#blocks[index];
    if (result <= 0 || expected === undefined) return;
    const block = this.#stress.first + index;
    for (let i = 0; i + 4 <= result; i += 4) {
      const there = this.#at.memory.readInt32LE(this.#at.at(block) + i);
      const right = (expected - (BLOCK - 4 - i) / 4) | 0;
      if (there !== right) throw new Error(`block ${block} + ${i}: ${there}, not ${right}`);
    }
  }
}
