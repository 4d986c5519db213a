// Listpacks: a sequence of strings in one block, the form that small hashes have in memory and in RDB files.
//
// Format      [bytes u32 | elements u16] element... 0xff
//             element: header, data, and at its end the bytes of both, so that it can be read backwards:
//               0vvvvvvv the number v     10LLLLLL L bytes     110vvvvv v 13 bits     1110LLLL L 12 bits
//               f0 u32 and that many bytes     f1 i16   f2 i24   f3 i32   f4 i64
//             The length at the end is 1 to 5 groups of 7 bits, the lowest last, the top bit set in all but
//             the first.
// Interface   plan() an element, then planned bytes are known and write() puts it somewhere. read() reads
//             one; skip() steps over one; find() looks for the planned one. check() tells whether a foreign
//             block is one. The digits of an integer go where the caller of read() says: two texts can be in
//             use at the same time.
// Invariants  LP-1  An element is stored in its shortest form, and what looks like an integer is stored as
//                   one, so that equal strings are equal elements. check() refuses no other forms, so a
//                   loader copies element by element.

import * as number from '../bytes/number.ts';
import { copy, equal } from '../bytes/copy.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

export const HEADER_BYTES: u32 = 6;
/** Bytes of a listpack without elements. */
export const EMPTY_BYTES: u32 = 7;
/** More elements than fit in the header's count: not known. */
const COUNT_UNKNOWN: u32 = 65535;
/** Bytes that an integer takes as text, at most. */
export const DIGITS_MAX: u32 = 24;

const PLAN: usize = memory.data(16, 8); // header bytes of the planned element

let planHead: u32 = 0; // bytes of the header; of an integer, of all of it
let planData: u32 = 0;
let planDataBytes: u32 = 0;
let planBytes: u32 = 0; // with the length at the end


@inline
export function bytes(list: u32): u32 {
  return load<u32>(list);
}


@inline
export function count(list: u32): u32 {
  return load<u16>(list, 4);
}


@inline
export function setFrame(list: u32, bytes: u32, count: u32): void {
  store<u32>(list, bytes);
  store<u16>(list, <u16>count, 4);
}

/** Writes a listpack without elements. */
export function clear(list: u32): void {
  setFrame(list, EMPTY_BYTES, 0);
  store<u8>(list, 0xff, HEADER_BYTES);
}

/** The first element's address; it is that of the closing byte when there is none. */
@inline
export function first(list: u32): u32 {
  return list + HEADER_BYTES;
}

/** Address of the closing byte. */
@inline
export function end(list: u32): u32 {
  return list + bytes(list) - 1;
}

// --- Writing -----------------------------------------------------------------------------------------------

/** Bytes of the length at an element's end. */
@inline
function backBytes(bytes: u32): u32 {
  if (bytes <= 127) return 1;
  if (bytes < 16383) return 2;
  if (bytes < 2097151) return 3;
  return bytes < 268435455 ? 4 : 5;
}

/** Prepares an element, which must stay where it is until it is written. Bytes that it will take. */
export function plan(at: u32, length: u32): u32 {
  planDataBytes = 0;
  if (length <= 20 && number.parse(at, length)) planInteger(number.parsed);
  else {
    planData = at;
    planDataBytes = length;
    if (length < 64) {
      store<u8>(PLAN, <u8>(0x80 | length));
      planHead = 1;
    } else if (length < 4096) {
      store<u8>(PLAN, <u8>(0xe0 | (length >> 8)));
      store<u8>(PLAN, <u8>length, 1);
      planHead = 2;
    } else {
      store<u8>(PLAN, 0xf0);
      store<u32>(PLAN, length, 1);
      planHead = 5;
    }
  }
  const own = planHead + planDataBytes;
  planBytes = own + backBytes(own);
  return planBytes;
}

function planInteger(value: i64): void {
  if (<u64>value < 128) {
    store<u8>(PLAN, <u8>value);
    planHead = 1;
  } else if (value >= -4096 && value < 4096) {
    store<u8>(PLAN, <u8>(0xc0 | (((<u32>value) >> 8) & 31)));
    store<u8>(PLAN, <u8>value, 1);
    planHead = 2;
  } else {
    let head: u32 = 9;
    let mark: u32 = 0xf4;
    if (value == <i64>(<i16>value)) {
      head = 3;
      mark = 0xf1;
    } else if (value >= -8388608 && value < 8388608) {
      head = 4;
      mark = 0xf2;
    } else if (value == <i64>(<i32>value)) {
      head = 5;
      mark = 0xf3;
    }
    store<u8>(PLAN, <u8>mark);
    store<i64>(PLAN, value, 1);
    planHead = head;
  }
}

/** Writes the planned element; where it ends. */
export function write(to: u32): u32 {
  copy(to, <u32>PLAN, planHead);
  if (planDataBytes != 0) copy(to + planHead, planData, planDataBytes);
  const own = planHead + planDataBytes;
  const last = to + planBytes;
  let at = to + own;
  for (let rest = last - at; rest > 0; rest--, at++) {
    const low = (own >> ((rest - 1) * 7)) & 127;
    store<u8>(at, <u8>(at == to + own ? low : low | 128));
  }
  if (CHECKED && (skip(to) != at || !isPlanned(to)))
    broken('LP-1: an element is not what was planned');
  return at;
}

// --- Reading -----------------------------------------------------------------------------------------------

/** Bytes of an element's header and data, without the length at its end. */
function ownBytes(element: u32): u32 {
  const head: u32 = load<u8>(element);
  if (head < 0x80) return 1;
  if (head < 0xc0) return 1 + (head & 63);
  if (head < 0xe0) return 2;
  if (head < 0xf0) return 2 + (((head & 15) << 8) | load<u8>(element, 1));
  if (head == 0xf0) return 5 + load<u32>(element, 1);
  if (head < 0xf4) return head - 0xee; // f1: 3, f2: 4, f3: 5
  return 9;
}

/** Address of the element behind one. */
@inline
export function skip(element: u32): u32 {
  if (CHECKED && load<u8>(element) > 0xf4) broken('LP: no element');
  const own = ownBytes(element);
  return element + own + backBytes(own);
}

let elementValue: i64 = 0;

/**
 * Reads an element as a string. The text of an integer is written to `digits`, which has DIGITS_MAX bytes.
 */
export function read(element: u32, digits: u32): void {
  if (isInteger(element)) {
    textAt = digits;
    textBytes = number.format(digits, elementValue);
    return;
  }
  const head: u32 = load<u8>(element);
  const header: u32 = head < 0xc0 ? 1 : head < 0xf0 ? 2 : 5;
  textAt = element + header;
  textBytes = ownBytes(element) - header;
}

/** The text. Set by read(), valid until its next call, and until its digits are overwritten. */
export let textAt: u32 = 0;
export let textBytes: u32 = 0;

/** True when an element is an integer; its value is integer(). */
export function isInteger(element: u32): bool {
  const head: u32 = load<u8>(element);
  if (head < 0x80) elementValue = <i64>head;
  else if (head < 0xc0 || (head >= 0xe0 && head <= 0xf0)) return false;
  else if (head < 0xe0) {
    const raw: i32 = ((head & 31) << 8) | load<u8>(element, 1);
    elementValue = <i64>((raw << 19) >> 19);
  } else if (head == 0xf1) elementValue = load<i16>(element, 1);
  else if (head == 0xf2) {
    const raw: i32 = (<i32>load<u16>(element, 1)) | ((<i32>load<i8>(element, 3)) << 16);
    elementValue = raw;
  } else if (head == 0xf3) elementValue = load<i32>(element, 1);
  else elementValue = load<i64>(element, 1);
  return true;
}


@inline
export function integer(): i64 {
  return elementValue;
}

/** The element equal to the planned one, among those at even places, or 0. */
export function find(list: u32): u32 {
  const last = end(list);
  const head: u32 = load<u8>(PLAN);
  for (let at = first(list); at != last; at = skip(skip(at))) {
    if (<u32>load<u8>(at) == head && isPlanned(at)) return at;
  }
  return 0;
}

/** True when an element is the planned one. */
@inline
export function isPlanned(element: u32): bool {
  for (let i: u32 = 0; i < planHead; i++) {
    if (load<u8>(element + i) != load<u8>(PLAN + i)) return false;
  }
  return planDataBytes == 0 || equal(element + planHead, planData, planDataBytes);
}

/** True when a block is a listpack, all its elements inside it, whose number is a multiple of `group`. */
export function check(list: u32, room: u32, group: u32): bool {
  if (room < EMPTY_BYTES || bytes(list) != room || load<u8>(list + room - 1) != 0xff) return false;
  const last = list + room - 1;
  let at = first(list);
  let elements: u32 = 0;
  while (at != last) {
    // at most one turn per two bytes
    const left = last - at;
    const head: u32 = load<u8>(at);
    if (head > 0xf4 || left < 2 || (head == 0xf0 && left < 6)) return false;
    const own = ownBytes(at);
    const back = backBytes(own);
    if (own >= left || back > left - own || !backIs(at + own, own, back)) return false;
    at += own + back;
    elements++;
  }
  if (elements % group != 0) return false;
  return count(list) == elements || count(list) == COUNT_UNKNOWN;
}

function backIs(at: u32, own: u32, groups: u32): bool {
  for (let group: u32 = 0; group < groups; group++) {
    const low = (own >> ((groups - 1 - group) * 7)) & 127;
    if (<u32>load<u8>(at + group) != (group == 0 ? low : low | 128)) return false;
  }
  return true;
}
