// Moves checks that every iteration of a loop makes to its head, where a failed one can leave the loop:
// an address that stays is checked once, one that walks is compared with the page checked last, one
// that jumps is looked up.
//
// Invariants  ELIDE-6  A check moves only if every iteration makes it, and the head covers the place of
//                      each iteration.

import { GROUP_BYTES_MAX } from './facts.ts';
import type { LoopFrame } from './frame.ts';
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
const SHORT_MAX = 65536; // bytes of a loop body, times its trips, that may go without a poll

/** At a back edge: how far each candidate's address has moved since the loop's head. */
export function noteSteps(loop: LoopFrame, locals: Locals): void {
  for (const candidate of loop.candidates) {
    let step = 0;
    for (const { local, scale } of candidate.terms) {
      if (locals.symbol(local) !== loop.floorSymbol + local) candidate.jumps = true;
      step += locals.offset(local) * scale;
    }
    candidate.least = Math.min(candidate.least, step);
    candidate.most = Math.max(candidate.most, step);
  }
}

/** The earlier head, widened to cover `head`, whose local is `apart` above its own. */
function join(earlier: HeadCheck, head: HeadCheck, apart: number): HeadCheck | undefined {
  const low = Math.min(earlier.low, head.low + apart);
  const high = Math.max(earlier.high, head.high + apart);
  return high - low <= GROUP_BYTES_MAX ? { ...earlier, low, high } : undefined;
}

/**
 * Moves the checks that every iteration makes to the loop's head. The locals are those around the loop;
 * `stays` tells which of them the loop does not assign. Stores around such a local that differ by a
 * constant share one check.
 */
export function planHeads(
  plan: Plan,
  loop: LoopFrame,
  end: number,
  locals: Locals,
  stays: (local: number) => boolean,
): void {
  const heads: HeadCheck[] = [];
  const headOf = new Map<number, number>(); // by the symbol of a local that stays
  let windows = 0;
  let walks = false;
  for (const { store, terms, base, width, least, most, jumps } of loop.candidates) {
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
    const head = { terms, low, high, kind };
    const [term] = terms;
    if (still && term && terms.length === 1 && term.scale === 1 && stays(term.local)) {
      const symbol = locals.symbol(term.local);
      const i = headOf.get(symbol);
      const joined =
        i !== undefined &&
        join(heads[i]!, head, locals.offset(term.local) - locals.offset(heads[i]!.terms[0]!.local));
      if (joined) {
        heads[i] = joined;
        continue;
      }
      headOf.set(symbol, heads.length);
    }
    heads.push(head);
  }
  const bytes = end - loop.start;
  const pollAtWindow = walks && bytes <= POLL_AT_WINDOW_BODY_MAX;
  const short = loop.backEdges === 1 && loop.trips * bytes <= SHORT_MAX;
  const { carried } = loop;
  if (heads.length > 0 || short) {
    plan.loops[loop.number] = { heads, carried, pollAtWindow, short };
  }
}
