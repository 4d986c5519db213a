// Isolation of transactions by several vCPUs on one warehouse: two-phase locks in shared memory.
//
// Interface   district(), stocks() and release*(): a transaction takes its locks before its first change and
//             releases them after its last.
// Invariants  LOCK-1  A district's lock covers its orders, lines and new orders, D_NEXT_O_ID, and what a
//                     transaction reads of customers together with them. New-order, delivery (of each
//                     district by itself, 2.7.2.2), order-status and stock-level hold it. Payment does not:
//                     each of its changes is an addition to one record, made under the leaf's own pin
//                     (tree.lockValue), and additions commute.
//             LOCK-2  A stock's lock is held by the new order that changes it until it is committed or rolled
//                     back, so that no transaction sees what may be rolled back. stock-level takes it for the
//                     read of one stock.
//             LOCK-3  Order: one district, then stocks by ascending lock. So deadlocks cannot occur.
// Concurrency Rows share locks by hash; sharing costs only a wait.
// Cost        5 to 10 ns per lock without contention.

import { spinlock } from '../../assembly/linked';
import * as map from './memory-map';
import * as record from './record';

const DISTRICT_LOCKS: u32 = 1024;
const STOCK_LOCK_BITS: u32 = 12;
/** A lock is usually held for about 10 us; a sleep takes 50. */
const SPINS: u32 = 4000;

function acquire(lock: u32): void {
  let turn: u32 = 0;
  while (atomic.load<u32>(lock) != 0 || atomic.cmpxchg<u32>(lock, 0, 1) != 0)
    if (turn++ > SPINS) spinlock.pause(turn, lock);
}


@inline
export function release(lock: u32): void {
  atomic.store<u32>(lock, 0);
}

/** Takes the district's lock and returns it. */
export function district(w: u32, d: u32): u32 {
  const which = (w * record.DISTRICTS + d) & (DISTRICT_LOCKS - 1);
  const lock = map.DISTRICT_LOCKS_AT + (which << 6);
  acquire(lock);
  return lock;
}


@inline
function ofStock(w: u32, i: u32): u32 {
  const hash = (w * (record.ITEMS + 1) + i) * 0x9e3779b1;
  return map.STOCK_LOCKS_AT + ((hash >> (32 - STOCK_LOCK_BITS)) << 2);
}

/** Takes one stock's lock and returns it. */
export function stock(w: u32, i: u32): u32 {
  const lock = ofStock(w, i);
  acquire(lock);
  return lock;
}

/** The stock locks that this vCPU holds, ascending, each once. */
let held: u32 = 0;
const HELD: u32 = 512; // behind the lines of the order


@inline
function heldAt(i: u32): u32 {
  return map.lines + HELD + (i << 2);
}

/** Notes a stock whose lock takeStocks() will take. */
export function want(w: u32, i: u32): void {
  const lock = ofStock(w, i);
  let at = held;
  while (at > 0 && load<u32>(heldAt(at - 1)) > lock) at -= 1;
  if (at > 0 && load<u32>(heldAt(at - 1)) == lock) return;
  for (let j = held; j > at; j--) store<u32>(heldAt(j), load<u32>(heldAt(j - 1)));
  store<u32>(heldAt(at), lock);
  held += 1;
}

export function takeStocks(): void {
  for (let i: u32 = 0; i < held; i++) acquire(load<u32>(heldAt(i)));
}

export function releaseStocks(): void {
  for (let i: u32 = 0; i < held; i++) release(load<u32>(heldAt(i)));
  held = 0;
}
