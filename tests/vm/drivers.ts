// Modules that drive forks in tests: the first argument selects the action.

import type { Fork } from '../../host/index.ts';

export async function main(fork: Fork, job: { act: string; at?: number }): Promise<unknown> {
  const { act, at = 0 } = job;
  if (act === 'read') return [fork.call('get', at), fork.u32(at), [...fork.read(at, 4)]];
  if (act === 'write') {
    fork.write(at, Uint8Array.of(1, 2, 3, 4));
    return fork.call('get', at);
  }
  if (act === 'text') return fork.text(at);
  if (act === 'long') {
    const bytes = new Uint8Array(200_000).map((_, i) => i * 7);
    fork.write(at, bytes);
    // a turn of the event loop, in which its memory must stay
    await new Promise((resolve) => setTimeout(resolve, 5));
    return fork.read(at, bytes.length).every((byte, i) => byte === bytes[i]);
  }
  if (act === 'throw') throw new TypeError('of my own');
  if (act === 'trap') return fork.call('fail');
  if (act === 'missing') return fork.call('nothing');
  if (act === 'far') return fork.read(2 ** 31, 8);
  if (act === 'uncloneable') return () => 1;
  return undefined;
}
