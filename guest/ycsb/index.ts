// YCSB and random look-ups on the store: a linked guest with the tree of guest/kv and the records of
// record.ts.
//
// Interface   One vCPU creates the store (format, load) or opens it (open, setKeys); the others join. Each
//             calls seed(), prepare(), then run() any number of times, concurrently. One calls sumStamps()
//             and close(), when no other is inside. Results are 0 or more, or a negative errno.

import { EINVAL, ENOMEM } from '../../assembly/abi/errno';
import { SYS_OPEN } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { linkage, pool, vcpu } from '../../assembly/linked';
import * as allocator from '../kv/allocator';
import * as random from '../workload/random';
import * as scanner from '../kv/scan';
import * as storeFile from '../kv/store';
import * as storeMap from '../kv/memory-map';
import * as verifier from '../kv/verify';
import * as zipf from '../workload/zipf';
import * as map from './memory-map';
import * as mix from './mix';
import * as operation from './operation';
import * as record from './record';

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  operation.attach(vcpu.index);
}

/** Where to put the path for openFile(); 0 if no frame is free. */
export function window(): u32 {
  return storeMap.attach() && map.attach() ? storeMap.window : 0;
}

export function openFile(pathBytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>storeMap.window, pathBytes, flags, 0, 0);
}

export function format(descriptor: i32, frames: u32): i32 {
  return map.attach() ? storeFile.format(descriptor, frames) : -ENOMEM;
}

export function open(descriptor: i32, frames: u32): i32 {
  return map.attach() ? storeFile.open(descriptor, frames) : -ENOMEM;
}

export function join(): i32 {
  return map.attach() ? storeFile.join() : -ENOMEM;
}

/** Inserts the keys [from, to) in order. */
export function insert(from: u32, to: u32): i32 {
  let result = 0;
  for (let number = from; number < to && result == 0; number++) result = operation.insert(number);
  return result;
}

/** Keys below `count` exist: inserts of workload E continue from there. */
export function setKeys(count: u32): void {
  atomic.store<u32>(map.KEYS, count);
}

export function seed(value: u64): void {
  random.seed(value);
}

/** Draws from `count` keys: uniformly, or with root != 0 from a Zipf distribution with theta 1 - 1 / root. */
export function prepare(count: u32, root: u32): i32 {
  return mix.prepare(count, root) ? 0 : -EINVAL;
}

/** Whether values are checked. */
export function setChecking(isOn: u32): void {
  operation.setChecking(isOn != 0);
}

/** `count` operations of a workload (mix.ts). */
export function run(kind: u32, count: u32): i32 {
  return mix.run(kind, count);
}

/** Number of changes by this vCPU. */
export function changes(): u32 {
  return mix.changes;
}

/** After only workload F: number of read-modify-writes, as the values record it. Negative: -errno. */
export function sumStamps(): f64 {
  let sum: u64 = 0;
  record.writeKey(map.key, 0);
  const root = storeMap.root(0);
  if (!scanner.first(root, map.key, record.KEY_BYTES, false, false)) return -scanner.failure;
  while (scanner.next()) sum += record.stampOf(scanner.value);
  return scanner.failure != 0 ? -scanner.failure : <f64>sum;
}

/** A rank from the distribution that prepare() set, for its test. */
export function rank(): u32 {
  return zipf.rank();
}

/** The tree itself (guest/kv/verify.ts). */
export function verify(): i32 {
  return verifier.all();
}

export function flush(): i32 {
  return storeFile.flush();
}

export function close(): i32 {
  return storeFile.close();
}

/** A counter of the pool. */
export function stat(which: u32): f64 {
  return <f64>pool.stat(which);
}

export function pagesUsed(): f64 {
  return <f64>allocator.used();
}
