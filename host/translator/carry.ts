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

interface Home {
  readonly local: number;
  readonly symbol: number;
  readonly offset: number;
}

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
  const homes = pages && homesIn(state, loop.number);
  locals.raiseFloor(++facts.clock);
  loop.floorSymbol = locals.floorSymbol;
  for (const { terms, low, high } of loop.carried) {
    if (terms.length === 0) continue;
    loop.kept.add(facts.assume(loop.floorSymbol + terms[0]!.local, low, high));
  }
  if (homes) enterPages(state, pages, homes);
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
  let homes: Map<number, number> | undefined;
  facts.filter((serial, symbol, low, high) => {
    if (kept.has(serial)) return true;
    if (carried.length === CARRIED_MAX) return false;
    if (symbol === CONSTANT) carried.push({ terms: [], low, high, kind: HEAD_ONCE });
    else {
      const local = (homes ??= localsOfSymbols(state, loop.number)).get(symbol);
      if (local === undefined) return false;
      const offset = locals.offset(local);
      const terms = [{ local, scale: 1 }];
      carried.push({ terms, low: low - offset, high: high - offset, kind: HEAD_ONCE });
    }
    kept.add(serial);
    return true;
  });
}

/** By the symbols that they hold, the locals that the loop does not assign. */
function localsOfSymbols(state: State, loop: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const { local, symbol } of homesIn(state, loop)) found.set(symbol, local);
  return found;
}

/** What the locals hold that the loop does not assign. */
function homesIn(state: State, loop: number): Home[] {
  const { locals, loops } = state;
  const assigned = loops.markAssigned(loop, locals.count);
  state.work -= loops.assignments(loop) + locals.count;
  const homes: Home[] = [];
  for (let local = 0; local < locals.count; local++) {
    if (assigned[local] === loop) continue;
    homes.push({ local, symbol: locals.symbol(local), offset: locals.offset(local) });
  }
  return homes;
}

/** Locals that the loop does not assign keep their symbols, and groups around those go on. */
function enterPages({ facts, locals }: State, pages: Pages, homes: readonly Home[]): void {
  const symbols = new Set<number>();
  for (const { local, symbol, offset } of homes) {
    symbols.add(symbol);
    locals.hold(local, symbol, offset, ++facts.clock);
  }
  pages.enterLoop(++facts.clock, (symbol) => symbols.has(symbol));
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
