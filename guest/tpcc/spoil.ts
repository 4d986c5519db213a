// For the test of the check: violates one condition, and repairs it again.
//
// Interface   run(what, direction): direction 1 violates, -1 repairs. 0 or -errno. All in warehouse 1,
//             district 1.

import * as tree from '../kv/tree';
import { EINVAL } from '../../assembly/abi/errno';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

const AMONG_NEW: u32 = 2500; // an order of the load that is not delivered

export function run(what: u32, direction: i32): i32 {
  switch (what) {
    case 0:
      return add(record.WAREHOUSE, table.ofWarehouse(1), record.W_YTD, direction);
    case 1:
      return add(record.DISTRICT, table.ofDistrict(1, 1), record.D_YTD, direction);
    case 2:
      return add(record.CUSTOMER, table.ofCustomer(1, 1, 7), record.C_BALANCE, direction);
    case 3:
      return add(record.DISTRICT, table.ofDistrict(1, 1), record.D_NEXT, direction);
    case 4:
      return toggle(record.NEW_ORDER, table.ofOrder(1, 1, AMONG_NEW), 0, direction);
    case 5:
      return add(record.ORDER, table.ofOrder(1, 1, AMONG_NEW), record.O_LINES, direction);
    case 6:
      return add(record.STOCK, table.ofStock(1, 7), record.S_YTD, direction);
    default:
      return -EINVAL;
  }
}

function add(which: u32, keyBytes: u32, field: u32, amount: i32): i32 {
  const at = table.lock(which, keyBytes);
  if (at == 0) return -tree.lockFailure;
  if (which == record.ORDER) store<u8>(at + field, load<u8>(at + field) + <u8>amount);
  else if (field == record.D_NEXT && which == record.DISTRICT)
    store<u32>(at + field, load<u32>(at + field) + amount);
  else store<i64>(at + field, load<i64>(at + field) + amount);
  tree.unlockValue(true);
  return 0;
}

function toggle(which: u32, keyBytes: u32, bytes: u32, direction: i32): i32 {
  return direction > 0
    ? table.remove(which, keyBytes)
    : table.insert(which, keyBytes, map.record, bytes);
}
