// The table of a large hash: from fields to values.
//
// Interface   A table is a block of TABLE_BYTES in the entry of its key; it may move with it. init() once;
//             find(), set(), remove(); first() and following() walk all fields between two changes; scan() by
//             cursor; random(). A function that returns 0 or false for lack of memory has changed nothing.
// Structure   Buckets are u32 addresses of chained nodes (hash-node.ts).
// Resizing    Two arrays of buckets, of which `moved` buckets of the first are empty because their nodes are
//             in the second. A field belongs to the second array if its bucket of the first is below `moved`.
//             A bucket of the second is cleared when the first of those it collects is moved, so that no step
//             takes long.
// Invariants  HASH-1  A field present during a whole scan is reported: cursors count with their bits
//                     reversed.
// Cost        find: a bucket and on average 1.5 nodes, each a cache miss. 16 bytes a field on top of its
//             text.

import * as cursors from '../bytes/cursor.ts';
import * as nodes from './hash-node.ts';
import * as random from '../bytes/random.ts';
import * as siphash from '../bytes/siphash.ts';
import { KIND_VALUE } from '../bytes/heap.ts';
import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

export const TABLE_BYTES: u32 = 32;
const BUCKETS: u32 = 0; // u32
const BITS: u32 = 4; // u32
const USED: u32 = 8; // u32, fields in both arrays
const NEXT_BUCKETS: u32 = 12; // u32, 0 = not resizing
const NEXT_BITS: u32 = 16; // u32
const MOVED: u32 = 20; // u32
const DRAINED: u32 = 24; // u32, buckets that drain() has emptied
const NODE_COUNT: u32 = 28; // u32, bytes of all nodes in units of 8

const BITS_FIRST: u32 = 8;
const BITS_MAX: u32 = 28;
const CHAIN_SPARED: u32 = 2; // fields a bucket, as a power of two, before a table grows while a child saves


@inline
export function used(table: u32): u32 {
  return load<u32>(table, USED);
}


@inline
function isResizing(table: u32): bool {
  return load<u32>(table, NEXT_BUCKETS) != 0;
}

/** Bytes of the buckets and nodes. */
export function bytes(table: u32): u64 {
  let count: u64 = (<u64>1) << (<u64>load<u32>(table, BITS));
  if (isResizing(table)) count += (<u64>1) << (<u64>load<u32>(table, NEXT_BITS));
  return (count << 2) + ((<u64>load<u32>(table, NODE_COUNT)) << 3);
}

/** Makes an empty table with room for about `fields` fields. */
export function init(table: u32, fields: u32): bool {
  let bits = BITS_FIRST;
  while (bits < BITS_MAX && (<u32>1) << bits < fields) bits++;
  const buckets = slab.alloc(KIND_VALUE, 4 << bits);
  if (buckets == 0) return false;
  memory.fill(buckets, 0, 4 << bits);
  memory.fill(table, 0, TABLE_BYTES);
  store<u32>(table, buckets, BUCKETS);
  store<u32>(table, bits, BITS);
  return true;
}

/** The bucket that a hash belongs to. */
@inline
function bucketOf(table: u32, hash: u32): u32 {
  const index = hash & ((1 << load<u32>(table, BITS)) - 1);
  if (index < load<u32>(table, MOVED)) {
    const next = hash & ((1 << load<u32>(table, NEXT_BITS)) - 1);
    return load<u32>(table, NEXT_BUCKETS) + (next << 2);
  }
  return load<u32>(table, BUCKETS) + (index << 2);
}

/** The word that points to the node which locate() has met, or where its chain ends. */
let link: u32 = 0;

function locate(table: u32, name: u32, nameBytes: u32, hash: u32): u32 {
  link = bucketOf(table, hash);
  for (let node = load<u32>(link); node != 0; node = load<u32>(link)) {
    if (nodes.isNamed(node, name, nameBytes)) return node;
    link = node;
  }
  return 0;
}

/** The node of a field, or 0. */
export function find(table: u32, name: u32, nameBytes: u32): u32 {
  return locate(table, name, nameBytes, <u32>siphash.hash(name, nameBytes));
}

// What set() has done.
export const FAILED: u32 = 0;
export const ADDED: u32 = 1;
const UPDATED: u32 = 2;

/**
 * Sets a field. While a child saves (`isQuiet`) the table grows only when it must: moving copies every page
 * of it.
 */
export function set(
  table: u32,
  name: u32,
  nameBytes: u32,
  text: u32,
  textBytes: u32,
  isQuiet: bool,
): u32 {
  const hash = <u32>siphash.hash(name, nameBytes);
  if (isResizing(table)) step(table);
  const old = locate(table, name, nameBytes, hash);
  if (old != 0) return update(table, old, text, textBytes);
  if (!isResizing(table)) {
    const full: u32 = 1 << load<u32>(table, BITS);
    if (used(table) >= (isQuiet ? full << CHAIN_SPARED : full)) {
      resize(table);
      locate(table, name, nameBytes, hash);
    }
  }
  const node = nodes.make(name, nameBytes, text, textBytes);
  if (node == 0) return FAILED;
  store<u32>(link, node);
  store<u32>(table, used(table) + 1, USED);
  addBytes(table, nodes.bytes(node));
  return ADDED;
}


@inline
function addBytes(table: u32, count: u32): void {
  store<u32>(table, load<u32>(table, NODE_COUNT) + (count >> 3), NODE_COUNT);
}


@inline
function subtractBytes(table: u32, count: u32): void {
  store<u32>(table, load<u32>(table, NODE_COUNT) - (count >> 3), NODE_COUNT);
}

/** Gives the node that locate() has met another value, in place if it fits. */
function update(table: u32, node: u32, text: u32, textBytes: u32): u32 {
  if (nodes.setValue(node, text, textBytes)) return UPDATED;
  const moved = nodes.make(nodes.field(node), nodes.fieldBytes(node), text, textBytes);
  if (moved == 0) return FAILED;
  nodes.setNext(moved, nodes.next(node));
  store<u32>(link, moved);
  addBytes(table, nodes.bytes(moved));
  freeNode(table, node);
  return UPDATED;
}

/** Deletes a field; false when it is not there. */
export function remove(table: u32, name: u32, nameBytes: u32): bool {
  if (isResizing(table)) step(table);
  const node = find(table, name, nameBytes);
  if (node == 0) return false;
  if (CHECKED && (used(table) == 0 || load<u32>(link) != node))
    broken('TABLE: a field is removed that is not linked');
  store<u32>(link, nodes.next(node));
  store<u32>(table, used(table) - 1, USED);
  freeNode(table, node);
  return true;
}


@inline
function freeNode(table: u32, node: u32): void {
  subtractBytes(table, nodes.bytes(node));
  nodes.free(node);
}

// --- Resizing ----------------------------------------------------------------------------------------------

/**
 * Starts a resize when the table is too small, or holds less than a tenth. Nothing happens for lack of
 * memory.
 */
export function resize(table: u32): void {
  if (isResizing(table)) return;
  const bits = load<u32>(table, BITS);
  const fields = used(table);
  let wanted = bits;
  if (fields >= (<u32>1) << bits) {
    while (wanted < BITS_MAX && fields >= (<u32>1) << wanted) wanted++;
  } else if (bits > BITS_FIRST && fields < ((<u32>1) << bits) / 10) {
    while (wanted > BITS_FIRST && fields <= (<u32>1) << (wanted - 1)) wanted--;
  }
  if (wanted == bits) return;
  const buckets = slab.alloc(KIND_VALUE, 4 << wanted);
  if (buckets == 0) return;
  store<u32>(table, buckets, NEXT_BUCKETS);
  store<u32>(table, wanted, NEXT_BITS);
  store<u32>(table, 0, MOVED);
}

const EMPTY_BUCKETS: u32 = 10; // passed over in one step

/** Moves the nodes of one bucket to the other array. */
export function step(table: u32): void {
  const bits = load<u32>(table, BITS);
  for (let empty: u32 = 0; empty < EMPTY_BUCKETS && isResizing(table); empty++) {
    const moved = load<u32>(table, MOVED);
    const node = load<u32>(load<u32>(table, BUCKETS) + (moved << 2));
    moveBucket(table, moved, node);
    store<u32>(table, moved + 1, MOVED);
    if (moved + 1 == (<u32>1) << bits) finish(table);
    if (node != 0) return;
  }
}

function moveBucket(table: u32, index: u32, node: u32): void {
  const next = load<u32>(table, NEXT_BUCKETS);
  const mask: u32 = (1 << load<u32>(table, NEXT_BITS)) - 1;
  for (let to = index; to <= mask; to += 1 << load<u32>(table, BITS))
    store<u32>(next + (to << 2), 0);
  while (node != 0) {
    const after = nodes.next(node);
    const hash = <u32>siphash.hash(nodes.field(node), nodes.fieldBytes(node));
    const cell = next + ((hash & mask) << 2);
    nodes.setNext(node, load<u32>(cell));
    store<u32>(cell, node);
    node = after;
  }
  store<u32>(load<u32>(table, BUCKETS) + (index << 2), 0);
}

function finish(table: u32): void {
  if (CHECKED) check(table);
  slab.free(load<u32>(table, BUCKETS));
  store<u32>(table, load<u32>(table, NEXT_BUCKETS), BUCKETS);
  store<u32>(table, load<u32>(table, NEXT_BITS), BITS);
  store<u32>(table, 0, NEXT_BUCKETS);
  store<u32>(table, 0, MOVED);
}

/** For the checked build: every field is in the bucket of its hash, and all are counted. */
function check(table: u32): void {
  let fields: u32 = 0;
  let units: u32 = 0;
  const count = bucketCount(table);
  for (let index: u32 = 0; index < count; index++) {
    for (let node = bucketAt(table, index); node != 0; node = nodes.next(node)) {
      fields++;
      units += nodes.bytes(node) >> 3;
      if (find(table, nodes.field(node), nodes.fieldBytes(node)) != node)
        broken('TABLE: a field is not in its bucket');
    }
  }
  if (fields != used(table)) broken('TABLE: the fields do not add up');
  if (units != load<u32>(table, NODE_COUNT)) broken('TABLE: the bytes of nodes do not add up');
}

// --- Walking -----------------------------------------------------------------------------------------------

/** Buckets of both arrays, numbered through. */
function bucketCount(table: u32): u32 {
  const own: u32 = 1 << load<u32>(table, BITS);
  return isResizing(table) ? own + (1 << load<u32>(table, NEXT_BITS)) : own;
}

/** First node of a bucket by its number in both arrays, 0 when it is empty or not in use yet. */
@inline
function bucketAt(table: u32, index: u32): u32 {
  const size: u32 = 1 << load<u32>(table, BITS);
  if (index < size) return load<u32>(load<u32>(table, BUCKETS) + (index << 2));
  const next = index - size;
  if ((next & (size - 1)) >= load<u32>(table, MOVED)) return 0;
  return load<u32>(load<u32>(table, NEXT_BUCKETS) + (next << 2));
}

let walked: u32 = 0; // the bucket that a walk is in

/** The first node of all, or 0. One walk at a time; the table must not change during it. */
export function first(table: u32): u32 {
  walked = 0;
  return firstFrom(table);
}

function firstFrom(table: u32): u32 {
  const count = bucketCount(table);
  for (; walked < count; walked++) {
    const node = bucketAt(table, walked);
    if (node != 0) return node;
  }
  return 0;
}

/** The node that a walk meets after one, or 0. */
@inline
export function following(table: u32, node: u32): u32 {
  const after = nodes.next(node);
  if (after != 0) return after;
  walked++;
  return firstFrom(table);
}

/** A node, each with the same chance; the table is not empty. */
export function randomNode(table: u32): u32 {
  const count = bucketCount(table);
  const deepest: u32 = 8 + ((used(table) >> load<u32>(table, BITS)) << 3);
  for (let turn: u32 = 0; turn < 4096; turn++) {
    let node = bucketAt(table, random.bits() % count);
    for (let depth = random.bits() % deepest; node != 0 && depth > 0; depth--)
      node = nodes.next(node);
    if (node != 0) return node;
  }
  // Nearly every bucket is empty: the first node behind a random place.
  walked = random.bits() % count;
  const node = firstFrom(table);
  return node != 0 ? node : first(table);
}

/** Calls `visit` for the nodes of the cursor's buckets; returns the next cursor, 0 at the end. */
export function scan(table: u32, cursor: u64, visit: (node: u32) => void): u64 {
  const size: u32 = 1 << load<u32>(table, BITS);
  if (!isResizing(table)) {
    visitChain(bucketAt(table, (<u32>cursor) & (size - 1)), visit);
    return cursors.next(cursor, size - 1);
  }
  const nextSize: u32 = 1 << load<u32>(table, NEXT_BITS);
  const small = min(size, nextSize);
  const index = (<u32>cursor) & (small - 1);
  for (let i = index; i < size; i += small) visitChain(bucketAt(table, i), visit);
  for (let i = index; i < nextSize; i += small) visitChain(bucketAt(table, size + i), visit);
  return cursors.next(cursor, small - 1);
}

function visitChain(node: u32, visit: (node: u32) => void): void {
  while (node != 0) {
    const after = nodes.next(node);
    visit(node);
    node = after;
  }
}

// --- Freeing -----------------------------------------------------------------------------------------------

/**
 * Frees the nodes of some buckets, from where it stopped before; false when nothing is left but the table
 * itself.
 */
export function drain(table: u32, buckets: u32): bool {
  if (load<u32>(table, BUCKETS) == 0) return false;
  const count = bucketCount(table);
  let at = load<u32>(table, DRAINED);
  for (let turn: u32 = 0; turn < buckets && at < count; turn++, at++) {
    for (let node = bucketAt(table, at); node != 0;) {
      const after = nodes.next(node);
      nodes.free(node);
      node = after;
    }
  }
  store<u32>(table, at, DRAINED);
  if (at < count) return true;
  slab.free(load<u32>(table, BUCKETS));
  if (isResizing(table)) slab.free(load<u32>(table, NEXT_BUCKETS));
  memory.fill(table, 0, TABLE_BYTES);
  return false;
}
