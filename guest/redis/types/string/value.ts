// String values: integers as 8 bytes, other texts as they are; embstr up to 44 bytes, as OBJECT ENCODING has
// it.
//
// Interface   read() makes a value's text available at textAt and textBytes. write() stores a text as SET
//             does, in place where the size class allows; writeText() the same without looking for an
//             integer; edit() gives a text that can be changed and made longer. Functions that return an
//             entry return 0 for lack of memory, nothing changed.

import * as client from '../../client/client.ts';
import * as entry from '../../keyspace/entry.ts';
import * as input from '../../wire/input.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as lru from '../../keyspace/lru.ts';
import * as number from '../../bytes/number.ts';
import { copy } from '../../bytes/copy.ts';
import { slab } from '../../../../assembly/index.ts';

/** The type of strings, and its encodings. */
export const STRING: u32 = 1;
export const RAW: u32 = 0;
const EMBSTR: u32 = 1;
export const INT: u32 = 2;

/** Longest string whose encoding is embstr. */
const EMBSTR_MAX: u32 = 44;

const DIGITS: usize = memory.data(24, 8);

/** Makes the text of a string entry available. */
@inline
export function read(found: u32): void {
  if (entry.encoding(found) == INT) {
    textAt = <u32>DIGITS;
    textBytes = number.format(<u32>DIGITS, load<i64>(entry.value(found)));
  } else {
    textAt = entry.value(found);
    textBytes = entry.valueBytes(found);
  }
}

/** The text. Set by read(), valid until the value changes or another integer is read. */
export let textAt: u32 = 0;
export let textBytes: u32 = 0;

/** Bytes of the text of a string entry. */
export function lengthOf(found: u32): u32 {
  if (entry.encoding(found) == INT) return number.width(load<i64>(entry.value(found)));
  return entry.valueBytes(found);
}

/**
 * True when the value is an integer or spells one; it is number.parsed then, also for an entry of encoding
 * int.
 */
export function isInteger(found: u32): bool {
  read(found);
  return number.parse(textAt, textBytes);
}

/** Stores a text under a key of the selected database; `old` is the key's entry, or 0. Its expiry stays. */
export function write(old: u32, key: u32, keyBytes: u32, value: u32, valueBytes: u32): u32 {
  if (valueBytes <= 20 && number.parse(value, valueBytes))
    return writeInteger(old, key, keyBytes, number.parsed);
  return writeText(old, key, keyBytes, value, valueBytes);
}

/** The same for a number. */
export function writeInteger(old: u32, key: u32, keyBytes: u32, value: i64): u32 {
  const made = place(old, key, keyBytes, INT, 8);
  if (made != 0) store<i64>(entry.value(made), value);
  return made;
}

/** The same for a text that is kept as text. */
export function writeText(old: u32, key: u32, keyBytes: u32, value: u32, valueBytes: u32): u32 {
  if (valueBytes >= input.LARGE_MIN) {
    const adopted = input.adopt(client.current(), value, keyBytes);
    if (adopted != 0) return adopt(old, key, keyBytes, adopted);
  }
  const made = place(old, key, keyBytes, encodingOf(valueBytes), valueBytes);
  if (made != 0) copy(entry.value(made), value, valueBytes);
  return made;
}

/** Encoding of a text of a length. */
export function encodingOf(bytes: u32): u32 {
  return bytes <= EMBSTR_MAX ? EMBSTR : RAW;
}

export function encodingName(found: u32): string {
  const encoding = entry.encoding(found);
  return encoding == INT ? 'int' : encoding == EMBSTR ? 'embstr' : 'raw';
}

/** An entry for a value of `valueBytes` bytes, linked under the key, its value to be filled. */
function place(old: u32, key: u32, keyBytes: u32, encoding: u32, valueBytes: u32): u32 {
  if (old == 0) return keyspace.insert(key, keyBytes, STRING, encoding, valueBytes);
  if (entry.type(old) == STRING) {
    const fits =
      entry.valueBytes(old) == valueBytes ||
      slab.roundUp(entry.bytesFor(keyBytes, valueBytes)) == slab.usable(old);
    if (fits) {
      entry.setValueBytes(old, valueBytes);
      entry.setTypeEncoding(old, STRING, encoding);
      entry.setAccess(old, lru.initial());
      return old;
    }
  }
  const made = entry.reserve(keyBytes, valueBytes);
  if (made == 0) return 0;
  copy(entry.key(made), key, keyBytes);
  takeOver(old, made, encoding);
  return made;
}

/** Links an entry in the place of another that has the same key, expiry included. */
function takeOver(old: u32, made: u32, encoding: u32): void {
  store<u8>(made, load<u8>(old, 1), 1);
  entry.setKeyspaceId(made, entry.keyspaceId(old));
  store<i64>(made, load<i64>(old, 16), 16);
  store<u32>(made, load<u32>(old, 24), 24);
  entry.setAccess(made, lru.initial());
  entry.setTypeEncoding(made, STRING, encoding);
  keyspace.replace(old, made);
}

/** Links a large argument, received in place, as the key's entry. */
function adopt(old: u32, key: u32, keyBytes: u32, made: u32): u32 {
  copy(entry.key(made), key, keyBytes);
  if (old != 0) takeOver(old, made, RAW);
  else if (!keyspace.add(made, STRING, RAW)) {
    slab.free(made);
    return 0;
  }
  return made;
}

/**
 * Makes a string's text raw and `valueBytes` long, for APPEND and SETRANGE: bytes beyond the old text are for
 * the caller to fill. Room is kept for more, so that a string grown little by little is not copied each time.
 */
export function edit(found: u32, valueBytes: u32): u32 {
  read(found);
  const old = textBytes;
  let edited = found;
  if (entry.encoding(found) == INT) {
    edited = keyspace.resizeValue(found, max<u32>(valueBytes, 24));
    if (edited == 0) return 0;
    copy(entry.value(edited), <u32>DIGITS, old);
  } else if (entry.bytesFor(entry.keyBytes(found), valueBytes) > slab.usable(found)) {
    edited = grow(found, valueBytes);
    if (edited == 0) return 0;
  }
  entry.setValueBytes(edited, valueBytes);
  entry.setTypeEncoding(edited, STRING, RAW);
  return edited;
}

const SPARE_MAX: u32 = 1048576;

/** Room for a longer text, and for some more. */
function grow(found: u32, valueBytes: u32): u32 {
  const spare = min<u32>(valueBytes, SPARE_MAX);
  const roomy = keyspace.resizeValue(found, valueBytes + spare);
  return roomy != 0 ? roomy : keyspace.resizeValue(found, valueBytes);
}
