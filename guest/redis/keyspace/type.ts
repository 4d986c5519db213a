// The types of values: what keyspace, files and commands must know of each. types/index.ts says how to add
// one.
//
// Interface   A type registers at boot. Everyone else asks here by the type of an entry, or by the number
//             that a value has in an RDB file, so that no other file names a type.
// Invariants  TYPE-1  An entry of a keyspace has a registered type.

import { CHECKED, broken } from '../bytes/checked.ts';

const TYPES_MAX: u32 = 16; // the type of an entry has 4 bits
const SAVE_TYPES_MAX: u32 = 32;
const ROWS: usize = memory.data(640, 8); // TYPES_MAX * offsetof<Row>()
const LOADERS: usize = memory.data(128, 8); // SAVE_TYPES_MAX * u32: table index, or 0

/** Values with more elements are freed in the background. */
export const LAZY_EFFORT: u32 = 64;

/** Functions are table indexes. Those of a value that is in its entry alone are 0. */
@unmanaged
@final
class Row {
  name: u32;
  encodingName: u32;
  save: u32;
  digest: u32;
  free: u32;
  copy: u32;
  size: u32;
  effort: u32;
  step: u32;
}

/** The row of a registered type. */
@inline
function known(type: u32): Row {
  const row = rowOf(type);
  if (CHECKED && (type >= TYPES_MAX || row.name == 0)) broken('TYPE-1: an entry of no type');
  return row;
}


@inline
function rowOf(type: u32): Row {
  return changetype<Row>(<u32>ROWS + type * offsetof<Row>());
}

// --- Registration ------------------------------------------------------------------------------------------

/**
 * What every type has.
 *   encodingName(found)           what OBJECT ENCODING replies
 *   save(found, key, keyBytes, value)
 *                                 writes the number of the value's form, the key, and the value
 *                                 (rdb/writer.ts). A snapshot's image has every function of this signature,
 *                                 so it is one that few functions have
 *   digest(found, to)             mixes the value into a digest (bytes/digest.ts)
 */
export function define(
  type: u32,
  name: string,
  encodingName: (found: u32) => string,
  save: (found: u32, key: u32, keyBytes: u32, value: u32) => void,
  digest: (found: u32, to: u32) => void,
): void {
  const row = rowOf(type);
  if (row.name != 0) unreachable(); // two types with one number
  row.name = changetype<u32>(name);
  row.encodingName = <u32>encodingName.index;
  row.save = <u32>save.index;
  row.digest = <u32>digest.index;
}

/**
 * What a type has whose values hold memory outside their entry.
 *   free(found)       frees that memory, not the entry
 *   copy(found, to)   fills the value of `to`, an unlinked entry with the same value bytes; false = no memory
 *   size(found)       bytes of that memory
 *   effort(found)     elements: above LAZY_EFFORT the value is freed in the background
 *   step(found)       frees some elements of an unlinked value; false when nothing is left outside the entry
 */
export function defineOutside(
  type: u32,
  free: (found: u32) => void,
  copy: (found: u32, to: u32) => bool,
  size: (found: u32) => u32,
  effort: (found: u32) => u32,
  step: (found: u32) => bool,
): void {
  const row = rowOf(type);
  row.free = <u32>free.index;
  row.copy = <u32>copy.index;
  row.size = <u32>size.index;
  row.effort = <u32>effort.index;
  row.step = <u32>step.index;
}

/**
 * One form in which RDB files have values of a type, format.TYPE_*. `load(form, key, keyBytes)` reads the
 * value and makes a key of it in the selected database: the entry, or 0 after a failure of the reader, and
 * for a value without elements.
 */
export function defineForm(form: u32, load: (form: u32, key: u32, keyBytes: u32) => u32): void {
  if (loaderOf(form) != 0) unreachable(); // two types read one form
  store<u32>(LOADERS + (form << 2), <u32>load.index);
}

// --- Questions ---------------------------------------------------------------------------------------------

/** Name of a type, as TYPE replies it. */
export function nameOf(type: u32): string {
  return changetype<string>(known(type).name);
}

export function encodingName(type: u32, found: u32): string {
  return call_indirect<string>(known(type).encodingName, found);
}

export function save(type: u32, found: u32, key: u32, keyBytes: u32, value: u32): void {
  call_indirect<void>(known(type).save, found, key, keyBytes, value);
}

export function digest(type: u32, found: u32, to: u32): void {
  call_indirect<void>(known(type).digest, found, to);
}

/** The type's loader of a form, or 0: this server lacks the type. */
function loaderOf(form: u32): u32 {
  return form < SAVE_TYPES_MAX ? load<u32>(LOADERS + (form << 2)) : 0;
}

export function canLoad(form: u32): bool {
  return loaderOf(form) != 0;
}

/** Reads a value of a form that canLoad() knows. */
export function loadValue(form: u32, key: u32, keyBytes: u32): u32 {
  return call_indirect<u32>(loaderOf(form), form, key, keyBytes);
}

/** Whether values of a type hold memory outside their entry. */
@inline
export function isOutside(type: u32): bool {
  return known(type).free != 0;
}

export function free(type: u32, found: u32): void {
  if (isOutside(type)) call_indirect<void>(rowOf(type).free, found);
}

export function copy(type: u32, found: u32, to: u32): bool {
  return !isOutside(type) || call_indirect<bool>(rowOf(type).copy, found, to);
}

export function size(type: u32, found: u32): u32 {
  return isOutside(type) ? call_indirect<u32>(rowOf(type).size, found) : 0;
}

export function effort(type: u32, found: u32): u32 {
  return isOutside(type) ? call_indirect<u32>(rowOf(type).effort, found) : 0;
}

export function step(type: u32, found: u32): bool {
  return isOutside(type) && call_indirect<bool>(rowOf(type).step, found);
}
