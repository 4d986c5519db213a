// A field of a large hash with its value: one allocation, linked into a chain.
//
// Structure   0 next node u32   4 field bytes u32   8 value bytes u32   12 field, then value

import { CHECKED, broken } from '../bytes/checked.ts';
import { KIND_VALUE } from '../bytes/heap.ts';
import { copy, equal } from '../bytes/copy.ts';
import { slab } from '../../../assembly/index.ts';

const FIELD_BYTES: u32 = 4;
const VALUE_BYTES: u32 = 8;
const NODE_BYTES: u32 = 12;
const BYTES_MAX: u64 = 0xe0000000;


@inline
export function next(node: u32): u32 {
  return load<u32>(node);
}


@inline
export function setNext(node: u32, to: u32): void {
  store<u32>(node, to);
}


@inline
export function field(node: u32): u32 {
  return node + NODE_BYTES;
}


@inline
export function fieldBytes(node: u32): u32 {
  return load<u32>(node, FIELD_BYTES);
}


@inline
export function value(node: u32): u32 {
  return node + NODE_BYTES + load<u32>(node, FIELD_BYTES);
}


@inline
export function valueBytes(node: u32): u32 {
  return load<u32>(node, VALUE_BYTES);
}

/** Bytes of the allocation. */
@inline
export function bytes(node: u32): u32 {
  return slab.usable(node);
}


@inline
export function isNamed(node: u32, name: u32, nameBytes: u32): bool {
  return fieldBytes(node) == nameBytes && equal(field(node), name, nameBytes);
}

/** A node at the end of a chain; 0 if out of memory. */
export function make(name: u32, nameBytes: u32, text: u32, textBytes: u32): u32 {
  const total = <u64>NODE_BYTES + nameBytes + textBytes;
  if (total > BYTES_MAX) return 0;
  const node = slab.alloc(KIND_VALUE, <u32>total);
  if (node == 0) return 0;
  store<u32>(node, 0);
  store<u32>(node, nameBytes, FIELD_BYTES);
  store<u32>(node, textBytes, VALUE_BYTES);
  copy(field(node), name, nameBytes);
  copy(value(node), text, textBytes);
  if (CHECKED && NODE_BYTES + nameBytes + textBytes > bytes(node))
    broken('NODE: a node is longer than its allocation');
  return node;
}

/** Gives a node another value in place; false when it does not fit, or would leave too much unused. */
export function setValue(node: u32, text: u32, textBytes: u32): bool {
  const total = <u64>NODE_BYTES + fieldBytes(node) + textBytes;
  if (total > BYTES_MAX || slab.roundUp(<u32>total) != slab.usable(node)) return false;
  copy(value(node), text, textBytes);
  store<u32>(node, textBytes, VALUE_BYTES);
  return true;
}

export function free(node: u32): void {
  slab.free(node);
}
