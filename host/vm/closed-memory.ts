// Memories of VMs that were closed, until the engine has given them back.
//
// A shared memory takes 10 GiB of addresses, and what was stored to stays resident, until its JavaScript objects are collected; the engine
// counts neither as a reason to collect. So a program that opens and closes again and again runs out of addresses with an empty heap.
//
// Interface   closed() when a VM has been closed. Now and then that has the engine collect, at once.
// Cost        as a rule nothing. A collection comes when closed memories have become many, or have made the process large, beyond what the
//             heap has: so a program with a large heap, whose collections are slow, has few.

import { after, collectGarbage, heapBytes, residentBytes } from '#platform';

const COUNT = 24;
/** For so much of heap, one more memory may wait. */
const HEAP_EACH = 4 * 2 ** 20;
const COUNT_MAX = 512;
const RESIDENT = 128 * 2 ** 20;

/** Closed since the last collection. */
let waiting = 0;
/** The least that was resident at a closing since then: right after a collection the engine is still returning pages. */
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
  // In a turn of the event loop of its own: what the engine still has to do for the memories keeps them until then.
  await new Promise<void>((resolve) => void after(1, resolve));
  if (collectGarbage()) residentLeast = Infinity;
}
