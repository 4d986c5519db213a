// Save points, the option save: after how many seconds and changes a save begins.

import * as text from './option-read.ts';

const POINTS_MAX: u32 = 32;
const SECONDS_MAX: i64 = 0x7fffffff;
const POINTS: usize = memory.data(256, 8); // POINTS_MAX * [seconds u32 | changes u32]

let points: u32 = 0;


@inline
export function count(): u32 {
  return points;
}

export function seconds(point: u32): u32 {
  return load<u32>(POINTS + (point << 3));
}

export function changes(point: u32): u32 {
  return load<u32>(POINTS + (point << 3) + 4);
}

/** Whether a text is pairs of seconds and changes, or empty. */
export function isValid(at: u32, bytes: u32): bool {
  let fields: u32 = 0;
  const end = at + bytes;
  if (text.hasEmptyField(at, bytes)) return false;
  for (let from = at; text.nextField(from, end); from = text.fieldAt + text.fieldBytes) {
    const least: i64 = fields & 1 ? 0 : 1;
    if (!text.readInteger(text.fieldAt, text.fieldBytes)) return false;
    if (text.parsed < least || text.parsed > SECONDS_MAX) return false;
    if (++fields > POINTS_MAX * 2) return false;
  }
  return (fields & 1) == 0;
}

/** Puts the points of a valid text in force. */
export function assign(at: u32, bytes: u32): void {
  let fields: u32 = 0;
  const end = at + bytes;
  for (let from = at; text.nextField(from, end); from = text.fieldAt + text.fieldBytes) {
    text.readInteger(text.fieldAt, text.fieldBytes);
    store<u32>(POINTS + (fields << 2), <u32>text.parsed);
    fields++;
  }
  points = fields >> 1;
}
