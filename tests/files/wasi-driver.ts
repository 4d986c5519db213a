// Random calls of WASI in a fork.

import type { Fork } from '../../host/index.ts';
import { Random } from '../random.ts';
import { audit } from './audit.ts';
import { RandomCalls } from './wasi-calls.ts';

export function main(fork: Fork, { seed, steps }: { seed: number; steps: number }): string[] {
  const caller = {
    call: (name: string, ...args: (number | bigint)[]) => fork.call(name, ...args),
    write: (address: number, bytes: Uint8Array) => fork.write(address, bytes),
    read: (address: number, bytes: number) => fork.read(address, bytes),
  };
  const calls = new RandomCalls(caller, new Random(seed));
  calls.closeAll();
  for (let i = 0; i < steps; i++) calls.step();
  audit(fork.fs);
  return calls.trace;
}
