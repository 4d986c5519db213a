// Page-walk cache: addresses of last-level tables by page >> 9, per vCPU. It reduces a walk to one load.
//
// Interface   attach(address, root): `address` has CACHE_BYTES of this vCPU's own. entry() returns the
//             address of a PTE.
// Invariants  Tables live as long as the root (page-table.ts), so entries never become stale.
// Concurrency This vCPU alone.
// Cost        512 entries of 8 bytes span 1 GiB of pages.

import { PANIC_WALK_CACHE } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as pageTable from './page-table';

const ENTRIES: u32 = 1024;
export const CACHE_BYTES: u32 = ENTRIES * 8;

let cache: u32 = 0;
let root: u32 = 0;

export function attach(address: u32, rootTable: u32): void {
  cache = address;
  root = rootTable;
  memory.fill(cache, 0xff, CACHE_BYTES);
}

// Low word: page >> 9, which has 27 bits. High word: address of the table.

/** Address of the page's PTE; 0 if its table is missing and no frame is free for it. */
@inline
export function entry(page: u64): u32 {
  const region = <u32>(page >> 9);
  const at = cache + ((region & (ENTRIES - 1)) << 3);
  if (load<u32>(at) == region) {
    if (CHECKED && load<u32>(at, 4) != pageTable.tableOf(root, page)) panic(PANIC_WALK_CACHE);
    return pageTable.entryIn(load<u32>(at, 4), page);
  }
  return fill(page, at);
}

function fill(page: u64, at: u32): u32 {
  const table = pageTable.ensureTable(root, page);
  if (table == 0) return 0;
  store<u32>(at, <u32>(page >> 9));
  store<u32>(at, table, 4);
  return pageTable.entryIn(table, page);
}

/** Address of the page's PTE if its table exists, else 0. */
export function existing(page: u64): u32 {
  return pageTable.entry(root, page);
}
