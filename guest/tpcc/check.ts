// The consistency conditions of the specification (3.3.2), and three of our own. No transaction may be
// running.
//
// Interface   warehouse(w) for each, then stocks(): 0, the number of a violated condition (with the two sides
//             in `left` and `right`, the district and the order or customer in `d` and `at`), or -errno.
//
//    1  W_YTD = sum of D_YTD                         2  D_NEXT_O_ID - 1 = greatest O_ID = greatest NO_O_ID
//    3  numbers in NEW_ORDER have no gap             4  sum of O_OL_CNT = rows in ORDER_LINE
//    5  no carrier <=> row in NEW_ORDER              6  O_OL_CNT = rows of the order in ORDER_LINE
//    7  no delivery date <=> no carrier              8  W_YTD = sum of H_AMOUNT
//    9  D_YTD = sum of H_AMOUNT                     10  C_BALANCE = delivered OL_AMOUNT - H_AMOUNT
//   11  orders - new orders = 2100 + deliveries     12  C_BALANCE + C_YTD_PAYMENT = delivered OL_AMOUNT
//   13  both name indexes have as many entries as there are customers and orders
//   14  sum of S_YTD and of S_ORDER_CNT = quantities and number of lines of the orders since the load
//
// Cost        one pass over everything, 50 ns per record, and over HISTORY for each warehouse.

import * as scan from '../kv/scan';
import { ENOENT, ENOMEM } from '../../assembly/abi/errno';
import { linkage } from '../../assembly/linked';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

/** Orders of a district for which the tables have room. */
const ORDERS_MAX: u32 = 1 << 20;

// Tables: amounts paid and delivered by a warehouse's customers, i64 each; amounts received by its districts
// and by the warehouse; one word for each order of a district.
const CUSTOMERS_BYTES: u32 = record.DISTRICTS * record.CUSTOMERS * 8;
const DELIVERED: u32 = CUSTOMERS_BYTES;
const RECEIVED: u32 = 2 * CUSTOMERS_BYTES;
const ORDERS: u32 = RECEIVED + 4096;
const TABLES_FRAMES: u32 = (ORDERS + 4 * ORDERS_MAX) / 4096 + 1;

// Word of an order: customer, number of lines in the order record, number of lines found.
const CUSTOMER_MASK: u32 = 0xfff;
const LINES_SHIFT: u32 = 12;
const FOUND_SHIFT: u32 = 16;
const COUNT_MASK: u32 = 15;
const HAS_CARRIER: u32 = 1 << 20;
const IS_NEW: u32 = 1 << 21;

export let left: i64 = 0;
export let right: i64 = 0;
export let d: u32 = 0;
export let at: u32 = 0;

let tables: u32 = 0;
let w: u32 = 0;
/** Of orders since the load, over all warehouses checked since begin(). */
let soldLines: i64 = 0;
let soldQuantity: i64 = 0;

export function begin(): i32 {
  tables = load<u32>(map.CHECK_TABLES);
  if (tables == 0) tables = linkage.claimFrames(TABLES_FRAMES);
  if (tables == 0) return -ENOMEM;
  store<u32>(map.CHECK_TABLES, tables);
  soldLines = 0;
  soldQuantity = 0;
  return 0;
}

/** Whether the condition is violated: the two sides differ. */
function differ(a: i64, b: i64): bool {
  left = a;
  right = b;
  return a != b;
}

/** Advances to the next record of a scan over keys with the prefix that it started with; false at the end. */
function more(result: i32, prefix: u32, bytes: u32): bool {
  return result == 0 && table.part(scan.key, 0, bytes) == prefix;
}

function step(): i32 {
  if (scan.next()) return 0;
  return scan.failure != 0 ? -scan.failure : -ENOENT;
}


@inline
function customerCell(base: u32, district: u32, c: u32): u32 {
  return tables + base + (((district - 1) * record.CUSTOMERS + c - 1) << 3);
}


@inline
function add(cell: u32, amount: i64): void {
  store<i64>(cell, load<i64>(cell) + amount);
}


@inline
function orderWord(o: u32): u32 {
  return tables + ORDERS + (o << 2);
}

export function warehouse(number: u32): i32 {
  w = number;
  memory.fill(tables, 0, ORDERS);
  let result = sumHistory();
  if (result < 0) return result;
  result = table.read(record.WAREHOUSE, table.ofWarehouse(w), map.record, record.W_TAX);
  if (result < 0) return result;
  const ytd = load<i64>(map.record, record.W_YTD);
  d = 0;
  if (differ(ytd, load<i64>(tables + RECEIVED))) return 8;
  let sum: i64 = 0;
  for (let district: u32 = 1; district <= record.DISTRICTS; district++) {
    d = district;
    result = checkDistrict();
    if (result != 0) return result;
    sum += load<i64>(tables + RECEIVED + (d << 3));
  }
  return differ(ytd, sum) ? 1 : 0; // D_YTD was compared with what the districts received
}

function sumHistory(): i32 {
  let result = table.seek(record.HISTORY, table.ofHistory(0, 0));
  while (result == 0) {
    const row = scan.value;
    const amount = load<i64>(row, record.H_AMOUNT);
    if (load<u16>(row, record.H_C_W) == <u16>w)
      add(customerCell(0, load<u8>(row, record.H_C_D), load<u16>(row, record.H_C)), amount);
    if (load<u16>(row, record.H_W) == <u16>w) {
      add(tables + RECEIVED, amount);
      add(tables + RECEIVED + ((<u32>load<u8>(row, record.H_D)) << 3), amount);
    }
    result = step();
  }
  return result == -ENOENT ? 0 : result;
}

let next: u32 = 0;
let orders: i64 = 0;
let newOrders: i64 = 0;
let saidLines: i64 = 0;

function checkDistrict(): i32 {
  at = 0;
  let result = table.read(record.DISTRICT, table.ofDistrict(w, d), map.record, record.D_TAX);
  if (result < 0) return result;
  next = load<u32>(map.record, record.D_NEXT);
  if (differ(load<i64>(map.record, record.D_YTD), load<i64>(tables + RECEIVED + (d << 3))))
    return 9;
  if (next > ORDERS_MAX) return -ENOMEM;
  memory.fill(tables + ORDERS, 0, next << 2);
  result = readOrders();
  if (result == 0) result = readNewOrders();
  if (result == 0) result = readLines();
  if (result == 0) result = compareOrders();
  if (result == 0) result = readCustomers();
  return result != 0 ? result : countIndexes();
}

function readOrders(): i32 {
  const prefix = (w << 8) | d;
  let last: u32 = 0;
  orders = 0;
  saidLines = 0;
  let result = table.seek(record.ORDER, table.ofOrder(w, d, 0));
  while (more(result, prefix, 3)) {
    const row = scan.value;
    last = table.part(scan.key, 3, 4);
    if (last >= next) break;
    const lines = <u32>load<u8>(row, record.O_LINES);
    const carrier = load<u8>(row, record.O_CARRIER) == 0 ? 0 : HAS_CARRIER;
    store<u32>(orderWord(last), load<u16>(row, record.O_C) | (lines << LINES_SHIFT) | carrier);
    orders += 1;
    saidLines += lines;
    result = step();
  }
  if (result < 0 && result != -ENOENT) return result;
  return differ(next - 1, last) ? 2 : 0;
}

function readNewOrders(): i32 {
  const prefix = (w << 8) | d;
  let first: u32 = 0;
  let last: u32 = 0;
  newOrders = 0;
  let result = table.seek(record.NEW_ORDER, table.ofOrder(w, d, 0));
  while (more(result, prefix, 3)) {
    last = table.part(scan.key, 3, 4);
    if (newOrders == 0) first = last;
    newOrders += 1;
    if (last >= next) break;
    store<u32>(orderWord(last), load<u32>(orderWord(last)) | IS_NEW);
    result = step();
  }
  if (result < 0 && result != -ENOENT) return result;
  if (newOrders == 0) return 0;
  if (differ(next - 1, last)) return 2;
  return differ(<i64>last - first + 1, newOrders) ? 3 : 0;
}

function readLines(): i32 {
  const prefix = (w << 8) | d;
  let lines: i64 = 0;
  let result = table.seek(record.ORDER_LINE, table.ofLine(w, d, 0, 0));
  while (more(result, prefix, 3)) {
    at = table.part(scan.key, 3, 4);
    if (at >= next) return 4;
    const row = scan.value;
    const word = load<u32>(orderWord(at));
    const isDelivered = load<i64>(row, record.OL_DELIVERY) != 0;
    if (differ(i64(isDelivered), i64((word & HAS_CARRIER) != 0))) return 7;
    lines += 1;
    if (((word >> FOUND_SHIFT) & COUNT_MASK) == COUNT_MASK) return 6;
    store<u32>(orderWord(at), word + (1 << FOUND_SHIFT));
    if (isDelivered)
      add(customerCell(DELIVERED, d, word & CUSTOMER_MASK), load<i64>(row, record.OL_AMOUNT));
    if (at > record.CUSTOMERS) {
      soldLines += 1;
      soldQuantity += load<u8>(row, record.OL_QUANTITY);
    }
    result = step();
  }
  if (result < 0 && result != -ENOENT) return result;
  return differ(saidLines, lines) ? 4 : 0;
}

function compareOrders(): i32 {
  for (at = 1; at < next; at++) {
    const word = load<u32>(orderWord(at));
    if (differ((word >> LINES_SHIFT) & COUNT_MASK, (word >> FOUND_SHIFT) & COUNT_MASK)) return 6;
    if (differ(i64((word & HAS_CARRIER) == 0), i64((word & IS_NEW) != 0))) return 5;
  }
  return 0;
}

function readCustomers(): i32 {
  const prefix = (w << 8) | d;
  let deliveries: i64 = 0;
  let result = table.seek(record.CUSTOMER, table.ofCustomer(w, d, 0));
  while (more(result, prefix, 3)) {
    at = table.part(scan.key, 3, 2);
    const row = scan.value;
    const balance = load<i64>(row, record.C_BALANCE);
    const delivered = load<i64>(customerCell(DELIVERED, d, at));
    if (differ(balance, delivered - load<i64>(customerCell(0, d, at)))) return 10;
    if (differ(balance + load<i64>(row, record.C_YTD_PAYMENT), delivered)) return 12;
    deliveries += load<u32>(row, record.C_DELIVERIES);
    result = step();
  }
  if (result < 0 && result != -ENOENT) return result;
  return differ(orders - newOrders, record.DELIVERED_AT_LOAD + deliveries) ? 11 : 0;
}

function countIndexes(): i32 {
  if (differ(count(record.CUSTOMER_NAME), record.CUSTOMERS)) return 13;
  return differ(count(record.CUSTOMER_ORDER), orders) ? 13 : 0;
}

/** Entries of a tree that belong to the district. */
function count(which: u32): i64 {
  const prefix = (w << 8) | d;
  let entries: i64 = 0;
  let result = table.seek(which, table.ofDistrict(w, d));
  while (more(result, prefix, 3)) {
    entries += 1;
    result = step();
  }
  return entries;
}

/** After all warehouses. */
export function stocks(): i32 {
  let counted: i64 = 0;
  let quantity: i64 = 0;
  let result = table.seek(record.STOCK, table.ofStock(1, 0));
  while (result == 0) {
    counted += load<u32>(scan.value, record.S_ORDERS);
    quantity += load<i64>(scan.value, record.S_YTD);
    result = step();
  }
  if (result != -ENOENT) return result;
  return differ(quantity, soldQuantity) || differ(counted, soldLines) ? 14 : 0;
}
