// How often a loop's body runs, where its code tells: one that counts to a constant and ends soon need
// not poll.

import type { Comparison, Counter, Frame, LoopFrame } from './frame.ts';
import type { State } from './state.ts';

/**
 * At a br_if to the label, whose condition is on top of the stack: is it what ends a loop that counts?
 * `last` is the last comparison.
 */
export function noteCondition(state: State, label: number, last: Comparison): void {
  const { loop, operands } = state;
  if (!loop || loop.counter) return;
  const isBackEdge = state.frame(label).loop === loop;
  const ends = loop.prefix && loop.conditional === 0 && state.leaves(loop, label);
  if (!isBackEdge && !ends) return;
  const condition = operands.symbols[operands.top - 1]!;
  const offset = operands.offsets[operands.top - 1]!;
  const compared = last.result === condition;
  const local = (compared ? last.symbol : condition) - loop.floorSymbol;
  const isNegated = compared && last.negated;
  if (isNegated === isBackEdge || local < 0 || local >= state.locals.count) return;
  loop.counter = compared
    ? { local, offset: last.offset, bound: last.bound, orders: last.orders }
    : { local, offset, bound: 0, orders: false };
}

/** At a back edge of a loop that counts: how often it runs, if this is the only one. */
export function noteTrips(state: State, frame: Frame, loop: LoopFrame): void {
  loop.backEdges++;
  const { counter } = loop;
  const { locals } = state;
  if (!counter || locals.symbol(counter.local) !== loop.floorSymbol + counter.local) return;
  state.work -= locals.logLength - frame.logStart;
  const first = locals.constantAt(frame.logStart, loop.outerFloorSerial, counter.local);
  if (first !== undefined) loop.trips = tripsOf(counter, first, locals.offset(counter.local));
}

/** How often a loop's body runs at most, if its counter begins as `first` and moves by `step`. */
function tripsOf({ offset, bound, orders }: Counter, first: number, step: number): number {
  const trips = (bound - first - offset) / step + 1;
  if (!orders) return Number.isInteger(trips) && trips >= 1 ? trips : Infinity;
  const wraps = step <= 0 || first + offset < 0 || bound < 0 || bound + step > 0x7fffffff;
  return wraps ? Infinity : Math.max(1, Math.ceil(trips));
}
