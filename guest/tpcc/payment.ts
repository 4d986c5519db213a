// Payment (2.5): an amount from a customer, to the sums of a warehouse, a district and the customer.

import * as random from '../workload/random';
import * as tree from '../kv/tree';
import { copyBytes } from '../kv/bytes';
import * as customer from './customer';
import * as history from './history';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

const BAD_CREDIT: u16 = 0x4342; // BC

/** A payment at warehouse w of `warehouses`: 0 or -errno. */
export function run(w: u32, warehouses: u32): i32 {
  const d = random.between(1, record.DISTRICTS);
  let cw = w;
  let cd = d;
  if (warehouses > 1 && random.below(100) < 15) {
    cw = random.between(1, warehouses - 1);
    cw += u32(cw >= w);
    cd = random.between(1, record.DISTRICTS);
  }
  const amount: i64 = random.between(100, 500000);
  const c = customer.any(cw, cd);
  if (c < 0) return c;

  // H_DATA: both names, with four blanks between
  const names = map.text;
  const warehouse = table.lock(record.WAREHOUSE, table.ofWarehouse(w));
  if (warehouse == 0) return -tree.lockFailure;
  store<i64>(warehouse, load<i64>(warehouse, record.W_YTD) + amount, record.W_YTD);
  const first = <u32>load<u8>(warehouse, record.W_NAME);
  copyBytes(names + 1, warehouse + record.W_NAME + 1, first);
  copyBytes(map.record, warehouse + record.W_STREET, record.W_BYTES - record.W_STREET);
  tree.unlockValue(true);

  const district = table.lock(record.DISTRICT, table.ofDistrict(w, d));
  if (district == 0) return -tree.lockFailure;
  store<i64>(district, load<i64>(district, record.D_YTD) + amount, record.D_YTD);
  const second = <u32>load<u8>(district, record.D_NAME);
  store<u32>(names + 1 + first, 0x20202020);
  copyBytes(names + 5 + first, district + record.D_NAME + 1, second);
  copyBytes(map.record + 128, district + record.D_STREET, record.D_BYTES - record.D_STREET);
  tree.unlockValue(true);
  store<u8>(names, <u8>(first + 4 + second));

  const payer = table.lock(record.CUSTOMER, table.ofCustomer(cw, cd, c));
  if (payer == 0) return -tree.lockFailure;
  store<i64>(payer, load<i64>(payer, record.C_BALANCE) - amount, record.C_BALANCE);
  store<i64>(payer, load<i64>(payer, record.C_YTD_PAYMENT) + amount, record.C_YTD_PAYMENT);
  store<u32>(payer, load<u32>(payer, record.C_PAYMENTS) + 1, record.C_PAYMENTS);
  if (load<u16>(payer, record.C_CREDIT) == BAD_CREDIT) note(payer, c, cd, cw, d, w, amount);
  copyBytes(map.record + 256, payer, record.C_DATA + 200); // what the terminal shows
  tree.unlockValue(true);

  return history.add(cw, cd, c, w, d, amount, names);
}

/** Puts the payment's numbers in front of the customer's data, which is truncated at its end. */
function note(payer: u32, c: u32, cd: u32, cw: u32, d: u32, w: u32, amount: i64): void {
  const start = map.text + 128;
  let at = number(start, c);
  at = number(at, cd);
  at = number(at, cw);
  at = number(at, d);
  at = number(at, w);
  at = number(at, <u64>amount);
  const bytes = at - start;
  const old = <u32>load<u16>(payer, record.C_DATA_BYTES);
  const kept = min<u32>(old, record.C_DATA_MAX - bytes);
  const data = payer + record.C_DATA;
  memory.copy(data + bytes, data, kept);
  copyBytes(data, start, bytes);
  store<u16>(payer, <u16>(bytes + kept), record.C_DATA_BYTES);
}

/** Writes a number and a blank; returns where it ended. */
function number(at: u32, value: u64): u32 {
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  let to = at;
  for (; unit != 0; unit /= 10) store<u8>(to++, <u8>(48 + ((value / unit) % 10)));
  store<u8>(to, 32);
  return to + 1;
}
