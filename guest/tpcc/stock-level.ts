// Stock-level (2.8): how many items of a district's last twenty orders are low in stock.

import * as random from '../workload/random';
import * as scan from '../kv/scan';
import { ENOENT } from '../../assembly/abi/errno';
import * as lock from './lock';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

const ORDERS: u32 = 20;

// A set of items: a hash table of u32 in map.seen, open addressing, 0 = empty. At most 20 * 15 of 1024 are
// used.
const SET_BITS: u32 = 10;
const SET_BYTES: u32 = 4 << SET_BITS;

/** Items that the last run found low. */
export let low: u32 = 0;

export function run(w: u32): i32 {
  const d = random.between(1, record.DISTRICTS);
  const threshold = random.between(10, 20);
  const district = lock.district(w, d);
  const result = collect(w, d);
  lock.release(district);
  return result < 0 ? result : countLow(w, threshold);
}

/** Adds the items of the last orders to the set, each once. */
function collect(w: u32, d: u32): i32 {
  memory.fill(map.seen, 0, SET_BYTES);
  const at = map.record;
  let result = table.read(record.DISTRICT, table.ofDistrict(w, d), at, record.D_TAX);
  if (result < 0) return result;
  const next = load<u32>(at, record.D_NEXT);
  result = table.seek(record.ORDER_LINE, table.ofLine(w, d, next - ORDERS, 0));
  while (result == 0 && table.part(scan.key, 0, 3) == ((w << 8) | d)) {
    add(load<u32>(scan.value, record.OL_I));
    if (!scan.next()) result = scan.failure != 0 ? -scan.failure : -ENOENT;
  }
  return result == -ENOENT ? 0 : result;
}

function add(item: u32): void {
  let i = (item * 0x9e3779b1) >> (32 - SET_BITS);
  while (true) {
    const at = map.seen + (i << 2);
    const there = load<u32>(at);
    if (there == item) return;
    if (there == 0) {
      store<u32>(at, item);
      return;
    }
    i = (i + 1) & ((1 << SET_BITS) - 1);
  }
}

function countLow(w: u32, threshold: u32): i32 {
  const at = map.record;
  low = 0;
  for (let i: u32 = 0; i < SET_BYTES; i += 4) {
    const item = load<u32>(map.seen + i);
    if (item == 0) continue;
    const stock = lock.stock(w, item);
    const result = table.read(record.STOCK, table.ofStock(w, item), at, record.S_ORDERS);
    lock.release(stock);
    if (result < 0) return result;
    if (load<i32>(at, record.S_QUANTITY) < <i32>threshold) low += 1;
  }
  return 0;
}
