// Puts a value into a fork.

import type { Fork } from '../../host/index.ts';

export function main(fork: Fork): number {
  return fork.put('text');
}
