// The arguments of the command that runs. Argument 0 is its name.
//
// Interface   set() by the parser; push() and pop() around a command that runs inside another, whose
//             arguments are restored by pop(). Arguments point into the receive window, into the client's
//             input block, or into a queued transaction: valid while the command runs, read-only.

import * as ascii from '../bytes/ascii.ts';
import * as number from '../bytes/number.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

/** Pairs of u32: address, bytes. */
let vector: u32 = 0;
let total: u32 = 0;

export function set(at: u32, count: u32): void {
  vector = at;
  total = count;
}

/** Commands inside commands: EXEC is one level; a script in it would be two, and its calls three. */
const DEPTH_MAX: u32 = 4;
const FRAMES: usize = memory.data(32, 8); // DEPTH_MAX * [vector u32 | count u32]

/** Frames that are open. Set by push() and pop(); 0 between the commands of a client. */
export let depth: u32 = 0;

/** Begins a frame: the arguments of an inner command. */
export function push(at: u32, count: u32): void {
  if (depth == DEPTH_MAX) unreachable();
  store<u32>(FRAMES + (depth << 3), vector);
  store<u32>(FRAMES + (depth << 3), total, 4);
  depth++;
  set(at, count);
}

/** Ends it: the arguments are those of the outer command again. */
export function pop(): void {
  if (CHECKED && depth == 0) broken('ARGS: a frame is popped that was not pushed');
  depth--;
  set(load<u32>(FRAMES + (depth << 3)), load<u32>(FRAMES + (depth << 3), 4));
}


@inline
export function count(): u32 {
  return total;
}


@inline
export function ptr(index: u32): u32 {
  return load<u32>(vector + (index << 3));
}


@inline
export function len(index: u32): u32 {
  return load<u32>(vector + (index << 3), 4);
}

/** Replaces an argument. */
export function put(index: u32, at: u32, bytes: u32): void {
  store<u32>(vector + (index << 3), at);
  store<u32>(vector + (index << 3), bytes, 4);
}

/** True when an argument is this ASCII word, in any case. */
export function is(index: u32, word: string): bool {
  return ascii.isWord(ptr(index), len(index), word);
}

/** Reads an argument as an integer of 64 bits; its value is number.parsed. */
@inline
export function isInteger(index: u32): bool {
  return number.parse(ptr(index), len(index));
}
