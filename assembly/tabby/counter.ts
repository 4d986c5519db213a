// What the pool counts: u64 per vCPU, summed by read().

import { VM_VCPUS } from '../abi/vm-block';
import * as map from '../machine/map';
import * as area from './area';

export const FAULTS: u32 = 0; // pages read on demand
export const PREFETCHED: u32 = 1; // pages read ahead
export const EVICTIONS: u32 = 2;
export const WRITES: u32 = 3; // pages written back
export const FAILURES: u32 = 4; // reads and writes that failed
export const STALE: u32 = 5; // translations that the header refuted
export const WAITS: u32 = 6; // locks that were waited for long enough to give up an operation's window
export const WRAPS: u32 = 7; // versions that wrapped
export const COUNTERS: u32 = 8;


@inline
export function count(which: u32): void {
  const word = area.own + area.AREA_COUNTERS + (which << 3);
  store<u64>(word, load<u64>(word) + 1);
}

export function read(which: u32): u64 {
  let sum: u64 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    const at = area.areaOf(i);
    if (at != 0) sum += load<u64>(at + area.AREA_COUNTERS + (which << 3));
  }
  return sum;
}
