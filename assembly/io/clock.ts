// The time, for what adapts to it: how long the device takes, which deadline has passed.
//
// Interface   now(): microseconds, from a beginning of this vCPU's own; it never goes back. Compare those of
//             one vCPU.
// Cost        a call of the host, about 50 ns.

@external('hypervisor', 'clock')
declare function clock(): f64;

export function now(): u64 {
  return <u64>clock();
}
