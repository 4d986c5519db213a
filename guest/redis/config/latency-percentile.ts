// The option latency-tracking-info-percentiles: numbers from 0 to 100, separated by blanks, that INFO
// latencystats shows.

import * as ascii from '../bytes/ascii.ts';
import * as failure from './option-failure.ts';
import * as optionText from './option-read.ts';
import * as text from '../bytes/text.ts';

const DIGITS: u32 = 6; // behind the point, as many as are shown

/** What the last read() found. */
let number: f64 = 0;

/** Reads digits with or without a point among them, and a sign. */
function read(at: u32, bytes: u32): bool {
  const isNegative = bytes != 0 && load<u8>(at) == ascii.MINUS;
  let value: f64 = 0;
  let unit: f64 = 0;
  let digits: u32 = 0;
  for (let i: u32 = isNegative ? 1 : 0; i < bytes; i++) {
    const c: u32 = load<u8>(at + i);
    if (c == ascii.DOT && unit == 0) {
      unit = 1;
      continue;
    }
    if (!ascii.isDigit(c)) return false;
    value = value * 10 + <f64>(c - ascii.ZERO);
    unit *= 10;
    digits++;
  }
  number = unit > 1 ? value / unit : value;
  if (isNegative) number = -number;
  return digits != 0;
}

function behindField(): u32 {
  return optionText.fieldAt + optionText.fieldBytes;
}

/** failure.NONE, or why a text is not such a list. */
export function check(at: u32, bytes: u32): u32 {
  const end = at + bytes;
  for (let from = at; optionText.nextField(from, end); from = behindField()) {
    if (!read(optionText.fieldAt, optionText.fieldBytes)) return failure.PERCENTILE;
    if (number < 0 || number > 100) return failure.PERCENTILE_RANGE;
  }
  return failure.NONE;
}

/** Calls `visit` for each number of a checked list. It must not read fields. */
export function each(at: u32, bytes: u32, visit: (percentile: f64) => void): void {
  const end = at + bytes;
  for (let from = at; optionText.nextField(from, end); from = behindField()) {
    read(optionText.fieldAt, optionText.fieldBytes);
    visit(number);
  }
}

/** Appends a number without zeros at its end. */
export function putNumber(value: f64): void {
  let digits = DIGITS;
  let scaled = <u64>nearest(value * 1000000);
  for (; digits > 0 && scaled % 10 == 0; digits--) scaled /= 10;
  text.decimal(value, digits);
}

let first: bool = true;

/** Appends a checked list as it is shown. */
export function putList(at: u32, bytes: u32): void {
  first = true;
  each(at, bytes, putItem);
}

function putItem(value: f64): void {
  if (!first) text.byte(ascii.SPACE);
  first = false;
  putNumber(value);
}
