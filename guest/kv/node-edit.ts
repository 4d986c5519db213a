// Changing nodes: making room, opening and removing slots, appending records.
//
// Interface   On a page that is pinned exclusively, or private. makeRoom() before open() where the gap may be
//             too small.
//             The rules of node.ts hold after each function, except between open() and the record.
// Cost        open() and removeAt() move the slots behind theirs; compact() copies the page twice.

import { copyBytes } from './bytes';
import {
  PAGE_BYTES,
  LEVEL,
  COUNT,
  GARBAGE,
  LOW_AT,
  LOW_BYTES,
  HIGH_AT,
  HIGH_BYTES,
  PREFIX,
  HEAP,
  SLOTS,
  SLOT_BYTES,
  LAST_CHILD,
  NO_FENCE,
  OFFSET_MASK,
  level,
  slot,
  recordAt,
  suffixBytes,
  recordBytes,
  prefixBytes,
  prefixAt,
  keyOffset,
  lowAt,
  lowBytes,
  highAt,
  highBytes,
  headOf,
  common,
} from './node';


@inline
export function freeBytes(node: u32): u32 {
  return gap(node) + load<u16>(node, GARBAGE);
}

/** Bytes between the slots and the heap. */
@inline
function gap(node: u32): u32 {
  return <u32>load<u16>(node, HEAP) - SLOTS - ((<u32>load<u16>(node, COUNT)) << 3);
}

/** Makes an empty node between two fences. `high` = 0 with NO_FENCE bytes is unbounded. */
export function init(
  node: u32,
  levelNumber: u32,
  low: u32,
  lowBytes: u32,
  high: u32,
  highBytes: u32,
): void {
  memory.fill(node + LEVEL, 0, SLOTS - LEVEL);
  store<u8>(node, <u8>levelNumber, LEVEL);
  const lowAt = PAGE_BYTES - lowBytes;
  memory.copy(node + lowAt, low, lowBytes);
  store<u16>(node, <u16>lowBytes, LOW_BYTES);
  store<u16>(node, <u16>(lowAt & OFFSET_MASK), LOW_AT);
  store<u16>(node, <u16>highBytes, HIGH_BYTES);
  let heap = lowAt;
  if (highBytes != NO_FENCE) {
    heap -= highBytes;
    memory.copy(node + heap, high, highBytes);
    store<u16>(node, <u16>(heap & OFFSET_MASK), HIGH_AT);
    store<u16>(node, <u16>common(low, lowBytes, high, highBytes), PREFIX);
  }
  store<u16>(node, <u16>heap, HEAP);
}

/**
 * Opens slot i for a record of `bytes`, which must fit the gap, and a key of `rest` bytes; returns its
 * address.
 */
export function open(node: u32, i: u32, bytes: u32, head: u32, rest: u32): u32 {
  const records = <u32>load<u16>(node, COUNT);
  const at = slot(node, i);
  if (i < records) memory.copy(at + SLOT_BYTES, at, (records - i) << 3);
  const heap = <u32>load<u16>(node, HEAP) - bytes;
  store<u32>(at, head);
  store<u16>(at, <u16>heap, 4);
  store<u16>(at, <u16>rest, 6);
  store<u16>(node, <u16>heap, HEAP);
  store<u16>(node, <u16>(records + 1), COUNT);
  return node + heap;
}

/** Removes slot i; its record becomes garbage. */
export function removeAt(node: u32, i: u32): void {
  const records = <u32>load<u16>(node, COUNT);
  store<u16>(node, <u16>(load<u16>(node, GARBAGE) + <u16>recordBytes(node, i)), GARBAGE);
  const at = slot(node, i);
  memory.copy(at, at + SLOT_BYTES, (records - i - 1) << 3);
  store<u16>(node, <u16>(records - 1), COUNT);
}

/** Makes room for a record of `bytes` more and its slot in the gap; false if the node is too full. */
export function makeRoom(node: u32, bytes: u32, scratch: u32): bool {
  if (gap(node) >= bytes) return true;
  if (freeBytes(node) < bytes) return false;
  compact(node, scratch);
  return true;
}

/** Compacts the records; `scratch` is a page of the caller. */
function compact(node: u32, scratch: u32): void {
  memory.copy(scratch, node, PAGE_BYTES);
  init(
    node,
    level(scratch),
    lowAt(scratch),
    lowBytes(scratch),
    highAt(scratch),
    highBytes(scratch),
  );
  store<u32>(node, load<u32>(scratch, LAST_CHILD), LAST_CHILD);
  append(node, scratch, 0, <u32>load<u16>(scratch, COUNT));
}

/**
 * Appends records [from, to) of `source`, whose prefix may be longer or shorter: the difference of the
 * prefixes is taken from the source's low fence, or left out.
 */
export function append(node: u32, source: u32, from: u32, to: u32): void {
  const mine = prefixBytes(node);
  const theirs = prefixBytes(source);
  const key = keyOffset(source);
  for (let i = from; i < to; i++) {
    const record = recordAt(source, i);
    const suffix = suffixBytes(source, i);
    const bytes = recordBytes(source, i);
    const rest = suffix + theirs - mine;
    const target = open(node, <u32>load<u16>(node, COUNT), bytes + theirs - mine, 0, rest);
    copyBytes(target, record, key);
    if (mine >= theirs) {
      const skip = mine - theirs;
      copyBytes(target + key, record + key + skip, bytes - key - skip);
    } else {
      copyBytes(target + key, prefixAt(source) + mine, theirs - mine);
      copyBytes(target + key + theirs - mine, record + key, bytes - key);
    }
    store<u32>(slot(node, <u32>load<u16>(node, COUNT) - 1), headOf(target + key, rest));
  }
}

/** Bytes that the records of a node would take with a prefix of `prefix` bytes, with their slots. */
export function bytesUnderPrefix(node: u32, prefix: u32): u32 {
  const records = <u32>load<u16>(node, COUNT);
  const grown = prefixBytes(node) - prefix; // may be negative, as u32
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < records; i++) bytes += recordBytes(node, i) + SLOT_BYTES + grown;
  return bytes;
}
