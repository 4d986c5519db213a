// Checks that every iteration of a loop makes are moved to its head, where a failed one can leave the loop: an address
// that stays is checked once, one that walks is compared with the page checked last.

import type { Frame } from './frame.ts';
import type { Locals } from './locals.ts';
import {
  CHECK_GROUP,
  CHECK_NONE,
  HEAD_ONCE,
  HEAD_TABLE,
  HEAD_WINDOW,
  type HeadCheck,
  type Plan,
} from './plan.ts';

const WINDOW_STEP_MAX = 1024;
const WINDOWS_MAX = 4;
const HEADS_MAX = 8;
const POLL_AT_WINDOW_BODY_MAX = 1024; // bytes of a loop body that may run 4096 times between polls

/** At a back edge: how far each candidate's address has moved since the loop's head. */
export function noteSteps(frame: Frame, locals: Locals): void {
  for (const candidate of frame.candidates) {
    let step = 0;
    for (const { local, scale } of candidate.terms) {
      if (locals.symbol(local) !== frame.floorSymbol + local) candidate.jumps = true;
      step += locals.offset(local) * scale;
    }
    candidate.least = Math.min(candidate.least, step);
    candidate.most = Math.max(candidate.most, step);
  }
}

/** Moves the checks that every iteration makes to the loop's head. */
export function planHeads(plan: Plan, frame: Frame, end: number): void {
  const heads: HeadCheck[] = [];
  let windows = 0;
  let walks = false;
  for (const { store, terms, base, width, least, most, jumps } of frame.candidates) {
    const still = terms.length === 0 || (!jumps && least >= 0 && most <= 0);
    const near = -least <= WINDOW_STEP_MAX && most <= WINDOW_STEP_MAX;
    const window = !still && !jumps && near && windows < WINDOWS_MAX;
    if (heads.length === HEADS_MAX) break;
    if (window) {
      windows++;
      walks ||= least > 0 || most < 0;
    }
    const kind = still ? HEAD_ONCE : window ? HEAD_WINDOW : HEAD_TABLE;
    const grouped = plan.check[store] === CHECK_GROUP;
    const low = base + (grouped ? plan.low[store]! : 0);
    const high = grouped ? base + plan.high[store]! : base + width;
    plan.check[store] = CHECK_NONE;
    heads.push({ terms, low, high, kind });
  }
  const short = end - frame.start <= POLL_AT_WINDOW_BODY_MAX;
  const { carried } = frame;
  if (heads.length > 0) plan.loops[frame.loop] = { heads, carried, pollAtWindow: walks && short };
}
