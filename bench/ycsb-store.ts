// A store of YCSB's keys on vCPUs, in one of the designs that are compared.

import { Vcpus, startVcpus, type LoopResult } from './vcpus.ts';

export const DESIGNS = {
  Tabby: 'ycsb.wasm',
  eager: 'ycsb-eager.wasm',
  hash: 'ycsb-hash.wasm',
  swizzle: 'ycsb-swizzle.wasm',
};
export type Design = keyof typeof DESIGNS;

/** Workloads by the guest's numbers (guest/ycsb/mix.ts). */
export const KINDS = {
  'look-ups': 0,
  'look-ups, 64 together': 1,
  A: 2,
  B: 3,
  C: 0,
  E: 4,
  F: 5,
  'C, 64 together': 1,
  'A, 64 together': 6,
};
export type Kind = keyof typeof KINDS;

/** Distributions: the guest's name for theta is 1 / (1 - theta), 0 for uniform. */
export const DISTRIBUTIONS = { uniform: 0, 'Zipf 0.9': 10 };
export type Distribution = keyof typeof DISTRIBUTIONS;

/** Keys that fill a page when they were inserted in order. */
export const KEYS_PER_PAGE = 28;
const OPERATIONS = 640; // in a call: some 0.5 ms
const MIB = 2 ** 20;

export interface StoreOptions {
  design: Design;
  vcpus: number;
  poolFrames: number;
  keys: number;
  directory: string;
  openFlags?: number;
  /** The file is there, closed in order, with these keys. */
  isThere?: boolean;
}

export class YcsbStore {
  readonly vcpus: Vcpus;
  readonly keys: number;

  private constructor(vcpus: Vcpus, keys: number) {
    this.vcpus = vcpus;
    this.keys = keys;
  }

  static async start(options: StoreOptions): Promise<YcsbStore> {
    const { design, poolFrames, keys, directory, openFlags = 0 } = options;
    const wanted = poolFrames * 4096 * 1.1 + 64 * MIB + (keys / KEYS_PER_PAGE) * 16;
    const memory = Math.min(4096 * MIB, Math.ceil(wanted / (16 * MIB)) * 16 * MIB);
    const guest = DESIGNS[design];
    const vcpus = await startVcpus({ guest, vcpus: options.vcpus, memory, directory, openFlags });
    if (options.isThere) vcpus.check('open', vcpus.descriptor, poolFrames);
    else {
      vcpus.check('format', vcpus.descriptor, poolFrames);
      vcpus.check('insert', 0, keys);
    }
    vcpus.check('setKeys', keys);
    await vcpus.join();
    await vcpus.each('seed', (worker) => [BigInt(worker + 1)]);
    return new YcsbStore(vcpus, keys);
  }

  /** Operations a second of some of the vCPUs. */
  async measure(kind: Kind, over: Distribution, vcpus: number, ms: number): Promise<LoopResult> {
    for (const result of await this.vcpus.each('prepare', () => [this.keys, DISTRIBUTIONS[over]]))
      if (result !== 0) throw new Error(`prepare returned ${result}`);
    return this.vcpus.loop('run', [KINDS[kind], OPERATIONS], OPERATIONS, ms, vcpus);
  }

  /** Bytes of memory that are neither pool nor guest. */
  memoryOutsidePool(poolFrames: number): number {
    const { framesUsed } = this.vcpus.vm.stats();
    return (framesUsed - poolFrames) * 4096;
  }

  async close(): Promise<void> {
    this.vcpus.check('close');
    await this.vcpus.close();
  }
}
