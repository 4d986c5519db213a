// Memories of closed VMs, until the engine frees them.
//
// A shared memory takes 10 GiB of address space, and the pages that were written stay resident, until its
// JavaScript objects are collected. The engine counts neither when it decides to collect, so a program that
// opens and closes VMs in a loop would exhaust both with a small heap.
//
// Interface   closed() after a VM was closed. It sometimes forces a collection.
// Cost        usually none. A collection runs when many closed memories wait, or when they have made the
//             process large in proportion to the heap: so a program with a large heap, whose collections are
//             slow, has few of them.

import { after, collectGarbage, heapBytes, residentBytes } from '#platform';

const COUNT = 24;
/** One more memory may wait for each of these bytes of heap. */
const HEAP_EACH = 4 * 2 ** 20;
const COUNT_MAX = 512;
const RESIDENT = 128 * 2 ** 20;

/** Memories closed since the last collection. */
let waiting = 0;
/**
 * The least that was resident at a close since then: right after a collection the engine is still returning
 * pages.
 */
let residentLeast = Infinity;

export async function closed(): Promise<void> {
  waiting++;
  const heap = heapBytes();
  const resident = residentBytes();
  residentLeast = Math.min(residentLeast, resident);
  const isMany = waiting > Math.min(COUNT_MAX, COUNT + heap / HEAP_EACH);
  const isLarge = resident - residentLeast > Math.max(RESIDENT, heap);
  if (!isMany && !isLarge) return;
  waiting = 0;
  // In a turn of its own: the engine keeps the memories until it has finished what it does in this one.
  await new Promise<void>((resolve) => void after(1, resolve));
  if (collectGarbage()) residentLeast = Infinity;
}
