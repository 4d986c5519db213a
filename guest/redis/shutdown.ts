// The end of the server: saving first where that is wished, then telling the host.
//
// SAVE, NOSAVE or neither decide whether to save: without a word, where save points are set. FORCE goes on when saving fails.
// NOW has nothing to skip, for there are no replicas to wait for.

import * as io from './io.ts';
import * as observe from './observe.ts';
import * as persistence from './persistence.ts';
import * as value from './option-value.ts';

// Flags of the command and of the host's call.
export const NOSAVE: u32 = 1;
export const SAVE: u32 = 2;
export const NOW: u32 = 4;
export const FORCE: u32 = 8;
export const ABORT: u32 = 16;

/** Saves if wished and asks the host to end; false when saving failed, and then the server goes on. */
export function begin(flags: u32): bool {
  persistence.cancelSave();
  if (observe.loading()) flags = (flags & ~SAVE) | NOSAVE; // a part of the file must not replace it
  const isWished = flags & SAVE || (!(flags & NOSAVE) && value.savePoints() != 0);
  const isSaved = !isWished || persistence.save();
  if (!isSaved && !(flags & FORCE)) return false;
  io.postShutdown(isSaved ? 0 : 1);
  return true;
}
