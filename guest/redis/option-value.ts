// The text of option values: what each kind accepts, what it means, and how it is shown again.
//
// Interface   check() says whether a text is a value of an option, else failure() and putFailure() say why not; valueOf()
//             gives the number of an accepted text; put() appends the value in force as CONFIG GET shows it.
// Format      Save points: pairs of u32, seconds and changes, savePointCount of them at SAVE. Output limits: by class
//             (normal, replica, pubsub) three i64: hard bytes, soft bytes, soft seconds.

import * as config from './config.ts';
import * as number from './number.ts';
import * as option from './option.ts';
import * as text from './text.ts';

const SAVE_MAX: u32 = 32;
const SAVE: usize = memory.data(256, 8); // SAVE_MAX * 8
const LIMIT: usize = memory.data(72, 8);

const FAIL_BOOL: u32 = 1;
const FAIL_INT: u32 = 2;
const FAIL_BYTES: u32 = 3;
const FAIL_RANGE: u32 = 4;
const FAIL_ENUM: u32 = 5;
const FAIL_LONG: u32 = 6;
const FAIL_EMPTY: u32 = 7;
const FAIL_SAVE: u32 = 8;
const FAIL_LIMIT_COUNT: u32 = 9;
const FAIL_LIMIT_CLASS: u32 = 10;
const FAIL_LIMIT_VALUE: u32 = 11;
const FAIL_OCTAL: u32 = 12;
const FAIL_PATH: u32 = 13;
const FAIL_SIGNAL: u32 = 15;
const FAIL_CLIENTS: u32 = 14;
const FAIL_TITLE: u32 = 16;

let failed: u32 = 0;
let parsed: i64 = 0;
let savePointCount: u32 = 0;
let clientsMost: i64 = i64.MAX_VALUE;

/** The machine can serve this many clients at a time: maxclients cannot be higher. */
export function setClientsMost(most: i64): void {
  clientsMost = most;
}

// @ts-ignore: decorator
@inline
export function savePoints(): u32 {
  return savePointCount;
}

// @ts-ignore: decorator
@inline
export function saveSeconds(point: u32): u32 {
  return load<u32>(SAVE + (point << 3));
}

// @ts-ignore: decorator
@inline
export function saveChanges(point: u32): u32 {
  return load<u32>(SAVE + (point << 3) + 4);
}

// @ts-ignore: decorator
@inline
export function lower(c: u32): u32 {
  return c - 65 < 26 ? c + 32 : c;
}

function fail(reason: u32): bool {
  failed = reason;
  return false;
}

function isDigits(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) if (<u32>load<u8>(at + i) - 48 > 9) return false;
  return bytes != 0;
}

/** Reads digits into `parsed`; false where they are none or leave 64 bits. */
function readUnsigned(at: u32, bytes: u32): bool {
  if (!isDigits(at, bytes)) return false;
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const digit = <u64>(load<u8>(at + i) - 48);
    if (value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  parsed = <i64>value;
  return true;
}

function readInteger(at: u32, bytes: u32): bool {
  if (!number.parse(at, bytes)) return false;
  parsed = number.parsed();
  return true;
}

/** The number that a text of the option table spells. */
export function integerOf(at: u32, bytes: u32): i64 {
  return readInteger(at, bytes) ? parsed : 0;
}

/** Reads a count of bytes with an optional unit, b k kb m mb g gb; nothing at all is 0. */
function readBytes(at: u32, bytes: u32): bool {
  if (bytes == 0) {
    parsed = 0;
    return true;
  }
  let digits: u32 = 0;
  while (digits < bytes && <u32>load<u8>(at + digits) - 48 < 10) digits++;
  if (!readUnsigned(at, digits)) return false;
  const unitBytes = bytes - digits;
  if (unitBytes == 0) return true;
  const first = lower(load<u8>(at + digits));
  const isPair = unitBytes == 2 && lower(load<u8>(at + digits + 1)) == 98;
  if (unitBytes > 2 || (unitBytes == 2 && !isPair)) return false;
  let unit: u64 = 0;
  if (first == 98) unit = isPair ? 0 : 1;
  else if (first == 107) unit = isPair ? 1024 : 1000;
  else if (first == 109) unit = isPair ? 1048576 : 1000000;
  else if (first == 103) unit = isPair ? 1073741824 : 1000000000;
  if (unit == 0 || <u64>parsed > u64.MAX_VALUE / unit) return false;
  parsed = <i64>(<u64>parsed * unit);
  return true;
}

function readPercent(at: u32, bytes: u32): bool {
  if (bytes < 2 || load<u8>(at + bytes - 1) != 37 || !readUnsigned(at, bytes - 1)) return false;
  if (parsed < 0 || parsed > 100) return false;
  parsed = -parsed;
  return true;
}

function readOctal(at: u32, bytes: u32): bool {
  let value: i64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const digit = <u32>load<u8>(at + i) - 48;
    if (digit > 7 || i > 6) return false;
    value = (value << 3) | (<i64>digit);
  }
  parsed = value;
  return bytes != 0;
}

/** Finds which of the option's words the text is; `parsed` is its position. */
function readWord(index: u32, at: u32, bytes: u32): bool {
  const words = config.wordsAddress(index);
  const units = config.wordsUnits(index);
  parsed = 0;
  let start: u32 = 0;
  for (let i: u32 = 0; i <= units; i++) {
    const c: u32 = i == units ? 32 : load<u16>(words + (i << 1));
    if (c != 32 && c != 44) continue;
    if (i - start == bytes) {
      let same: u32 = 0;
      while (same < bytes && lower(load<u8>(at + same)) == load<u16>(words + ((start + same) << 1)))
        same++;
      if (same == bytes) return true;
    }
    parsed++;
    start = i + 1;
  }
  return false;
}

/** Whether a text is a word, whatever the case of both. */
export function isWord(at: u32, bytes: u32, literal: string): bool {
  if (bytes != <u32>literal.length) return false;
  const words = changetype<u32>(literal);
  for (let i: u32 = 0; i < bytes; i++) {
    if (lower(load<u8>(at + i)) != lower(load<u16>(words + (i << 1)))) return false;
  }
  return true;
}

// --- Fields of a text, separated by blanks. ---

let fieldAt: u32 = 0;
let fieldBytes: u32 = 0;

/** Finds the field at or behind `from`; false when there is none before `end`. */
function nextField(from: u32, end: u32): bool {
  while (from < end && load<u8>(from) == 32) from++;
  fieldAt = from;
  while (from < end && load<u8>(from) != 32) from++;
  fieldBytes = from - fieldAt;
  return fieldBytes != 0;
}

/** Redis splits at each blank, so that one too many is an empty field. */
function hasEmptyField(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const isEdge = i == 0 || i == bytes - 1 || load<u8>(at + i - 1) == 32;
    if (isEdge && load<u8>(at + i) == 32) return true;
  }
  return false;
}

/** Reads words of the option's list into `parsed`, a bit each. */
function checkWords(index: u32, at: u32, bytes: u32): bool {
  let bits: i64 = 0;
  const end = at + bytes;
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) {
    if (!readWord(index, fieldAt, fieldBytes)) return fail(FAIL_ENUM);
    if (parsed != 0) bits |= (<i64>1) << parsed;
  }
  if (bytes == 0) return fail(FAIL_ENUM);
  const both = option.ON_SIGNAL_SAVE | option.ON_SIGNAL_NOSAVE;
  if (((<u32>bits) & both) == both) return fail(FAIL_SIGNAL);
  parsed = bits;
  return true;
}

function checkSave(at: u32, bytes: u32): bool {
  let fields: u32 = 0;
  const end = at + bytes;
  if (hasEmptyField(at, bytes)) return fail(FAIL_SAVE);
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) {
    const least: i64 = fields & 1 ? 0 : 1;
    if (!readInteger(fieldAt, fieldBytes) || parsed < least || parsed > 0x7fffffff)
      return fail(FAIL_SAVE);
    if (++fields > SAVE_MAX * 2) return fail(FAIL_SAVE);
  }
  return fields & 1 ? fail(FAIL_SAVE) : true;
}

/** Puts checked save points where the timer finds them. */
export function assignSavePoints(at: u32, bytes: u32): void {
  let fields: u32 = 0;
  const end = at + bytes;
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) {
    readInteger(fieldAt, fieldBytes);
    store<u32>(SAVE + (fields << 2), <u32>parsed);
    fields++;
  }
  savePointCount = fields >> 1;
}

function classOf(at: u32, bytes: u32): u32 {
  if (isWord(at, bytes, 'normal')) return 0;
  if (isWord(at, bytes, 'slave') || isWord(at, bytes, 'replica')) return 1;
  if (isWord(at, bytes, 'pubsub')) return 2;
  return 3;
}

function checkLimits(at: u32, bytes: u32): bool {
  const end = at + bytes;
  let fields: u32 = 0;
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) fields++;
  if (fields % 4 != 0) return fail(FAIL_LIMIT_COUNT);
  fields = 0;
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) {
    const place = fields++ & 3;
    if (place == 0 && classOf(fieldAt, fieldBytes) == 3) return fail(FAIL_LIMIT_CLASS);
    if (place == 3 && !readInteger(fieldAt, fieldBytes)) return fail(FAIL_LIMIT_VALUE);
    if ((place == 1 || place == 2) && !readBytes(fieldAt, fieldBytes))
      return fail(FAIL_LIMIT_VALUE);
    if (place != 0 && parsed < 0) return fail(FAIL_LIMIT_VALUE);
  }
  return true;
}

/** Puts checked output limits in force; classes that are not named keep theirs. */
export function assignLimits(at: u32, bytes: u32): void {
  const end = at + bytes;
  let fields: u32 = 0;
  let limits: usize = LIMIT;
  for (let from = at; nextField(from, end); from = fieldAt + fieldBytes) {
    const place = fields++ & 3;
    if (place == 0) {
      limits = LIMIT + <usize>classOf(fieldAt, fieldBytes) * 24;
      continue;
    }
    if (place == 3) readInteger(fieldAt, fieldBytes);
    else readBytes(fieldAt, fieldBytes);
    store<i64>(limits + ((place - 1) << 3), parsed);
  }
}

/** Limits of a class of clients: bytes that close one at once; bytes that close one after softSeconds(). 0 = none. */
export function hardLimit(clients: u32): u64 {
  return load<u64>(LIMIT + clients * 24);
}

export function softLimit(clients: u32): u64 {
  return load<u64>(LIMIT + clients * 24, 8);
}

export function softSeconds(clients: u32): i64 {
  return load<i64>(LIMIT + clients * 24, 16);
}

/** Sets the limits that Redis starts with. */
export function bootLimits(): void {
  memory.fill(LIMIT, 0, 24);
  store<i64>(LIMIT, 268435456, 24);
  store<i64>(LIMIT, 67108864, 32);
  store<i64>(LIMIT, 60, 40);
  store<i64>(LIMIT, 33554432, 48);
  store<i64>(LIMIT, 8388608, 56);
  store<i64>(LIMIT, 60, 64);
}

function checkRange(index: u32): bool {
  const min = config.flagsOf(index) & option.RAISED ? 1 : config.minOf(index);
  if (min >= 0 ? <u64>parsed > <u64>config.maxOf(index) : parsed > config.maxOf(index))
    return fail(FAIL_RANGE);
  return min >= 0
    ? <u64>parsed >= <u64>min
      ? true
      : fail(FAIL_RANGE)
    : parsed >= min
      ? true
      : fail(FAIL_RANGE);
}

/** Whether a text is a template with known variables in braces that leaves something when they are filled in. */
function isTemplate(at: u32, bytes: u32): bool {
  let hasText = false;
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(at + i);
    if (c != 123 || (i + 1 < bytes && load<u8>(at + i + 1) == 123)) {
      if (c == 123) i++;
      if (c != 32) hasText = true;
      continue;
    }
    const name = at + ++i;
    while (i < bytes && load<u8>(at + i) != 125) i++;
    const nameBytes = at + i - name;
    if (i == bytes || !isTitleWord(name, nameBytes)) return false;
    // The title and the mode are empty when a template is checked.
    if (isWord(name, nameBytes, 'unixsocket')) {
      if (config.textBytes(option.UNIXSOCKET) != 0) hasText = true;
    } else if (!isWord(name, nameBytes, 'title') && !isWord(name, nameBytes, 'server-mode')) {
      hasText = true;
    }
  }
  return hasText;
}

function isTitleWord(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) if (<u32>load<u8>(at + i) - 65 < 26) return false; // as they are spelt
  return (
    isWord(at, bytes, 'title') ||
    isWord(at, bytes, 'listen-addr') ||
    isWord(at, bytes, 'server-mode') ||
    isWord(at, bytes, 'port') ||
    isWord(at, bytes, 'tls-port') ||
    isWord(at, bytes, 'config-file') ||
    isWord(at, bytes, 'unixsocket')
  );
}

function checkString(index: u32, at: u32, bytes: u32): bool {
  const longest = <u32>config.maxOf(index);
  if (bytes > longest) return fail(longest == 0 ? FAIL_EMPTY : FAIL_LONG);
  if (index == option.PROC_TITLE_TEMPLATE) return isTemplate(at, bytes) ? true : fail(FAIL_TITLE);
  if (index != option.DBFILENAME) return true;
  for (let i: u32 = 0; i < bytes; i++) if (load<u8>(at + i) == 47) return fail(FAIL_PATH);
  return true;
}

/** Says whether the text is a value of the option; if so, valueOf() may be asked. */
export function check(index: u32, at: u32, bytes: u32): bool {
  switch (config.kindOf(index)) {
    case option.BOOL:
      if (isWord(at, bytes, 'no')) parsed = 0;
      else if (isWord(at, bytes, 'yes')) parsed = 1;
      else return fail(FAIL_BOOL);
      return true;
    case option.INT:
      if (!readInteger(at, bytes)) return fail(FAIL_INT);
      if (index == option.MAXCLIENTS && parsed > clientsMost) return fail(FAIL_CLIENTS);
      return checkRange(index);
    case option.BYTES:
      if (config.flagsOf(index) & option.PERCENT && readPercent(at, bytes)) return true;
      return readBytes(at, bytes) ? checkRange(index) : fail(FAIL_BYTES);
    case option.ENUM:
      return readWord(index, at, bytes) ? true : fail(FAIL_ENUM);
    case option.WORDS:
      return checkWords(index, at, bytes);
    case option.OCTAL:
      return readOctal(at, bytes) ? checkRange(index) : fail(FAIL_OCTAL);
    case option.SAVE:
      return checkSave(at, bytes);
    case option.LIMITS:
      return checkLimits(at, bytes);
    default:
      return checkString(index, at, bytes);
  }
}

/** The number of a text that check() accepted. */
export function valueOf(index: u32, at: u32, bytes: u32): i64 {
  return check(index, at, bytes) ? parsed : 0;
}

function putWords(index: u32): void {
  const words = config.wordsAddress(index);
  const units = config.wordsUnits(index);
  for (let i: u32 = 0; i < units; i++) {
    const c: u32 = load<u16>(words + (i << 1));
    if (c == 32 || c == 44) text.ascii(', ');
    else text.byte(c);
  }
}

/** Appends why the last check() refused, in Redis's words. */
export function putFailure(index: u32): void {
  switch (failed) {
    case FAIL_BOOL:
      return text.ascii("argument must be 'yes' or 'no'");
    case FAIL_INT:
      return text.ascii("argument couldn't be parsed into an integer");
    case FAIL_BYTES:
      text.ascii(
        config.flagsOf(index) & option.PERCENT
          ? 'argument must be a memory or percent value'
          : 'argument must be a memory value',
      );
      return;
    case FAIL_OCTAL:
      return text.ascii("argument couldn't be parsed as an octal number");
    case FAIL_RANGE:
      text.ascii('argument must be between ');
      text.integer(config.minOf(index));
      text.ascii(' and ');
      text.integer(config.maxOf(index));
      return text.ascii(' inclusive');
    case FAIL_ENUM:
      text.ascii('argument(s) must be one of the following: ');
      return putWords(index);
    case FAIL_SAVE:
      return text.ascii('Invalid save parameters');
    case FAIL_LIMIT_COUNT:
      return text.ascii('Wrong number of arguments in buffer limit configuration.');
    case FAIL_LIMIT_CLASS:
      return text.ascii('Invalid client class specified in buffer limit configuration.');
    case FAIL_LIMIT_VALUE:
      return text.ascii(
        'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
      );
    case FAIL_CLIENTS:
      text.ascii(
        'The operating system is not able to handle the specified number of clients, try with ',
      );
      return text.integer(clientsMost);
    case FAIL_SIGNAL:
      return text.ascii("shutdown options SAVE and NOSAVE can't be used simultaneously");
    case FAIL_TITLE:
      return text.ascii('template format is invalid or contains unknown variables');
    case FAIL_PATH:
      return text.ascii("dbfilename can't be a path, just a filename");
    case FAIL_EMPTY:
      return text.ascii('this server accepts only an empty value');
    default:
      return text.ascii('argument is too long');
  }
}

function putLimits(): void {
  for (let i: u32 = 0; i < 3; i++) {
    text.ascii(i == 0 ? 'normal' : i == 1 ? ' slave' : ' pubsub');
    for (let place: u32 = 0; place < 3; place++) {
      text.byte(32);
      text.integer(load<i64>(LIMIT + i * 24 + (place << 3)));
    }
  }
}

function putWord(index: u32, position: i64): void {
  const words = config.wordsAddress(index);
  const units = config.wordsUnits(index);
  for (let i: u32 = 0; i < units; i++) {
    const c: u32 = load<u16>(words + (i << 1));
    if (c == 32 || c == 44) position--;
    else if (position == 0) text.byte(c);
  }
}

function putSelected(index: u32, bits: i64): void {
  if (bits == 0) return putWord(index, 0);
  const start = text.length();
  for (let word: i64 = 1; bits >> word != 0; word++) {
    if (!((bits >> word) & 1)) continue;
    if (text.length() != start) text.byte(32);
    putWord(index, word);
  }
}

function putOctal(value: i64): void {
  let shift: i64 = 18;
  while (shift > 0 && value >> shift == 0) shift -= 3;
  for (; shift >= 0; shift -= 3) text.byte(48 + ((<u32>(value >> shift)) & 7));
}

/** Appends the value in force. */
export function put(index: u32): void {
  const value = config.number(index);
  switch (config.kindOf(index)) {
    case option.BOOL:
      return text.ascii(value ? 'yes' : 'no');
    case option.INT:
      return text.integer(value);
    case option.BYTES:
      if (value >= 0 || !(config.flagsOf(index) & option.PERCENT)) return text.unsigned(<u64>value);
      text.integer(-value);
      return text.byte(37);
    case option.ENUM:
      return putWord(index, value);
    case option.WORDS:
      return putSelected(index, value);
    case option.OCTAL:
      return putOctal(value);
    case option.LIMITS:
      return putLimits();
    default:
      text.bytes(config.textAddress(index), config.textBytes(index));
  }
}
