// The time, for code that adapts to it: how long the device takes, whether a deadline has passed.
//
// Interface   now(): microseconds since an origin of this vCPU's own. It never decreases. Compare only times
//             of one vCPU.
// Cost        one call of the host, about 50 ns.

@external('hypervisor', 'clock')
declare function clock(): f64;

export function now(): u64 {
  return <u64>clock();
}
