// A query that is not part of TPC-C: a pass over the large tables, for tests of short transactions that run
// during a long one.
//
// Interface   run(): number of records read, or a negative errno. There is a safepoint after every 32nd
//             record (0.7 us), where no latch is held: transactions that run inside it may change any record
//             but the one that was just read.

import { safepoint } from '../../assembly/linked';
import * as scan from '../kv/scan';
import * as storeMap from '../kv/memory-map';
import * as record from './record';

/** Sum of what the query reads, so that the reads are not optimised away. */
export let seen: u64 = 0;

export function run(hasSafepoints: bool): f64 {
  const every: u32 = hasSafepoints ? 31 : 0xffffffff;
  let records: f64 = 0;
  for (let i = 0; i < 4; i++) {
    const tree =
      i == 0 ? record.ORDER_LINE : i == 1 ? record.STOCK : i == 2 ? record.CUSTOMER : record.ORDER;
    if (!scan.first(storeMap.root(tree), 0, 0, false, false)) return -scan.failure;
    let read: u32 = 0;
    while (scan.next()) {
      seen += load<u32>(scan.value);
      if ((++read & every) == 0) safepoint.poll();
    }
    records += read;
    if (scan.failure != 0) return -scan.failure;
  }
  return records;
}
