// The text of option values: what each kind accepts, what it means, and how it is shown again.
//
// Interface   check() says whether a text is a value of an option, else putFailure() says why not; valueOf()
//             is the number of an accepted text; put() appends the value in force as CONFIG GET shows it.

import * as ascii from '../bytes/ascii.ts';
import * as config from './config.ts';
import * as failure from './option-failure.ts';
import * as limit from './output-limit.ts';
import * as option from './option.ts';
import * as optionText from './option-read.ts';
import * as percentile from './latency-percentile.ts';
import * as savePoint from './save-point.ts';
import * as text from '../bytes/text.ts';
import * as title from './title.ts';

let number: i64 = 0; // of the text that check() accepted last
let failed: u32 = failure.NONE;
let clientsMost: i64 = i64.MAX_VALUE;

/** The machine can serve this many clients at a time: maxclients cannot be higher. */
export function setClientsMost(most: i64): void {
  clientsMost = most;
}

function fail(reason: u32): bool {
  failed = reason;
  return false;
}

/** Accepts what was read last, or says why not. */
function accept(isRead: bool, otherwise: u32): bool {
  number = optionText.parsed;
  return isRead || fail(otherwise);
}

/** Bytes of a value that count: redis-server reads words and sizes as C strings, which end at a zero byte. */
export function lengthOf(index: u32, at: u32, bytes: u32): u32 {
  const kind: u32 = config.at(index).kind;
  const isText = kind == option.BOOL || kind == option.ENUM || kind == option.BYTES;
  if (!isText && kind != option.OCTAL) return bytes;
  let length: u32 = 0;
  while (length < bytes && load<u8>(at + length) != 0) length++;
  return length;
}

/** Whether the text is a value of the option. */
export function check(index: u32, at: u32, given: u32): bool {
  const bytes = lengthOf(index, at, given);
  const row = config.at(index);
  const kind: u32 = row.kind;
  switch (kind) {
    case option.BOOL:
      return checkBool(at, bytes) && checkFixed(row);
    case option.INT:
      if (!accept(optionText.readInteger(at, bytes), failure.INT)) return false;
      if (index == option.MAXCLIENTS && number > clientsMost) return fail(failure.CLIENTS);
      return checkRange(row);
    case option.BYTES:
      if (row.flags & option.PERCENT && optionText.readPercent(at, given))
        return accept(true, failure.NONE);
      return accept(optionText.readBytes(at, bytes), failure.BYTES) && checkRange(row);
    case option.ENUM:
      return accept(optionText.readWord(index, at, bytes), failure.ENUM) && checkFixed(row);
    case option.WORDS:
      return checkWords(index, at, bytes);
    case option.OCTAL:
      return accept(optionText.readOctal(at, bytes), failure.OCTAL) && checkRange(row);
    case option.SAVE:
      return savePoint.isValid(at, bytes) || fail(failure.SAVE);
    case option.LIMITS:
      failed = limit.check(at, bytes);
      return failed == failure.NONE;
    default:
      return checkString(index, at, bytes);
  }
}

/** The number of a text that check() accepts. */
export function valueOf(index: u32, at: u32, bytes: u32): i64 {
  return check(index, at, bytes) ? number : 0;
}

/** Appends why the last check() refused. */
export function putFailure(index: u32): void {
  failure.put(failed, index, clientsMost);
}

function checkBool(at: u32, bytes: u32): bool {
  number = ascii.isWord(at, bytes, 'yes') ? 1 : 0;
  return number != 0 || ascii.isWord(at, bytes, 'no') || fail(failure.BOOL);
}

function checkFixed(row: config.Row): bool {
  return number == 0 || !(row.flags & option.FIXED) || fail(failure.FIXED);
}

/** Options without negative values are unsigned: they reach above the largest i64. */
function checkRange(row: config.Row): bool {
  const least = row.flags & option.RAISED ? 1 : row.min;
  const isInside =
    least >= 0
      ? <u64>number >= <u64>least && <u64>number <= <u64>row.max
      : number >= least && number <= row.max;
  return isInside || fail(failure.RANGE);
}

/** Reads words of the option's list, a bit each. */
function checkWords(index: u32, at: u32, bytes: u32): bool {
  let bits: i64 = 0;
  const end = at + bytes;
  if (bytes == 0) return fail(failure.ENUM);
  for (
    let from = at;
    optionText.nextField(from, end);
    from = optionText.fieldAt + optionText.fieldBytes
  ) {
    if (!optionText.readWord(index, optionText.fieldAt, optionText.fieldBytes))
      return fail(failure.ENUM);
    if (optionText.parsed != 0) bits |= (<i64>1) << optionText.parsed;
  }
  const both = option.ON_SIGNAL_SAVE | option.ON_SIGNAL_NOSAVE;
  if (((<u32>bits) & both) == both) return fail(failure.SIGNAL);
  number = bits;
  return true;
}

function checkString(index: u32, at: u32, bytes: u32): bool {
  const longest = <u32>config.at(index).max;
  if (bytes > longest) return fail(longest == 0 ? failure.EMPTY : failure.LONG);
  if (index == option.PROC_TITLE_TEMPLATE)
    return title.isTemplate(at, bytes) || fail(failure.TITLE);
  if (index == option.LATENCY_TRACKING_INFO_PERCENTILES) {
    failed = percentile.check(at, bytes);
    return failed == failure.NONE;
  }
  if (index != option.DBFILENAME) return true;
  for (let i: u32 = 0; i < bytes; i++)
    if (load<u8>(at + i) == ascii.SLASH) return fail(failure.PATH);
  return true;
}

// --- Showing -----------------------------------------------------------------------------------------------

/** Appends the value in force. */
export function put(index: u32): void {
  const value = config.number(index);
  const row = config.at(index);
  const kind: u32 = row.kind;
  switch (kind) {
    case option.BOOL:
      return text.ascii(value ? 'yes' : 'no');
    case option.INT:
      return text.integer(value);
    case option.BYTES:
      if (value >= 0 || !(row.flags & option.PERCENT)) return text.unsigned(<u64>value);
      text.integer(-value);
      return text.byte(ascii.PERCENT);
    case option.ENUM:
      return putWord(row, value);
    case option.WORDS:
      return putSelected(row, value);
    case option.OCTAL:
      return putOctal(value);
    case option.LIMITS:
      return limit.put();
    default:
      if (index == option.LATENCY_TRACKING_INFO_PERCENTILES)
        return percentile.putList(config.textAddress(index), config.textBytes(index));
      text.bytes(config.textAddress(index), config.textBytes(index));
  }
}

function putWord(row: config.Row, position: i64): void {
  const units: u32 = row.wordsUnits;
  for (let i: u32 = 0; i < units; i++) {
    const c: u32 = load<u16>(row.words + (i << 1));
    if (optionText.isSeparator(c)) position--;
    else if (position == 0) text.byte(c);
  }
}

function putSelected(row: config.Row, bits: i64): void {
  if (bits == 0) return putWord(row, 0);
  const start = text.length();
  for (let word: i64 = 1; bits >> word != 0; word++) {
    if (!((bits >> word) & 1)) continue;
    if (text.length() != start) text.byte(ascii.SPACE);
    putWord(row, word);
  }
}

function putOctal(value: i64): void {
  let shift: i64 = 18;
  while (shift > 0 && value >> shift == 0) shift -= 3;
  for (; shift >= 0; shift -= 3) text.byte(ascii.ZERO + ((<u32>(value >> shift)) & 7));
}
