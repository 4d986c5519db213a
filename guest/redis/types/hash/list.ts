// Hashes as listpacks: how large one may be, and changes of one. Each returns the entry, which may have
// moved, or 0 if out of memory: nothing has changed then.
//
// Invariants  VALUE-2  A listpack has no more fields than the options allowed when it last grew, and longer
//                      texts than they allowed only if a file's listpack or ziplist had them, as in Redis.

import * as config from '../../config/config.ts';
import * as entry from '../../keyspace/entry.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as listpack from '../../structure/listpack.ts';
import * as option from '../../config/option.ts';
import { CHECKED, broken } from '../../bytes/checked.ts';

/** More would not fit in a listpack's count. */
const FIELDS_MAX: u32 = 32767;
const BYTES_MAX: u32 = 1 << 30;

/** Fields of a listpack. */
@inline
export function count(list: u32): u32 {
  return listpack.count(list) >> 1;
}

/** Fields that a listpack may have now. */
function fieldsMax(): u32 {
  const wanted = config.number(option.HASH_MAX_LISTPACK_ENTRIES);
  return wanted > <i64>FIELDS_MAX ? FIELDS_MAX : <u32>wanted;
}

/** True when a text of this length may be in a listpack. */
@inline
export function isShort(bytes: u32): bool {
  return <i64>bytes <= config.number(option.HASH_MAX_LISTPACK_VALUE);
}

/** True when a listpack may have this many fields. */
export function isFew(fields: u32): bool {
  return fields <= fieldsMax();
}

/** True when a listpack may get one more field. */
export function hasRoom(list: u32): bool {
  return count(list) < fieldsMax() && listpack.bytes(list) < BYTES_MAX;
}

/** Adds a field that a listpack does not have. */
export function append(hash: u32, name: u32, nameBytes: u32, to: u32, toBytes: u32): u32 {
  const list = entry.value(hash);
  const total = listpack.bytes(list);
  const fields = listpack.count(list);
  const added = listpack.plan(name, nameBytes) + listpack.plan(to, toBytes);
  const made = keyspace.resizeValue(hash, total + added);
  if (made == 0) return 0;
  const wider = entry.value(made);
  listpack.plan(name, nameBytes);
  let at = listpack.write(wider + total - 1);
  listpack.plan(to, toBytes);
  at = listpack.write(at);
  store<u8>(at, 0xff);
  listpack.setFrame(wider, total + added, fields + 2);
  if (CHECKED) checkList(made);
  return made;
}

/** Gives an element of a listpack another text. */
export function replace(hash: u32, element: u32, to: u32, toBytes: u32): u32 {
  const offset = element - entry.value(hash);
  const old = listpack.skip(element) - element;
  const made = splice(hash, offset, old, listpack.plan(to, toBytes));
  if (made != 0) listpack.write(entry.value(made) + offset);
  if (CHECKED && made != 0) checkList(made);
  return made;
}

/**
 * Puts `bytes` unset bytes in the place of `old` ones in a listpack; the entry, or 0 if out of memory.
 */
function splice(hash: u32, offset: u32, old: u32, bytes: u32): u32 {
  const total = listpack.bytes(entry.value(hash));
  const wanted = total - old + bytes;
  let made = hash;
  if (bytes > old) {
    made = keyspace.resizeValue(hash, wanted);
    if (made == 0) return 0;
  }
  const list = entry.value(made);
  if (bytes == old) return made;
  memory.copy(list + offset + bytes, list + offset + old, total - offset - old);
  listpack.setFrame(list, wanted, listpack.count(list));
  if (bytes > old) return made;
  const smaller = keyspace.resizeValue(made, wanted);
  return smaller == 0 ? made : smaller;
}

/** Deletes a field and its value. */
export function remove(hash: u32, element: u32): u32 {
  const list = entry.value(hash);
  const old = listpack.skip(listpack.skip(element)) - element;
  listpack.setFrame(list, listpack.bytes(list), listpack.count(list) - 2);
  const made = splice(hash, element - list, old, 0);
  if (CHECKED) checkList(made);
  return made;
}

/**
 * For the checked build: a changed listpack is whole, inside its entry, and is no longer than allowed
 * (VALUE-2).
 */
function checkList(hash: u32): void {
  const list = entry.value(hash);
  const bytes = listpack.bytes(list);
  if (bytes > entry.valueBytes(hash)) broken('VALUE: a listpack is longer than its entry');
  if (!listpack.check(list, bytes, 2)) broken('LP-1: a listpack is not whole');
  if (bytes > BYTES_MAX << 1) broken('VALUE-2: a listpack is too long');
}
