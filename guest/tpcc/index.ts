// TPC-C on the store: a linked guest with the trees of guest/kv and the eleven tables of record.ts.
//
// Interface   One vCPU creates the store (format, then loadItems and loadWarehouse) or opens it; the others
//             join. Each calls seed(), and then run() any number of times, concurrently. One calls check()
//             and close(), when no other is inside. Results are 0 or more, or a negative errno.
// Invariants  TPCC-1  The consistency conditions (check.ts) hold whenever no transaction is running. lock.ts
//                     isolates transactions. A transaction that fails with an I/O error is not undone, except
//                     a new order: the run ends with the error.
// Cost        about 20 us per transaction of the mix when everything is in memory; a look-up is 0.3 to 0.5 of
//             that.

import { ENOMEM } from '../../assembly/abi/errno';
import { SYS_OPEN } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { linkage, pool } from '../../assembly/linked';
import * as allocator from '../kv/allocator';
import * as random from '../workload/random';
import * as storeFile from '../kv/store';
import * as storeMap from '../kv/memory-map';
import * as verifier from '../kv/verify';
import * as analysis from './analysis';
import * as checker from './check';
import * as history from './history';
import * as input from './input';
import * as loader from './load';
import * as map from './memory-map';
import * as mix from './mix';
import * as record from './record';
import * as spoiler from './spoil';

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
}

/** Where to put the path for openFile(); 0 if no frame is free. */
export function window(): u32 {
  return storeMap.attach() && map.attach() ? storeMap.window : 0;
}

export function openFile(pathBytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>storeMap.window, pathBytes, flags, 0, 0);
}

function enter(): i32 {
  if (!map.attach()) return -ENOMEM;
  mix.clear();
  return history.attach();
}

/** An empty store for `warehouses`; the seed also determines the constants of NURand. */
export function format(descriptor: i32, frames: u32, warehouses: u32, seed: u64): i32 {
  let result = storeFile.format(descriptor, frames);
  for (let tree: u32 = 1; tree < record.TREES && result == 0; tree++)
    result = storeFile.createTree(tree);
  if (result != 0) return result;
  store<u32>(map.WAREHOUSES, warehouses);
  if (load<i64>(map.NOW) == 0) store<i64>(map.NOW, 1); // 0 is null
  random.seed(seed);
  input.choose();
  return enter();
}

export function join(): i32 {
  const result = storeFile.join();
  return result != 0 ? result : enter();
}

export function seed(value: u64): void {
  random.seed(value);
}

/** Time in ms for records from now on. */
export function setTime(now: f64): void {
  store<i64>(map.NOW, <i64>now);
}

export function loadItems(): i32 {
  return loader.items();
}

export function loadWarehouse(w: u32): i32 {
  return loader.warehouse(w);
}

/** `count` transactions of the mix. */
export function run(count: u32): i32 {
  return mix.run(count);
}

/** One payment: 0, or a negative errno. */
export function pay(): i32 {
  return mix.only(mix.PAYMENT);
}

/**
 * Reads the large tables from end to end: number of records; `hasSafepoints`: transactions may run in between
 * (analysis.ts).
 */
export function analyse(hasSafepoints: u32): f64 {
  return analysis.run(hasSafepoints != 0);
}

/** Transactions of a kind (mix.ts) that this vCPU has made. */
export function counted(kind: u32): f64 {
  return <f64>mix.counted(kind);
}

/** 0, the number of a violated consistency condition, or -errno. */
export function check(): i32 {
  let result = checker.begin();
  const warehouses = load<u32>(map.WAREHOUSES);
  for (let w: u32 = 1; w <= warehouses && result == 0; w++) result = checker.warehouse(w);
  return result == 0 ? checker.stocks() : result;
}

/** After check(): 0, 1 the sides that differ, 2 the district, 3 the order or customer. */
export function witness(which: u32): f64 {
  if (which == 0) return <f64>checker.left;
  if (which == 1) return <f64>checker.right;
  return <f64>(which == 2 ? checker.d : checker.at);
}

/** For tests: violates a condition, or repairs it (spoil.ts). */
export function spoil(what: u32, direction: i32): i32 {
  return spoiler.run(what, direction);
}

/** The trees themselves (guest/kv/verify.ts). */
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
