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
export function runStress(at: Rings, { seed, file, first, count, ms }: Stress): [number, number] {
  let state = seed | 1;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  /** What a block holds: a stamp, or undefined after a write that failed. */
  const blocks: (number | undefined)[] = Array.from({ length: count });
  const under = new Map<number, { index: number; stamp: number | undefined }>();
  let stamp = seed << 8;
  let succeeded = 0;
  let failed = 0;

  const begin = (index: number): void => {
    const writes = random(2) === 0;
    const address = at.at(first + index);
    at.memory.fill(0, address, address + BLOCK);
    if (writes) for (let i = 0; i < BLOCK; i += 4) at.memory.writeInt32LE(++stamp | 0, address + i);
    const number = at.submit({
      opcode: writes ? abi.OP_WRITE : abi.OP_READ,
      file,
      flags: random(4) === 0 ? abi.SQE_LINK : 0,
      address,
      position: (first + index) * BLOCK,
    });
    if (number < 0) throw new Error('no room');
    under.set(number, { index, stamp: writes ? stamp : undefined });
  };

  const end = (number: number, result: number): void => {
    const operation = under.get(number);
    if (operation === undefined)
      throw new Error(`a completion of ${number}, which is not in flight`);
    under.delete(number);
    const { index, stamp: written } = operation;
    if (result < 0 && !ALLOWED.has(result)) throw new Error(`result ${result}`);
    if (result === BLOCK) succeeded++;
    else failed++;
    if (written !== undefined) {
      if (result !== -errno.ECANCELED) blocks[index] = result === BLOCK ? written : undefined;
      return;
    }
    const expected = blocks[index];
    if (result <= 0 || expected === undefined) return;
    for (let i = 0; i + 4 <= result; i += 4) {
      const there = at.memory.readInt32LE(at.at(first + index) + i);
      const right = (expected - (BLOCK - 4 - i) / 4) | 0;
      if (there !== right) throw new Error(`block ${first + index} + ${i}: ${there}, not ${right}`);
    }
  };

  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    const busy = new Set([...under.values()].map(({ index }) => index));
    for (let i = 0; i < count; i++) if (!busy.has(i) && random(3) === 0) begin(i);
    at.call('ring');
    if (under.size === 0) continue;
    const waited = at.call('wait', 1 + random(under.size));
    if (waited < 0) throw new Error(`wait: ${waited}`);
    while (at.call('next') !== 0) end(at.call('data'), at.call('result'));
  }
  for (const [number, result] of at.finish()) end(number, result);
  if (under.size !== 0) throw new Error('a completion is missing');
  return [succeeded, failed];
}
