// The pool's counters, in the vCPU's block with the others (abi/counter.ts), where the host reads them.

import { COUNTER_POOL } from '../abi/counter';
import * as vcpu from '../machine/vcpu';

export {
  POOL_EVICTIONS as EVICTIONS,
  POOL_FAILURES as FAILURES,
  POOL_FAULTS as FAULTS,
  POOL_PREFETCHED as PREFETCHED,
  POOL_STALE as STALE,
  POOL_WAITS as WAITS,
  POOL_WRAPS as WRAPS,
  POOL_WRITES as WRITES,
} from '../abi/counter';


@inline
export function count(which: u32): void {
  vcpu.count(COUNTER_POOL + which);
}

/** Sum over all vCPUs, since boot. */
export function read(which: u32): u64 {
  return vcpu.counted(COUNTER_POOL + which);
}
