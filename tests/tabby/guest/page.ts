// What the test guest keeps in a page: one number, in every word of it. A torn read shows as two numbers.

import { storage } from '../../../assembly/linked';

const END: u32 = 4096;

/** readWords() of a page with two numbers in it. */
export const TORN: i32 = -1000;

export function fill(frame: u32, value: u32): void {
  for (let at = storage.CONTENT; at < END; at += 4) store<u32>(frame + at, value);
}

/** The number in all words, or TORN. Pauses for `turns` in the middle. */
export function readWords(frame: u32, turns: u32): i32 {
  const value = load<i32>(frame, storage.CONTENT);
  let differs = 0;
  for (let at = storage.CONTENT; at < END / 2; at += 4) differs |= load<i32>(frame + at) ^ value;
  for (let i: u32 = 0; i < turns; i++) differs |= atomic.load<i32>(0) & 0; // time passes
  for (let at: u32 = END / 2; at < END; at += 4) differs |= load<i32>(frame + at) ^ value;
  return differs == 0 ? value : TORN;
}
