// Starting to read a page without waiting for it: prefetch, read-ahead, many look-ups at once. arrivals.ts
// has the operations in progress.
//
// Concurrency A page being read is claimed like one whose fault is being served (TAB-10).

import { PAGES_MAX } from '../mmu/page-table';
import * as arrivals from './arrivals';
import * as fault from './fault';
import * as translation from './translation';

/**
 * Starts to read a non-resident page that no other vCPU is loading; false if too many reads are in progress.
 */
export function start(page: u64): bool {
  if (!arrivals.hasRoom()) return false;
  if (page >= PAGES_MAX) return true;
  const guess = translation.guess(page);
  if (guess != 0 && translation.confirms(guess, page)) return true;
  const cell = translation.cellOf(page);
  if (cell == 0) return true;
  const entry = translation.read(cell, page);
  if (translation.isResident(entry) || translation.isClaimed(entry)) return true;
  if (!translation.claim(cell, entry)) return true;
  const found = fault.admit(page, cell, entry);
  if (found & fault.LATCHED)
    arrivals.read(found & ~fault.LATCHED, fault.claimedHeader, cell, entry);
  return true;
}
