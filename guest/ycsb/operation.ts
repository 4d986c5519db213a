// The operations of YCSB on one key, and look-ups and updates in groups.
//
// Interface   0 or a negative errno; -EBADMSG when `isChecking` is set and a value is wrong. A key is its
//             number.

import * as many from '../kv/many';
import * as scanner from '../kv/scan';
import * as storeMap from '../kv/memory-map';
import * as tree from '../kv/tree';
import { EBADMSG } from '../../assembly/abi/errno';
import { pool } from '../../assembly/linked';
import * as map from './memory-map';
import * as record from './record';

export const GROUP: u32 = many.MANY_MAX;

let isChecking: bool = false;
/** Stamp of the values that this vCPU writes; grows with each. */
let stamp: u64 = 0;

export function attach(vcpu: u32): void {
  stamp = (<u64>vcpu) << 48;
}

export function setChecking(isOn: bool): void {
  isChecking = isOn;
}


@inline
function root(): u32 {
  return storeMap.root(0);
}


@inline
function checked(at: u32, number: u64, length: i32): i32 {
  if (length < 0) return length;
  return isChecking && (length != record.VALUE_BYTES || !record.isWhole(at, number)) ? -EBADMSG : 0;
}

export function read(number: u64): i32 {
  record.writeKey(map.key, number);
  const length = tree.lookup(root(), map.key, record.KEY_BYTES, map.value, record.VALUE_BYTES);
  return checked(map.value, number, length);
}

/** With the stamp 0: as many changes as the key has seen. */
export function insert(number: u64): i32 {
  record.writeKey(map.key, number);
  record.write(map.value, number, 0);
  return put(tree.PUT_NEW);
}

function put(mode: u32): i32 {
  return tree.put(root(), map.key, record.KEY_BYTES, map.value, record.VALUE_BYTES, mode);
}

export function update(number: u64): i32 {
  record.writeKey(map.key, number);
  record.write(map.value, number, ++stamp);
  return put(tree.PUT_REPLACE);
}

/** Reads the value and adds one to its stamp, atomically. */
export function readModifyWrite(number: u64): i32 {
  record.writeKey(map.key, number);
  const at = tree.lockValue(root(), map.key, record.KEY_BYTES);
  if (at == 0) return -tree.lockFailure;
  const result = checked(at, number, <i32>tree.lockedBytes);
  if (result == 0) record.write(at, number, record.stampOf(at) + 1);
  tree.unlockValue(result == 0);
  return result;
}

/**
 * Reads `count` records from the key on, in order. Keys below `there` all exist; above, other vCPUs are
 * inserting, and a greater key may appear before a smaller one.
 */
export function scan(number: u64, count: u32, there: u64): i32 {
  record.writeKey(map.key, number);
  let expected = number;
  let goesOn = scanner.first(root(), map.key, record.KEY_BYTES, false, false) && scanner.next();
  for (let i: u32 = 0; i < count && goesOn; i++) {
    memory.copy(map.value, scanner.value, record.VALUE_BYTES);
    const found = bswap<u64>(load<u64>(scanner.key));
    if (isChecking && (found < expected || (found > expected && expected < there))) return -EBADMSG;
    if (checked(map.value, found, <i32>scanner.valueBytes) != 0) return -EBADMSG;
    expected = found + 1;
    goesOn = scanner.next();
  }
  return -scanner.failure;
}

/** Sets operation i of the group to this number; then runGroup(). */
export function want(i: u32, number: u64): void {
  if (i == 0) many.clear();
  const key = map.groupKeys + (i << 3);
  record.writeKey(key, number);
  many.add(key, record.KEY_BYTES);
}

/**
 * Advances all look-ups to their leaves together; then bit i of `updates` makes operation i an update instead
 * of a read.
 */
export function runGroup(count: u32, updates: u64): i32 {
  let result = 0;
  pool.begin();
  many.run(root());
  for (let i: u32 = 0; i < count && result == 0; i++) {
    if (updates & ((<u64>1) << i)) continue;
    const out = map.groupValues + (i << 7);
    result = checked(out, numberOf(i), value(i, out));
  }
  pool.end();
  for (; updates != 0 && result == 0; updates &= updates - 1)
    result = update(numberOf(<u32>ctz<u64>(updates)));
  return result;
}

function numberOf(i: u32): u64 {
  return bswap<u64>(load<u64>(many.keyOf(i)));
}

/** Completes look-up i of the group: from where it is, or from the start. */
function value(i: u32, out: u32): i32 {
  if (many.isFound(i) && many.index != many.NONE) {
    const max = record.VALUE_BYTES;
    const length = tree.copyValue(many.leaf, many.page, many.header, many.index, out, max, 0);
    if (length >= 0) return length;
  }
  const length = tree.lookup(root(), many.keyOf(i), many.bytesOf(i), out, record.VALUE_BYTES);
  pool.begin(); // invalidates the others of the group, which will notice
  return length;
}
