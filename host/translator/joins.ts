// Control flow under analysis: what is known where a block begins and ends, at `else`, and what a
// branch takes along.
//
// Invariants  ELIDE-3  A fact holds at a join only if every way to the join had it: it is older than
//                      the first branch there. None holds where an exception is caught.
//             ELIDE-5  A local that was assigned on one of the ways to a join has another symbol after it.

import { beginLoop, endLoop } from './carry.ts';
import { BLOCK, ELSE, type Frame, HANDLER, IF, LOOP, NEVER, TRY } from './frame.ts';
import type { State } from './state.ts';
import { noteSteps } from './heads.ts';
import { noteTrips } from './trips.ts';

/** A block, loop or if begins. */
export function enter(state: State, kind: number, params: number, results: number): void {
  const { facts, locals, operands } = state;
  const frame = state.pushFrame();
  frame.kind = kind;
  frame.height = operands.height = operands.top;
  frame.params = params;
  frame.results = results;
  frame.dead = state.dead;
  frame.branched = false;
  frame.keep = NEVER;
  frame.branchKilled = 0;
  frame.logStart = locals.logLength;
  frame.loop = undefined;
  if (kind === IF) {
    const { loop } = state;
    if (loop) loop.conditional++;
  } else if (kind === LOOP) beginLoop(state, frame);
  frame.entryClock = ++facts.clock;
  frame.entryKilled = facts.killed;
  operands.pushFresh(params);
}

/** A branch to the label, taken or not. */
export function branch(state: State, label: number): void {
  if (state.dead) return;
  const frame = state.frame(label);
  if (frame.loop) {
    noteTrips(state, frame, frame.loop);
    return noteSteps(frame.loop, state.locals);
  }
  const { clock, killed } = state.facts;
  if (!frame.branched) {
    frame.branched = true;
    frame.branchLog = state.locals.logLength;
  }
  frame.keep = Math.min(frame.keep, clock + 1);
  frame.branchKilled = Math.max(frame.branchKilled, killed);
}

export function otherwise(state: State): void {
  const frame = state.frame(0);
  const { facts, locals, operands } = state;
  if (frame.kind !== IF) return;
  branch(state, 0); // from the end of the first arm to the end of the if
  facts.keepOlder(frame.entryClock);
  state.pages?.keepOlder(frame.entryClock);
  facts.killed = frame.entryKilled;
  facts.region++;
  state.work -= locals.logLength - frame.logStart;
  locals.restore(frame.logStart);
  frame.kind = ELSE;
  state.dead = frame.dead;
  operands.top = frame.height;
  operands.pushFresh(frame.params);
}

/**
 * A handler of a try begins, with `params` values of the exception. It comes from anywhere in the try's
 * body: each local that was assigned there may hold either value, and the view may have moved.
 */
export function handler(state: State, params: number): void {
  const frame = state.frame(0);
  const { facts, locals, operands } = state;
  if (frame.kind !== TRY && frame.kind !== HANDLER) return;
  branch(state, 0); // from the end of the body, or of the handler before, to the end
  state.kill();
  facts.keepOlder(frame.entryClock);
  state.pages?.keepOlder(frame.entryClock);
  state.work -= locals.logLength - frame.logStart;
  locals.blur(frame.logStart, ++facts.clock);
  frame.kind = HANDLER;
  state.dead = frame.dead;
  operands.top = frame.height;
  operands.pushFresh(params);
}

/**
 * A clause of a try_table: a branch to the label from anywhere in the block that begins. The caller has
 * killed all facts, and locals that are assigned from here on are blurred at the label.
 */
export function clause(state: State, label: number): void {
  if (state.dead) return;
  const frame = state.frame(label);
  if (frame.loop) frame.loop.clean = false;
  else branch(state, label);
}

/** The innermost block ends. */
export function end(state: State): void {
  const frame = state.popFrame();
  const { operands } = state;
  if (frame.loop) endLoop(state, frame, frame.loop);
  else endBlock(state, frame);
  operands.top = frame.height;
  operands.height = state.depth > 0 ? state.frame(0).height : 0;
  operands.pushFresh(frame.results);
}

function endBlock(state: State, frame: Frame): void {
  const { facts, locals } = state;
  if (frame.kind === IF) {
    // Without an else, the condition itself is a branch to the end, from before the arm.
    frame.keep = Math.min(frame.keep, frame.entryClock);
    frame.branchKilled = Math.max(frame.branchKilled, frame.entryKilled);
    frame.branched = !frame.dead;
  }
  const isConditional = frame.kind !== BLOCK && frame.kind !== TRY;
  if (isConditional || frame.branched) {
    const from = isConditional ? frame.logStart : frame.branchLog;
    state.work -= locals.logLength - from;
    locals.blur(from, ++facts.clock);
    facts.region++;
  }
  if (frame.branched) {
    facts.keepOlder(frame.keep);
    state.pages?.keepOlder(frame.keep);
    facts.killed = state.dead ? frame.branchKilled : Math.max(facts.killed, frame.branchKilled);
  }
  const { loop } = state;
  if (loop && (frame.kind === IF || frame.kind === ELSE)) loop.conditional--;
  state.dead = frame.dead || (state.dead && !frame.branched);
}
