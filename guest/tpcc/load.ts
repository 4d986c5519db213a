// The initial population (4.3.3), in ascending order of keys.
//
// Interface   items() once, warehouse(w) for each: 0 or -errno. Different warehouses may be loaded by
//             different vCPUs.

import * as random from '../workload/random';
import * as history from './history';
import * as input from './input';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

export function items(): i32 {
  const at = map.record;
  for (let i: u32 = 1; i <= record.ITEMS; i++) {
    store<i64>(at, random.between(100, 10000), record.I_PRICE);
    store<u32>(at, random.between(1, 10000), record.I_IMAGE);
    input.text(at + record.I_NAME, 14, 24);
    input.data(at + record.I_DATA);
    const result = table.insert(record.ITEM, table.ofItem(i), at, record.I_BYTES);
    if (result < 0) return result;
  }
  return 0;
}

export function warehouse(w: u32): i32 {
  const at = map.record;
  store<i64>(at, 30000000, record.W_YTD);
  store<u32>(at, random.between(0, 2000), record.W_TAX);
  input.text(at + record.W_NAME, 6, 10);
  input.address(at + record.W_STREET);
  let result = table.insert(record.WAREHOUSE, table.ofWarehouse(w), at, record.W_BYTES);
  if (result == 0) result = stock(w);
  for (let d: u32 = 1; d <= record.DISTRICTS && result == 0; d++) {
    result = district(w, d);
    if (result == 0) result = customers(w, d);
    if (result == 0) result = orders(w, d);
  }
  return result;
}

function stock(w: u32): i32 {
  const at = map.record;
  for (let i: u32 = 1; i <= record.ITEMS; i++) {
    memory.fill(at, 0, record.S_DIST);
    store<i32>(at, random.between(10, 100), record.S_QUANTITY);
    input.letters(at + record.S_DIST, record.DISTRICTS * record.DIST_BYTES);
    input.data(at + record.S_DATA);
    const result = table.insert(record.STOCK, table.ofStock(w, i), at, record.S_BYTES);
    if (result < 0) return result;
  }
  return 0;
}

function district(w: u32, d: u32): i32 {
  const at = map.record;
  store<i64>(at, 3000000, record.D_YTD);
  store<u32>(at, record.CUSTOMERS + 1, record.D_NEXT);
  store<u32>(at, random.between(0, 2000), record.D_TAX);
  input.text(at + record.D_NAME, 6, 10);
  input.address(at + record.D_STREET);
  return table.insert(record.DISTRICT, table.ofDistrict(w, d), at, record.D_BYTES);
}

function customers(w: u32, d: u32): i32 {
  const at = map.record;
  for (let c: u32 = 1; c <= record.CUSTOMERS; c++) {
    store<i64>(at, -1000, record.C_BALANCE);
    store<i64>(at, 1000, record.C_YTD_PAYMENT);
    store<u32>(at, 1, record.C_PAYMENTS);
    store<u32>(at, 0, record.C_DELIVERIES);
    store<u32>(at, random.between(0, 5000), record.C_DISCOUNT);
    store<i64>(at, 5000000, record.C_CREDIT_LIMIT);
    store<i64>(at, load<i64>(map.NOW), record.C_SINCE);
    store<u16>(at, random.below(10) == 0 ? 0x4342 : 0x4347, record.C_CREDIT); // BC, GC
    const number = c <= 1000 ? c - 1 : input.lastNameAtLoad();
    const last = at + record.C_LAST;
    store<u8>(last, <u8>input.lastName(last + 1, number));
    const first = at + record.C_FIRST;
    input.text(first, 8, 16);
    store<u16>(at, 0x454f, record.C_MIDDLE); // OE
    input.address(at + record.C_STREET);
    input.digits(at + record.C_PHONE, 16);
    const dataBytes = random.between(300, 500);
    store<u16>(at, <u16>dataBytes, record.C_DATA_BYTES);
    input.letters(at + record.C_DATA, dataBytes);
    let result = table.insert(record.CUSTOMER, table.ofCustomer(w, d, c), at, record.C_BYTES);
    if (result < 0) return result;
    const named = table.ofLastName(w, d, last + 1, load<u8>(last));
    const bytes = table.addFirstName(named, first + 1, load<u8>(first), c);
    result = table.insert(record.CUSTOMER_NAME, bytes, at, 0);
    if (result < 0) return result;
    input.text(map.text, 12, 24);
    result = history.add(w, d, c, w, d, 1000, map.text);
    if (result < 0) return result;
  }
  return 0;
}

/** One order of each customer, in random order; the last 900 are not delivered. */
function orders(w: u32, d: u32): i32 {
  const permutation = map.permutation;
  for (let i: u32 = 0; i < record.CUSTOMERS; i++) store<u16>(permutation + (i << 1), <u16>(i + 1));
  for (let o: u32 = 1; o <= record.CUSTOMERS; o++) {
    const here = permutation + ((o - 1) << 1);
    const there = permutation + (random.between(o - 1, record.CUSTOMERS - 1) << 1);
    const c = load<u16>(there);
    store<u16>(there, load<u16>(here));
    const result = order(w, d, o, c);
    if (result < 0) return result;
  }
  return 0;
}

function order(w: u32, d: u32, o: u32, c: u32): i32 {
  const at = map.record;
  const isDelivered = o <= record.DELIVERED_AT_LOAD;
  const lines = random.between(5, record.LINES_MAX);
  const now = load<i64>(map.NOW);
  store<i64>(at, now, record.O_ENTRY);
  store<u16>(at, <u16>c, record.O_C);
  store<u8>(at, isDelivered ? <u8>random.between(1, 10) : 0, record.O_CARRIER);
  store<u8>(at, <u8>lines, record.O_LINES);
  store<u8>(at, 1, record.O_LOCAL);
  let result = table.insert(record.ORDER, table.ofOrder(w, d, o), at, record.O_BYTES);
  if (result < 0) return result;
  result = table.insert(record.CUSTOMER_ORDER, table.ofCustomerOrder(w, d, c, o), at, 0);
  if (result < 0) return result;
  if (!isDelivered) result = table.insert(record.NEW_ORDER, table.ofOrder(w, d, o), at, 0);
  for (let number: u32 = 1; number <= lines && result >= 0; number++) {
    store<i64>(at, isDelivered ? now : 0, record.OL_DELIVERY);
    store<i64>(at, isDelivered ? 0 : random.between(1, 999999), record.OL_AMOUNT);
    store<u32>(at, random.between(1, record.ITEMS), record.OL_I);
    store<u16>(at, <u16>w, record.OL_SUPPLY_W);
    store<u8>(at, 5, record.OL_QUANTITY);
    input.letters(at + record.OL_DIST, record.DIST_BYTES);
    const key = table.ofLine(w, d, o, number);
    result = table.insert(record.ORDER_LINE, key, at, record.OL_BYTES);
  }
  return result;
}
