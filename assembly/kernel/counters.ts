// The VM's counters and gauges, by the indices of abi/counter.ts.
//
// Interface   read(). Counters are sums over all vCPUs since boot; gauges are current values.
// Concurrency Counters are read while their vCPUs count: each is correct, but they are not from one moment.
// Cost        one load per vCPU. Their owners maintain the values anyway; this file adds no cost elsewhere.

import {
  COUNTERS_PER_VCPU,
  GAUGE_BREAK,
  GAUGE_EPOCH,
  GAUGE_FRAMES_FREE,
  GAUGE_FRAMES_USED,
  GAUGE_LIMBO,
  GAUGE_POOL_FRAMES,
  GAUGE_REFUSED,
  GAUGE_RUNNING,
  GAUGE_SNAPSHOTS,
  GAUGE_SNAPSHOTS_LOST,
  GAUGE_SNAPSHOTS_TAKEN,
  GAUGE_VCPUS,
} from '../abi/counter';
import { FRAME_BYTES } from '../abi/limits';
import { RING_FRAMES, RING_REFUSED } from '../abi/ring';
import { VCPU_RING } from '../abi/vcpu-block';
import {
  VM_ACTIVE,
  VM_EPOCH,
  VM_LIMBO_COUNT,
  VM_LOST,
  VM_POOL_FRAMES,
  VM_TAKEN,
  VM_VCPUS,
} from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as frames from './frames';
import * as guestMemory from './guest-memory';

/** 0 for an unknown index. */
export function read(index: u32): f64 {
  if (index < COUNTERS_PER_VCPU) return <f64>vcpu.counted(index);
  if (index == GAUGE_EPOCH) return <f64>atomic.load<u32>(map.vm, VM_EPOCH);
  if (index == GAUGE_SNAPSHOTS) return <f64>popcnt(atomic.load<u32>(map.vm, VM_ACTIVE));
  if (index == GAUGE_LIMBO) return <f64>atomic.load<u32>(map.vm, VM_LIMBO_COUNT);
  if (index == GAUGE_FRAMES_FREE) return <f64>frames.available();
  if (index == GAUGE_FRAMES_USED)
    return <f64>(frames.claimed() - (frames.available() - frames.unclaimed()));
  if (index == GAUGE_RUNNING) return <f64>vcpu.running();
  if (index == GAUGE_VCPUS) return <f64>vcpu.attached();
  if (index == GAUGE_BREAK) return <f64>guestMemory.breakPage() * FRAME_BYTES;
  if (index == GAUGE_SNAPSHOTS_TAKEN) return <f64>atomic.load<u32>(map.vm, VM_TAKEN);
  if (index == GAUGE_SNAPSHOTS_LOST) return <f64>atomic.load<u32>(map.vm, VM_LOST);
  if (index == GAUGE_REFUSED) return <f64>refused();
  if (index == GAUGE_POOL_FRAMES) return <f64>atomic.load<u32>(map.vm, VM_POOL_FRAMES);
  return 0;
}

/** Entries of all rings that the I/O service refused. A linked guest may have overwritten the addresses. */
function refused(): u32 {
  let sum: u32 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    const rings = atomic.load<u32>(map.vcpuBlock(i), VCPU_RING);
    if (rings == 0 || rings % FRAME_BYTES != 0 || rings > map.vm - RING_FRAMES * FRAME_BYTES)
      continue;
    sum += atomic.load<u32>(rings, RING_REFUSED);
  }
  return sum;
}
