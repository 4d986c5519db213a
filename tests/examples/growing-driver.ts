// Drives a fork of SQLite: allocates more than the heap has, and uses the end of it.

import type { Fork } from '../../host/index.ts';

export function main(fork: Fork, bytes: number): string {
  const address = Number(fork.call('sqlite3_malloc', bytes)) >>> 0;
  if (address === 0) return 'no memory';
  fork.write(address + bytes - 4, Uint8Array.of(1, 2, 3, 4));
  return [...fork.read(address + bytes - 4, 4)].join();
}
