// A guest that reads its address space; the page-fault handler supplies the pages.

import { linkage, mmu } from 'ringzero/assembly/linked';

export function boot(count: u32): void {
  linkage.attach(count);
}

export function attach(count: u32): void {
  linkage.attach(count);
  mmu.attach(mmu.create());
}

/** Sum of the bytes [from, to), or a negative errno. */
export function sum(from: u64, to: u64): i64 {
  let result: i64 = 0;
  for (let address = from; address < to; address++) {
    const at = mmu.read(address);
    if (at == 0) return -mmu.failure;
    result += load<u8>(at);
  }
  return result;
}
