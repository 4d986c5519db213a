// Types of values beyond strings: what the keyspace must know to free, copy and describe them.
//
// Interface   A type's file calls define() at boot with functions of these forms; strings need none of them.
//               free(entry)        gives back what the value holds beside the entry, not the entry itself
//               copy(entry, to)    fills the value of `to`, an unlinked entry with the same value bytes; false = no memory
//               size(entry)        bytes that the value holds beside the entry
//               effort(entry)      elements: above LAZY_EFFORT the value is freed in the background
//               step(entry)        frees some elements of an unlinked value; false when nothing is left beside the entry

import * as entry from './entry.ts';

const TYPES: usize = memory.data(320, 8); // 16 rows of 5 x u32

export const LAZY_EFFORT: u32 = 64;

export function define(
  type: u32,
  free: (entry: u32) => void,
  copy: (entry: u32, to: u32) => bool,
  size: (entry: u32) => u32,
  effort: (entry: u32) => u32,
  step: (entry: u32) => bool,
): void {
  const row = TYPES + type * 20;
  store<u32>(row, <u32>free.index);
  store<u32>(row, <u32>copy.index, 4);
  store<u32>(row, <u32>size.index, 8);
  store<u32>(row, <u32>effort.index, 12);
  store<u32>(row, <u32>step.index, 16);
}

/** Name of a type, as TYPE replies it. */
export function nameOf(type: u32): string {
  return type == entry.TYPE_STRING ? 'string' : type == entry.TYPE_HASH ? 'hash' : 'none';
}


@inline
function has(type: u32): bool {
  return load<u32>(TYPES + type * 20) != 0;
}

export function free(type: u32, entry: u32): void {
  if (has(type)) call_indirect<void>(load<u32>(TYPES + type * 20), entry);
}

export function copy(type: u32, entry: u32, to: u32): bool {
  return !has(type) || call_indirect<bool>(load<u32>(TYPES + type * 20, 4), entry, to);
}

export function size(type: u32, entry: u32): u32 {
  return has(type) ? call_indirect<u32>(load<u32>(TYPES + type * 20, 8), entry) : 0;
}

export function effort(type: u32, entry: u32): u32 {
  return has(type) ? call_indirect<u32>(load<u32>(TYPES + type * 20, 12), entry) : 0;
}

export function step(type: u32, entry: u32): bool {
  return has(type) && call_indirect<bool>(load<u32>(TYPES + type * 20, 16), entry);
}
