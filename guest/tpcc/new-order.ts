// New-order (2.4): an order of 5 to 15 lines; one in a hundred names an item that does not exist and is
// rolled back.
//
// Invariants  NEW-1  A rollback, for whatever reason, leaves every record as it was: the locks are held until
//                    it is done, and everything is restored from saved copies (LOCK-2).

import * as random from '../workload/random';
import * as tree from '../kv/tree';
import { ENOENT } from '../../assembly/abi/errno';
import { copyBytes } from '../kv/bytes';
import * as input from './input';
import * as lock from './lock';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

/** Result of run() for an order that was rolled back because of its item. */
export const ROLLED_BACK: i32 = 1;

// A line in map.lines, 32 bytes: item, warehouse, quantity, then the stock as it was.
const LINE_SHIFT: u32 = 5;
const ITEM: u32 = 0;
const SUPPLY: u32 = 4;
const QUANTITY: u32 = 8;
const OLD_STOCK: u32 = 12; // S_DIST bytes

let w: u32 = 0;
let d: u32 = 0;
let c: u32 = 0;
let o: u32 = 0;
let count: u32 = 0;
let isLocal: bool = true;
/** Progress: number of lines done, and before them these steps. */
let linesDone: u32 = 0;
let stage: u32 = 0;
const NUMBERED: u32 = 1;
const ORDERED: u32 = 2;
const LISTED: u32 = 3;
const PENDING: u32 = 4;

/** Of the order, with taxes and discount, as the terminal would show it: hundredths. */
export let total: i64 = 0;
/** Lines whose item and stock are both "original". */
let originals: u32 = 0;


@inline
function line(i: u32): u32 {
  return map.lines + (i << LINE_SHIFT);
}

/** An order at warehouse `home` of `warehouses`: 0, ROLLED_BACK or -errno. */
export function run(home: u32, warehouses: u32): i32 {
  draw(home, warehouses);
  const at = map.record;
  let result = table.read(record.WAREHOUSE, table.ofWarehouse(w), at, record.W_NAME);
  if (result < 0) return result;
  const tax = load<u32>(at, record.W_TAX);
  result = table.read(record.CUSTOMER, table.ofCustomer(w, d, c), at, record.C_FIRST);
  if (result < 0) return result;
  const discount = load<u32>(at, record.C_DISCOUNT);

  const district = lock.district(w, d);
  for (let i: u32 = 0; i < count; i++)
    lock.want(load<u32>(line(i), SUPPLY), load<u32>(line(i), ITEM));
  lock.takeStocks();
  result = execute(tax, discount);
  if (result != 0) undo();
  lock.releaseStocks();
  lock.release(district);
  return result;
}

function draw(home: u32, warehouses: u32): void {
  w = home;
  d = random.between(1, record.DISTRICTS);
  c = input.customer();
  count = random.between(5, record.LINES_MAX);
  isLocal = true;
  const isUnused = random.below(100) == 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = line(i);
    let supply = w;
    if (warehouses > 1 && random.below(100) == 0) {
      supply = random.between(1, warehouses - 1);
      supply += u32(supply >= w);
      isLocal = false;
    }
    const item = isUnused && i == count - 1 ? record.ITEMS + 1 : input.item();
    store<u32>(at, item, ITEM);
    store<u32>(at, supply, SUPPLY);
    store<u32>(at, random.between(1, 10), QUANTITY);
  }
}

/** All of it, under its locks. */
function execute(tax: u32, discount: u32): i32 {
  stage = 0;
  linesDone = 0;
  total = 0;
  originals = 0;
  const district = table.lock(record.DISTRICT, table.ofDistrict(w, d));
  if (district == 0) return -tree.lockFailure;
  o = load<u32>(district, record.D_NEXT);
  const taxes: i64 = 10000 + tax + load<u32>(district, record.D_TAX);
  store<u32>(district, o + 1, record.D_NEXT);
  tree.unlockValue(true);
  stage = NUMBERED;

  const result = announce();
  if (result < 0) return result;
  for (let i: u32 = 0; i < count; i++) {
    const done = orderLine(i);
    if (done < 0) return done == -ENOENT ? ROLLED_BACK : done;
    linesDone = i + 1;
  }
  total = (((total * (10000 - <i64>discount)) / 10000) * taxes) / 10000;
  return 0;
}

/** The order itself, in its three trees. */
function announce(): i32 {
  const at = map.record;
  store<i64>(at, load<i64>(map.NOW), record.O_ENTRY);
  store<u16>(at, <u16>c, record.O_C);
  store<u8>(at, 0, record.O_CARRIER);
  store<u8>(at, <u8>count, record.O_LINES);
  store<u8>(at, u8(isLocal), record.O_LOCAL);
  let result = table.insert(record.ORDER, table.ofOrder(w, d, o), at, record.O_BYTES);
  if (result < 0) return result;
  stage = ORDERED;
  result = table.insert(record.CUSTOMER_ORDER, table.ofCustomerOrder(w, d, c, o), at, 0);
  if (result < 0) return result;
  stage = LISTED;
  result = table.insert(record.NEW_ORDER, table.ofOrder(w, d, o), at, 0);
  if (result < 0) return result;
  stage = PENDING;
  return 0;
}

function orderLine(i: u32): i32 {
  const at = line(i);
  const item = load<u32>(at, ITEM);
  const supply = load<u32>(at, SUPPLY);
  const quantity = load<u32>(at, QUANTITY);
  const found = map.record;
  let result = table.read(record.ITEM, table.ofItem(item), found, record.I_BYTES);
  if (result < 0) return result;
  const amount = load<i64>(found, record.I_PRICE) * quantity;
  const isOriginal = input.isOriginal(found + record.I_DATA);

  const stock = table.lock(record.STOCK, table.ofStock(supply, item));
  if (stock == 0) return -tree.lockFailure;
  copyBytes(at + OLD_STOCK, stock, record.S_DIST);
  take(stock, quantity, supply != w);
  if (isOriginal && input.isOriginal(stock + record.S_DATA)) originals += 1;
  const out = map.text;
  copyBytes(
    out + record.OL_DIST,
    stock + record.S_DIST + (d - 1) * record.DIST_BYTES,
    record.DIST_BYTES,
  );
  tree.unlockValue(true);

  store<i64>(out, 0, record.OL_DELIVERY);
  store<i64>(out, amount, record.OL_AMOUNT);
  store<u32>(out, item, record.OL_I);
  store<u16>(out, <u16>supply, record.OL_SUPPLY_W);
  store<u8>(out, <u8>quantity, record.OL_QUANTITY);
  total += amount;
  result = table.insert(record.ORDER_LINE, table.ofLine(w, d, o, i + 1), out, record.OL_BYTES);
  if (result < 0) restore(i);
  return result;
}

function take(stock: u32, quantity: u32, isRemote: bool): void {
  const old = load<i32>(stock, record.S_QUANTITY);
  const left = old - <i32>quantity;
  store<i32>(stock, left >= 10 ? left : left + 91, record.S_QUANTITY);
  store<u32>(stock, load<u32>(stock, record.S_ORDERS) + 1, record.S_ORDERS);
  store<i64>(stock, load<i64>(stock, record.S_YTD) + quantity, record.S_YTD);
  if (isRemote) store<u32>(stock, load<u32>(stock, record.S_REMOTE) + 1, record.S_REMOTE);
}

// --- rolling back: last change first -----------------------------------------------------------------------

function undo(): void {
  for (let i = linesDone; i > 0; i--) {
    table.remove(record.ORDER_LINE, table.ofLine(w, d, o, i));
    restore(i - 1);
  }
  if (stage >= PENDING) table.remove(record.NEW_ORDER, table.ofOrder(w, d, o));
  if (stage >= LISTED) table.remove(record.CUSTOMER_ORDER, table.ofCustomerOrder(w, d, c, o));
  if (stage >= ORDERED) table.remove(record.ORDER, table.ofOrder(w, d, o));
  if (stage < NUMBERED) return;
  const district = table.lock(record.DISTRICT, table.ofDistrict(w, d));
  if (district == 0) return;
  store<u32>(district, o, record.D_NEXT);
  tree.unlockValue(true);
}

/** Restores the stock of a line. */
function restore(i: u32): void {
  const at = line(i);
  const key = table.ofStock(load<u32>(at, SUPPLY), load<u32>(at, ITEM));
  const stock = table.lock(record.STOCK, key);
  if (stock == 0) return;
  copyBytes(stock, at + OLD_STOCK, record.S_DIST);
  tree.unlockValue(true);
}
