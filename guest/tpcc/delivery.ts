// Delivery (2.7): the oldest new order of each district of a warehouse; each district is a separate
// transaction.

import * as random from '../workload/random';
import * as scan from '../kv/scan';
import * as tree from '../kv/tree';
import { ENOENT } from '../../assembly/abi/errno';
import * as lock from './lock';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

/** Districts without a new order, over all deliveries of this vCPU (2.7.4.2). */
export let skipped: u32 = 0;

export function run(w: u32): i32 {
  const carrier = random.between(1, 10);
  for (let d: u32 = 1; d <= record.DISTRICTS; d++) {
    const district = lock.district(w, d);
    const result = deliver(w, d, carrier);
    lock.release(district);
    if (result < 0) return result;
  }
  return 0;
}

function deliver(w: u32, d: u32, carrier: u32): i32 {
  let result = table.seek(record.NEW_ORDER, table.ofOrder(w, d, 0));
  const isNone = result == 0 ? table.part(scan.key, 0, 3) != ((w << 8) | d) : result == -ENOENT;
  if (isNone) {
    skipped += 1;
    return 0;
  }
  if (result < 0) return result;
  const o = table.part(scan.key, 3, 4);
  result = table.remove(record.NEW_ORDER, table.ofOrder(w, d, o));
  if (result < 0) return result;

  const order = table.lock(record.ORDER, table.ofOrder(w, d, o));
  if (order == 0) return -tree.lockFailure;
  store<u8>(order, <u8>carrier, record.O_CARRIER);
  const c = <u32>load<u16>(order, record.O_C);
  const lines = <u32>load<u8>(order, record.O_LINES);
  tree.unlockValue(true);

  let total: i64 = 0;
  for (let number: u32 = 1; number <= lines; number++) {
    const line = table.lock(record.ORDER_LINE, table.ofLine(w, d, o, number));
    if (line == 0) return -tree.lockFailure;
    total += load<i64>(line, record.OL_AMOUNT);
    store<i64>(line, load<i64>(map.NOW), record.OL_DELIVERY);
    tree.unlockValue(true);
  }

  const customer = table.lock(record.CUSTOMER, table.ofCustomer(w, d, c));
  if (customer == 0) return -tree.lockFailure;
  store<i64>(customer, load<i64>(customer, record.C_BALANCE) + total, record.C_BALANCE);
  store<u32>(customer, load<u32>(customer, record.C_DELIVERIES) + 1, record.C_DELIVERIES);
  tree.unlockValue(true);
  return 0;
}
