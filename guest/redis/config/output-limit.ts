// client-output-buffer-limit: how much may wait for a client of each class.
//
// Format      By class (normal, replica, pubsub) three i64: hard bytes, soft bytes, soft seconds. 0 = no
//             limit.

import * as ascii from '../bytes/ascii.ts';
import * as failure from './option-failure.ts';
import * as field from './option-read.ts';
import * as text from '../bytes/text.ts';

export const CLASS_NORMAL: u32 = 0;
const CLASS_REPLICA: u32 = 1;
const CLASS_PUBSUB: u32 = 2;
const CLASSES: u32 = 3;
const CLASS_BYTES: u32 = 24;
const LIMITS: usize = memory.data(72, 8); // CLASSES * CLASS_BYTES

/** What Redis starts with. */
export const DEFAULT: string =
  'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60';

/** Puts them in force; classes that a text does not name need a value before. */
export function assignDefault(): void {
  memory.fill(LIMITS, 0, CLASSES * CLASS_BYTES);
  store<i64>(LIMITS, 268435456, 24);
  store<i64>(LIMITS, 67108864, 32);
  store<i64>(LIMITS, 60, 40);
  store<i64>(LIMITS, 33554432, 48);
  store<i64>(LIMITS, 8388608, 56);
  store<i64>(LIMITS, 60, 64);
}

/** Bytes that close a client of a class at once. */
export function hard(clients: u32): u64 {
  return load<u64>(LIMITS + clients * CLASS_BYTES);
}

/** Bytes that close a client of a class after softSeconds(). */
export function soft(clients: u32): u64 {
  return load<u64>(LIMITS + clients * CLASS_BYTES, 8);
}

export function softSeconds(clients: u32): i64 {
  return load<i64>(LIMITS + clients * CLASS_BYTES, 16);
}

/** The class that a name stands for, CLASSES for an unknown name. */
function classOf(at: u32, bytes: u32): u32 {
  if (ascii.isWord(at, bytes, 'normal')) return CLASS_NORMAL;
  if (ascii.isWord(at, bytes, 'slave') || ascii.isWord(at, bytes, 'replica')) return CLASS_REPLICA;
  return ascii.isWord(at, bytes, 'pubsub') ? CLASS_PUBSUB : CLASSES;
}

/** What is wrong with a text: failure.NONE, or one of its reasons. */
export function check(at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let fields: u32 = 0;
  for (let from = at; field.nextField(from, end); from = field.fieldAt + field.fieldBytes) fields++;
  if (fields % 4 != 0) return failure.LIMIT_COUNT;
  fields = 0;
  for (let from = at; field.nextField(from, end); from = field.fieldAt + field.fieldBytes) {
    const place = fields++ & 3;
    if (place == 0 && classOf(field.fieldAt, field.fieldBytes) == CLASSES)
      return failure.LIMIT_CLASS;
    if (place != 0 && (!read(place) || field.parsed < 0)) return failure.LIMIT_VALUE;
  }
  return failure.NONE;
}

/** Reads the field found last: two sizes, then seconds. */
function read(place: u32): bool {
  return place == 3
    ? field.readInteger(field.fieldAt, field.fieldBytes)
    : field.readBytes(field.fieldAt, field.fieldBytes);
}

/** Puts the limits of a valid text in force; classes that it does not name keep theirs. */
export function assign(at: u32, bytes: u32): void {
  const end = at + bytes;
  let fields: u32 = 0;
  let limits: usize = LIMITS;
  for (let from = at; field.nextField(from, end); from = field.fieldAt + field.fieldBytes) {
    const place = fields++ & 3;
    if (place == 0) limits = LIMITS + <usize>classOf(field.fieldAt, field.fieldBytes) * CLASS_BYTES;
    else {
      read(place);
      store<i64>(limits + ((place - 1) << 3), field.parsed);
    }
  }
}

/** Appends the limits in force. */
export function put(): void {
  for (let i: u32 = 0; i < CLASSES; i++) {
    text.ascii(i == 0 ? 'normal' : i == 1 ? ' slave' : ' pubsub');
    for (let place: u32 = 0; place < 3; place++) {
      text.byte(ascii.SPACE);
      text.integer(load<i64>(LIMITS + i * CLASS_BYTES + (place << 3)));
    }
  }
}
