// Hashes in RDB files: loaded in each of the four forms that Redis has written, saved in the two that it
// writes now.

import * as format from '../../rdb/format.ts';
import * as hash from './value.ts';
import * as listpack from '../../structure/listpack.ts';
import * as lists from './list.ts';
import * as reader from '../../rdb/reader.ts';
import * as writer from '../../rdb/writer.ts';
import * as ziplist from '../../rdb/ziplist.ts';
import * as zipmap from '../../rdb/zipmap.ts';

// Digits of a field and of its value, when they are integers: listpack.DIGITS_MAX, ziplist.DIGITS_MAX.
const FIELD: usize = memory.data(24, 8);
const VALUE: usize = memory.data(24, 8);

let made: u32 = 0; // the hash that is being loaded

/** Loads a value of one of the forms: the entry; 0 after a failure, and for a hash without fields. */
export function loadValue(form: u32, key: u32, keyBytes: u32): u32 {
  made = 0;
  return read(form, key, keyBytes) ? made : 0;
}

function read(form: u32, key: u32, keyBytes: u32): bool {
  if (form == format.TYPE_HASH) return pairs(key, keyBytes);
  if (!reader.readText(1)) return false;
  const blob = reader.textAt;
  const bytes = reader.textBytes;
  if (form == format.TYPE_HASH_LISTPACK) return ofListpack(key, keyBytes, blob, bytes);
  if (form == format.TYPE_HASH_ZIPLIST) return ofZiplist(key, keyBytes, blob, bytes);
  return ofZipmap(key, keyBytes, blob, bytes);
}

/** Adds a field, which must be another one than those before. */
function add(name: u32, nameBytes: u32, text: u32, textBytes: u32): bool {
  return isNew(hash.set(made, name, nameBytes, text, textBytes));
}

/** The same for a field of a listpack or ziplist: the length of its texts does not bear on the encoding. */
function addOfList(name: u32, nameBytes: u32, text: u32, textBytes: u32): bool {
  return isNew(hash.setLoaded(made, name, nameBytes, text, textBytes));
}

function isNew(after: u32): bool {
  if (after == 0) return reader.failMemory();
  made = after;
  return hash.hasAdded || reader.fail('a hash has the same field twice');
}

function create(key: u32, keyBytes: u32, fields: u32): bool {
  made = hash.insert(key, keyBytes, fields);
  return made != 0 || reader.failMemory();
}

function pairs(key: u32, keyBytes: u32): bool {
  const fields = reader.length();
  if (reader.hasFailed() || fields == 0) return !reader.hasFailed();
  if (fields > reader.remaining() >> 1) return reader.fail('a hash is longer than the file');
  if (!create(key, keyBytes, <u32>fields)) return false;
  for (let left = fields; left > 0; left--) {
    if (!reader.readText(0)) return false;
    const name = reader.textAt;
    const nameBytes = reader.textBytes;
    if (!reader.readText(1)) return false;
    if (!add(name, nameBytes, reader.textAt, reader.textBytes)) return false;
  }
  return true;
}

function ofListpack(key: u32, keyBytes: u32, blob: u32, bytes: u32): bool {
  if (!listpack.check(blob, bytes, 2)) return reader.fail('hash listpack integrity check failed');
  const last = blob + bytes - 1;
  if (listpack.first(blob) == last) return true;
  if (isAsOurs(blob, last)) {
    made = hash.adopt(key, keyBytes, blob, bytes);
    return made != 0 || reader.failMemory();
  }
  if (!create(key, keyBytes, 1)) return false;
  for (let at = listpack.first(blob); at != last;) {
    listpack.read(at, <u32>FIELD);
    const name = listpack.textAt;
    const nameBytes = listpack.textBytes;
    at = listpack.skip(at);
    listpack.read(at, <u32>VALUE);
    if (!addOfList(name, nameBytes, listpack.textAt, listpack.textBytes)) return false;
    at = listpack.skip(at);
  }
  return true;
}

/**
 * True when a checked listpack is just what this server would make: few enough fields, each element in its
 * shortest form.
 */
function isAsOurs(blob: u32, last: u32): bool {
  let elements: u32 = 0;
  for (let at = listpack.first(blob); at != last; elements++) {
    listpack.read(at, <u32>FIELD);
    const next = listpack.skip(at);
    if (listpack.plan(listpack.textAt, listpack.textBytes) != next - at) return false;
    if (!listpack.isPlanned(at)) return false;
    at = next;
  }
  return lists.isFew(elements >> 1) && listpack.count(blob) == elements;
}

function ofZiplist(key: u32, keyBytes: u32, blob: u32, bytes: u32): bool {
  if (ziplist.open(blob, bytes) < 0) return reader.fail('hash ziplist integrity check failed');
  if (ziplist.done()) return true;
  if (!create(key, keyBytes, 1)) return false;
  while (!ziplist.done()) {
    if (!ziplist.next(<u32>FIELD)) return reader.fail('hash ziplist integrity check failed');
    const name = ziplist.elementAt;
    const nameBytes = ziplist.elementBytes;
    if (!ziplist.next(<u32>VALUE)) return reader.fail('hash ziplist integrity check failed');
    if (!addOfList(name, nameBytes, ziplist.elementAt, ziplist.elementBytes)) return false;
  }
  return true;
}

function ofZipmap(key: u32, keyBytes: u32, blob: u32, bytes: u32): bool {
  if (!zipmap.open(blob, bytes)) return reader.fail('zipmap integrity check failed');
  if (zipmap.done()) return true;
  if (!create(key, keyBytes, 1)) return false;
  while (!zipmap.done()) {
    if (!zipmap.next()) return reader.fail('zipmap integrity check failed');
    const name = zipmap.elementAt;
    const nameBytes = zipmap.elementBytes;
    if (!zipmap.next()) return reader.fail('zipmap integrity check failed');
    if (!add(name, nameBytes, zipmap.elementAt, zipmap.elementBytes)) return false;
  }
  return true;
}

// --- Saving ------------------------------------------------------------------------------------------------

/** Writes a hash: a listpack as it is, a table field by field. */
export function saveValue(found: u32, key: u32, keyBytes: u32, at: u32): void {
  if (!hash.isLarge(found)) {
    writer.byte(format.TYPE_HASH_LISTPACK);
    writer.text(key, keyBytes);
    writer.text(at, listpack.bytes(at));
    return;
  }
  writer.byte(format.TYPE_HASH);
  writer.text(key, keyBytes);
  writer.length(hash.count(found));
  for (let more = hash.begin(found); more && !writer.hasFailed(); more = hash.advance()) {
    hash.readField();
    writer.text(hash.textAt, hash.textBytes);
    hash.readValue();
    writer.text(hash.textAt, hash.textBytes);
  }
}
