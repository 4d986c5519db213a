// Hash values: a listpack in the entry while they are small, a table outside it when they are large.
//
// Interface   insert() makes an empty one, which must get a field or be removed before the command ends.
//             set() and remove() return the entry, which may have moved, or 0 if out of memory:
//             nothing has changed then. find(), or begin() and advance(), choose a field; readField() and
//             readValue() make its text known until the next call.
// Structure   Encoding listpack: the entry's value is a listpack of fields and values by turns (list.ts);
//             its own length counts, the entry may have room behind it. Encoding hashtable: the entry's value
//             is a table (hash-table.ts).
// Invariants  VALUE-1  A hash that a command leaves behind has a field.

import * as entry from '../../keyspace/entry.ts';
import * as hashNode from '../../structure/hash-node.ts';
import * as hashTable from '../../structure/hash-table.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as listpack from '../../structure/listpack.ts';
import * as lists from './list.ts';

/** The type of hashes, and its encodings. */
export const HASH: u32 = 5;
const LISTPACK: u32 = 0;
const HASHTABLE: u32 = 1;

/** Buckets that one background step empties. */
const BUCKETS_PER_STEP: u32 = 64;

const SCRATCH: usize = memory.data(32, 8); // a table that no entry owns yet
const CHOSEN: usize = memory.data(24, 8); // digits of the chosen text, listpack.DIGITS_MAX
// Digits of a field and of its value on their way into a table.
const MOVED_FIELD: usize = memory.data(24, 8);
const MOVED_VALUE: usize = memory.data(24, 8);


@inline
function isTable(hash: u32): bool {
  return entry.encoding(hash) == HASHTABLE;
}

/** Fields of a hash. */
@inline
export function count(hash: u32): u32 {
  const value = entry.value(hash);
  return isTable(hash) ? hashTable.used(value) : lists.count(value);
}

/** A new key with an empty hash for about `fields` fields; 0 if out of memory. */
export function insert(key: u32, keyBytes: u32, fields: u32): u32 {
  if (lists.isFew(fields)) {
    const made = keyspace.insert(key, keyBytes, HASH, LISTPACK, listpack.EMPTY_BYTES);
    if (made != 0) listpack.clear(entry.value(made));
    return made;
  }
  if (!hashTable.init(<u32>SCRATCH, fields)) return 0;
  const made = keyspace.insert(key, keyBytes, HASH, HASHTABLE, hashTable.TABLE_BYTES);
  if (made == 0) dropScratch();
  else memory.copy(entry.value(made), <u32>SCRATCH, hashTable.TABLE_BYTES);
  return made;
}

/**
 * A new key whose hash is a listpack of few fields, in the form that this server makes; 0 if out of
 * memory.
 */
export function adopt(key: u32, keyBytes: u32, list: u32, bytes: u32): u32 {
  const made = keyspace.insert(key, keyBytes, HASH, LISTPACK, bytes);
  if (made != 0) memory.copy(entry.value(made), list, bytes);
  return made;
}

function dropScratch(): void {
  while (hashTable.drain(<u32>SCRATCH, 0x10000000)) {}
}

// --- One field ---------------------------------------------------------------------------------------------

// The chosen field: in a table its node, in a listpack its element and that of its value.
let inTable: bool = false;
let node: u32 = 0;
let fieldElement: u32 = 0;
let valueElement: u32 = 0;

/** Chooses a field by name; false when the hash does not have it. */
export function find(hash: u32, name: u32, nameBytes: u32): bool {
  const value = entry.value(hash);
  inTable = isTable(hash);
  if (inTable) {
    node = hashTable.find(value, name, nameBytes);
    return node != 0;
  }
  listpack.plan(name, nameBytes);
  fieldElement = listpack.find(value);
  if (fieldElement == 0) return false;
  valueElement = listpack.skip(fieldElement);
  return true;
}

export function readField(): void {
  if (inTable) setText(hashNode.field(node), hashNode.fieldBytes(node));
  else readElement(fieldElement);
}

export function readValue(): void {
  if (inTable) setText(hashNode.value(node), hashNode.valueBytes(node));
  else readElement(valueElement);
}

/**
 * The text. Set by readField() and readValue(), valid until the next of either and until the hash changes.
 */
export let textAt: u32 = 0;
export let textBytes: u32 = 0;


@inline
function setText(at: u32, bytes: u32): void {
  textAt = at;
  textBytes = bytes;
}

function readElement(element: u32): void {
  listpack.read(element, <u32>CHOSEN);
  setText(listpack.textAt, listpack.textBytes);
}

// --- Change ------------------------------------------------------------------------------------------------

/** Sets a field; the entry, or 0 if out of memory. */
export function set(hash: u32, name: u32, nameBytes: u32, to: u32, toBytes: u32): u32 {
  if (isTable(hash)) return setInTable(hash, name, nameBytes, to, toBytes);
  const list = entry.value(hash);
  if (lists.isShort(nameBytes) && lists.isShort(toBytes)) {
    listpack.plan(name, nameBytes);
    const found = listpack.find(list);
    hasAdded = found == 0;
    if (found != 0) {
      // The limit may have been lowered since the fields came.
      if (lists.isFew(lists.count(list)))
        return lists.replace(hash, listpack.skip(found), to, toBytes);
    } else if (lists.hasRoom(list)) return lists.append(hash, name, nameBytes, to, toBytes);
  }
  const table = toTable(hash);
  return table == 0 ? 0 : setInTable(table, name, nameBytes, to, toBytes);
}

/** Whether it made a new field. Set by set() and setLoaded(), valid until the next of either. */
export let hasAdded: bool = false;

/**
 * set() for a field of a file's list: only the number of fields decides about the encoding. A field that
 * exists stays as it is.
 */
export function setLoaded(hash: u32, name: u32, nameBytes: u32, to: u32, toBytes: u32): u32 {
  if (isTable(hash)) return setInTable(hash, name, nameBytes, to, toBytes);
  const list = entry.value(hash);
  listpack.plan(name, nameBytes);
  hasAdded = listpack.find(list) == 0;
  if (!hasAdded) return hash;
  if (lists.hasRoom(list)) return lists.append(hash, name, nameBytes, to, toBytes);
  const table = toTable(hash);
  return table == 0 ? 0 : setInTable(table, name, nameBytes, to, toBytes);
}

function setInTable(hash: u32, name: u32, nameBytes: u32, to: u32, toBytes: u32): u32 {
  const isQuiet = keyspace.isChildActive();
  const done = hashTable.set(entry.value(hash), name, nameBytes, to, toBytes, isQuiet);
  hasAdded = done == hashTable.ADDED;
  return done == hashTable.FAILED ? 0 : hash;
}

/**
 * Deletes a field; the entry, which may have moved or have no field left, or 0 when the field is not there.
 */
export function remove(hash: u32, name: u32, nameBytes: u32): u32 {
  if (isTable(hash)) {
    const table = entry.value(hash);
    if (!hashTable.remove(table, name, nameBytes)) return 0;
    if (!keyspace.isChildActive()) hashTable.resize(table);
    return hash;
  }
  const list = entry.value(hash);
  listpack.plan(name, nameBytes);
  const element = listpack.find(list);
  return element == 0 ? 0 : lists.remove(hash, element);
}

/** Turns a listpack into a table; the entry, or 0 if out of memory. */
function toTable(hash: u32): u32 {
  const list = entry.value(hash);
  const last = listpack.end(list);
  if (!hashTable.init(<u32>SCRATCH, lists.count(list) + 1)) return 0;
  for (let at = listpack.first(list); at != last;) {
    listpack.read(at, <u32>MOVED_FIELD);
    const name = listpack.textAt;
    const nameBytes = listpack.textBytes;
    at = listpack.skip(at);
    listpack.read(at, <u32>MOVED_VALUE);
    const text = listpack.textAt;
    const done = hashTable.set(<u32>SCRATCH, name, nameBytes, text, listpack.textBytes, false);
    if (done == hashTable.FAILED) {
      dropScratch();
      return 0;
    }
    at = listpack.skip(at);
  }
  const made = keyspace.resizeValue(hash, hashTable.TABLE_BYTES);
  if (made == 0) {
    dropScratch();
    return 0;
  }
  memory.copy(entry.value(made), <u32>SCRATCH, hashTable.TABLE_BYTES);
  entry.setTypeEncoding(made, HASH, HASHTABLE);
  return made;
}

// --- All fields --------------------------------------------------------------------------------------------

let walkTable: u32 = 0;
let walkEnd: u32 = 0;

/**
 * Chooses the first field; false when there is none. One walk at a time; the hash must not change during it.
 */
export function begin(hash: u32): bool {
  const value = entry.value(hash);
  inTable = isTable(hash);
  if (inTable) {
    walkTable = value;
    node = hashTable.first(value);
    return node != 0;
  }
  fieldElement = listpack.first(value);
  walkEnd = listpack.end(value);
  if (fieldElement == walkEnd) return false;
  valueElement = listpack.skip(fieldElement);
  return true;
}

/** Chooses the next field; false when there is none. */
export function advance(): bool {
  if (inTable) {
    node = hashTable.following(walkTable, node);
    return node != 0;
  }
  fieldElement = listpack.skip(valueElement);
  if (fieldElement == walkEnd) return false;
  valueElement = listpack.skip(fieldElement);
  return true;
}

/** Chooses a field at random, each with the same chance, and returns an address that only this field has. */
export function choose(hash: u32, random: () => u32): u32 {
  const value = entry.value(hash);
  inTable = isTable(hash);
  if (inTable) {
    node = hashTable.randomNode(value);
    return node;
  }
  fieldElement = listpack.first(value);
  for (let turn = random() % lists.count(value); turn > 0; turn--)
    fieldElement = listpack.skip(listpack.skip(fieldElement));
  valueElement = listpack.skip(fieldElement);
  return fieldElement;
}

/** Chooses a field by its node, as scan() reports it. */
@inline
export function chooseNode(found: u32): void {
  inTable = true;
  node = found;
}

/**
 * Calls `visit` for the nodes of a cursor's buckets; the next cursor, or 0 at the end. For large hashes only.
 */
export function scan(hash: u32, cursor: u64, visit: (node: u32) => void): u64 {
  return hashTable.scan(entry.value(hash), cursor, visit);
}

/** True when scan() can be used; a small hash is walked at once. */
export function isLarge(hash: u32): bool {
  return isTable(hash);
}

// --- What the keyspace asks (keyspace/type.ts) -------------------------------------------------------------

export function encodingName(hash: u32): string {
  return isTable(hash) ? 'hashtable' : 'listpack';
}

export function free(hash: u32): void {
  if (isTable(hash)) while (hashTable.drain(entry.value(hash), 0x10000000)) {}
}

export function drainStep(hash: u32): bool {
  return isTable(hash) && hashTable.drain(entry.value(hash), BUCKETS_PER_STEP);
}

export function effort(hash: u32): u32 {
  return isTable(hash) ? hashTable.used(entry.value(hash)) : 1;
}

export function bytesOutside(hash: u32): u32 {
  return isTable(hash) ? <u32>hashTable.bytes(entry.value(hash)) : 0;
}

/** Fills the value of `to`, an unlinked entry with the same value bytes; false if out of memory. */
export function duplicate(hash: u32, to: u32): bool {
  const target = entry.value(to);
  if (!isTable(hash)) {
    memory.copy(target, entry.value(hash), entry.valueBytes(hash));
    return true;
  }
  if (!hashTable.init(target, count(hash))) return false;
  for (let more = begin(hash); more; more = advance()) {
    const value = hashNode.value(node);
    const done = hashTable.set(
      target,
      hashNode.field(node),
      hashNode.fieldBytes(node),
      value,
      hashNode.valueBytes(node),
      false,
    );
    if (done == hashTable.FAILED) {
      while (hashTable.drain(target, 0x10000000)) {}
      return false;
    }
  }
  return true;
}
