// Where a loop begins and ends: which facts live on in it, and what its locals are.
//
// Invariants  ELIDE-2  Facts live on only in a quiet loop, where polls alone can move the view, and
//                      each poll makes their ranges writable again. What a quiet loop carries, the
//                      loops within it carry too, for it has to hold when the next iteration begins.
//             ELIDE-5  All locals are new symbols in the loop. For the snapshot image, whose groups
//                      nothing voids, those that the loop does not assign keep theirs.

import type { Frame, LoopFrame } from './frame.ts';
import { planHeads } from './heads.ts';
import { CONSTANT } from './locals.ts';
import type { Pages } from './pages.ts';
import { HEAD_ONCE } from './plan.ts';
import type { State } from './state.ts';

const CARRIED_MAX = 8;

export function beginLoop(state: State, frame: Frame): void {
  const { facts, locals, pages } = state;
  const outer = state.loop;
  if (outer) outer.clean = outer.prefix = false;
  const loop = state.pushLoop();
  frame.loop = loop;
  loop.number = state.loopCount++;
  carry(state, loop, outer);
  loop.start = state.end;
  loop.clean = loop.prefix = frame.params === 0;
  loop.conditional = 0;
  loop.outerFloorSerial = locals.floorSerial;
  loop.outerFloorSymbol = locals.floorSymbol;
  if (loop.candidates.length > 0) loop.candidates = [];
  loop.backEdges = 0;
  loop.trips = Infinity;
  loop.counter = undefined;
  if (pages) findHomes(state, loop.number);
  locals.raiseFloor(++facts.clock);
  loop.floorSymbol = locals.floorSymbol;
  for (const { terms, low, high } of loop.carried) {
    if (terms.length === 0) continue;
    loop.kept.add(facts.assume(loop.floorSymbol + terms[0]!.local, low, high));
  }
  if (pages) enterPages(state, pages);
}

/** Decides which facts live on in the loop. */
function carry(state: State, loop: LoopFrame, outer: LoopFrame | undefined): void {
  const { facts, locals } = state;
  loop.quiet = state.loops.quiet(loop.number);
  loop.carried = outer?.quiet ? [...outer.carried] : [];
  loop.kept = new Set(outer?.quiet ? outer.kept : undefined);
  if (!loop.quiet) return facts.kill();
  facts.region++;
  const { carried, kept } = loop;
  let homes: Map<number, number> | undefined; // by symbol, the local
  facts.filter((serial, symbol, low, high) => {
    if (kept.has(serial)) return true;
    if (carried.length === CARRIED_MAX) return false;
    if (symbol === CONSTANT) carried.push({ terms: [], low, high, kind: HEAD_ONCE });
    else {
      const local = (homes ??= homesBySymbol(state, loop.number)).get(symbol);
      if (local === undefined) return false;
      const offset = locals.offset(local);
      const terms = [{ local, scale: 1 }];
      carried.push({ terms, low: low - offset, high: high - offset, kind: HEAD_ONCE });
    }
    kept.add(serial);
    return true;
  });
}

/**
 * By the symbols that they hold, the locals that the loop does not assign. There may be many facts to
 * look up.
 */
function homesBySymbol(state: State, loop: number): Map<number, number> {
  findHomes(state, loop);
  const { length, symbol, local } = state.homes;
  const found = new Map<number, number>();
  for (let i = 0; i < length; i++) found.set(symbol[i]!, local[i]!);
  return found;
}

/** Notes what the locals hold that the loop does not assign. */
function findHomes(state: State, loop: number): void {
  const { homes, locals, loops } = state;
  const assigned = loops.markAssigned(loop, locals.count);
  state.work -= loops.assignments(loop) + locals.count;
  homes.reset(locals.count);
  for (let local = 0; local < locals.count; local++)
    if (assigned[local] !== loop) homes.add(local, locals.symbol(local), locals.offset(local));
}

/** Locals that the loop does not assign keep their symbols, and groups around those go on. */
function enterPages({ facts, homes, locals }: State, pages: Pages): void {
  for (let i = 0; i < homes.length; i++)
    locals.hold(homes.local[i]!, homes.symbol[i]!, homes.offset[i]!, ++facts.clock);
  pages.enterLoop(++facts.clock, (symbol) => homes.holds(symbol));
}

export function endLoop(state: State, frame: Frame, loop: LoopFrame): void {
  const { locals, plan } = state;
  state.popLoop();
  state.pages?.leaveLoop();
  const { carried } = loop;
  if (carried.length > 0)
    plan.loops[loop.number] = { heads: [], carried, pollAtWindow: false, short: false };
  locals.floorSerial = loop.outerFloorSerial;
  locals.floorSymbol = loop.outerFloorSymbol;
  state.facts.region++;
  if (!loop.clean || frame.dead) return;
  const stays = (local: number): boolean => !state.loops.assigns(loop.number, local);
  planHeads(plan, loop, state.end, locals, stays);
}
