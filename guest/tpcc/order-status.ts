// Order-status (2.6): a customer's last order with its lines.

import * as random from '../workload/random';
import * as scan from '../kv/scan';
import { ENOENT } from '../../assembly/abi/errno';
import * as customer from './customer';
import * as lock from './lock';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

/** Sum of balance, amounts and dates read, so that the reads are not optimised away. */
export let shown: i64 = 0;

export function run(w: u32): i32 {
  const d = random.between(1, record.DISTRICTS);
  const c = customer.any(w, d);
  if (c < 0) return c;
  const district = lock.district(w, d);
  const result = show(w, d, c);
  lock.release(district);
  return result;
}

function show(w: u32, d: u32, c: u32): i32 {
  const at = map.record;
  let result = table.read(record.CUSTOMER, table.ofCustomer(w, d, c), at, record.C_STREET);
  if (result < 0) return result;
  shown = load<i64>(at, record.C_BALANCE);
  result = table.seek(record.CUSTOMER_ORDER, table.ofCustomerOrder(w, d, c, 0xffffffff), true);
  if (result < 0) return result;
  if (table.part(scan.key, 3, 2) != <u32>c) return -ENOENT; // every customer has an order from the load
  const o = table.part(scan.key, 5, 4);
  result = table.read(record.ORDER, table.ofOrder(w, d, o), at, record.O_BYTES);
  if (result < 0) return result;
  const count = <u32>load<u8>(at, record.O_LINES);
  result = table.seek(record.ORDER_LINE, table.ofLine(w, d, o, 1));
  for (let i: u32 = 1; i <= count; i++) {
    if (result < 0) return result;
    shown += load<i64>(scan.value, record.OL_AMOUNT) + load<i64>(scan.value, record.OL_DELIVERY);
    if (i < count && !scan.next()) result = scan.failure != 0 ? -scan.failure : -ENOENT;
  }
  return 0;
}
