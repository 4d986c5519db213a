// The sections of INFO about saving, and about the machine below the server.

import * as clock from './clock.ts';
import * as host from './host.ts';
import * as keyspace from './keyspace.ts';
import * as lazyfree from './lazyfree.ts';
import * as persistence from './persistence.ts';
import * as stats from './stats.ts';
import * as text from './text.ts';
import {
  COUNTER_COPIES,
  COUNTER_FAULTS,
  COUNTER_FORGOTTEN,
  COUNTER_PRIVATE,
  COUNTER_SAFEPOINTS,
  COUNTER_SYSCALLS,
  COUNTER_WAITS,
  GAUGE_BREAK,
  GAUGE_EPOCH,
  GAUGE_FRAMES_FREE,
  GAUGE_FRAMES_USED,
  GAUGE_LIMBO,
  GAUGE_SNAPSHOTS,
  GAUGE_SNAPSHOTS_LOST,
  GAUGE_SNAPSHOTS_TAKEN,
} from '../../assembly/abi/counter.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { counter } from '../../assembly/index.ts';
import { hostInfo } from './host.ts';

export function putLazyFree(): void {
  text.count('lazyfree_pending_objects', lazyfree.pending());
  text.count('lazyfreed_objects', stats.get(stats.LAZY_FREED));
}

function gauge(name: string, index: u32): void {
  text.count(name, <u64>counter(index));
}

/** The machine: epochs, snapshots, write faults, frames. */
export function putMachine(): void {
  text.count('vm_memory', <u64>hostInfo(host.HOST_VM_BYTES));
  gauge('break', GAUGE_BREAK);
  text.count('frame_bytes', FRAME_BYTES);
  gauge('frames_free', GAUGE_FRAMES_FREE);
  gauge('frames_used', GAUGE_FRAMES_USED);
  gauge('frames_limbo', GAUGE_LIMBO);
  gauge('epoch', GAUGE_EPOCH);
  gauge('snapshots_taken', GAUGE_SNAPSHOTS_TAKEN);
  gauge('snapshots_active', GAUGE_SNAPSHOTS);
  gauge('snapshots_lost', GAUGE_SNAPSHOTS_LOST);
  gauge('write_faults', COUNTER_FAULTS);
  gauge('write_fault_waits', COUNTER_WAITS);
  gauge('frames_copied', COUNTER_COPIES);
  gauge('frames_private', COUNTER_PRIVATE);
  gauge('pages_forgotten', COUNTER_FORGOTTEN);
  gauge('safepoints', COUNTER_SAFEPOINTS);
  gauge('syscalls', COUNTER_SYSCALLS);
}

export function putPersistence(): void {}
