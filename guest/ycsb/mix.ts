// The workloads: which operation is next, on which key.
//
//   READ_ONE   100 % read: random look-ups, and YCSB-C       READ_MANY  the same, 64 look-ups advanced together
//   A  50 % read, 50 % update      B  95 % read, 5 % update      E  95 % scan of 1 to 100, 5 % insert
//   F  50 % read, 50 % read-modify-write                        A_MANY  as A, 64 together

import * as random from '../workload/random';
import * as zipf from '../workload/zipf';
import { EINVAL } from '../../assembly/abi/errno';
import * as map from './memory-map';
import * as operation from './operation';

export const READ_ONE: u32 = 0;
export const READ_MANY: u32 = 1;
export const A: u32 = 2;
export const B: u32 = 3;
export const E: u32 = 4;
export const F: u32 = 5;
const A_MANY: u32 = 6;

const SCAN_MAX: u32 = 100;
/** Spreads ranks over the keys: a prime, so that no two ranks share a key. */
const SPREAD: u64 = 2654435761;

let keys: u32 = 0;
let isZipf: bool = false;
/** Changes by this vCPU: updates, inserts, read-modify-writes. */
export let changes: u32 = 0;

/** Keys 0 to count - 1, uniform (root 0), or Zipf with theta 1 - 1 / root. False for invalid parameters. */
export function prepare(count: u32, root: u32): bool {
  keys = count;
  isZipf = root != 0;
  return isZipf ? zipf.prepare(count, root) : count != 0;
}

export function clear(): void {
  changes = 0;
}


@inline
function drawn(): u64 {
  return isZipf ? ((<u64>zipf.rank() - 1) * SPREAD) % <u64>keys : <u64>random.below(keys);
}

export function run(kind: u32, count: u32): i32 {
  if (keys == 0) return -EINVAL;
  if (kind == READ_MANY) return runGroups(count, 0);
  if (kind == A_MANY) return runGroups(count, 50);
  let result = 0;
  if (kind == READ_ONE)
    for (let i: u32 = 0; i < count && result >= 0; i++) result = operation.read(drawn());
  else for (let i: u32 = 0; i < count && result >= 0; i++) result = one(kind);
  return result;
}

function runGroups(count: u32, percentUpdated: u32): i32 {
  let result = 0;
  for (let done: u32 = 0; done < count && result >= 0; done += operation.GROUP) {
    const group = min<u32>(operation.GROUP, count - done);
    let updates: u64 = 0;
    for (let i: u32 = 0; i < group; i++) {
      operation.want(i, drawn());
      if (random.below(100) < percentUpdated) updates |= (<u64>1) << i;
    }
    result = operation.runGroup(group, updates);
    if (result == 0) changes += <u32>popcnt<u64>(updates);
  }
  return result;
}

function one(kind: u32): i32 {
  const percent = random.below(100);
  switch (kind) {
    case A:
      return percent < 50 ? operation.read(drawn()) : counted(operation.update(drawn()));
    case B:
      return percent < 95 ? operation.read(drawn()) : counted(operation.update(drawn()));
    case E:
      if (percent < 95) return operation.scan(drawn(), random.between(1, SCAN_MAX), keys);
      return counted(operation.insert(atomic.add<u32>(map.KEYS, 1)));
    case F:
      return percent < 50 ? operation.read(drawn()) : counted(operation.readModifyWrite(drawn()));
    default:
      return -EINVAL;
  }
}

function counted(result: i32): i32 {
  if (result == 0) changes += 1;
  return result;
}
