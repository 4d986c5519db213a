// The numbers of a VM, by name.

import * as counter from '../../assembly/abi/counter.ts';
import type { KernelExports } from './kernel.ts';

/** Counters count since boot, over all vCPUs; gauges are of now. Frames are 4 KiB. */
const ROWS = {
  /** Write faults: first stores to a page in an epoch. */
  faults: counter.COUNTER_FAULTS,
  /** Of them, those that copied the page for a snapshot. */
  copies: counter.COUNTER_COPIES,
  /** Pages that snapshots copied in order to write to them. */
  privateCopies: counter.COUNTER_PRIVATE,
  /** Safepoints that found an interrupt. */
  safepoints: counter.COUNTER_SAFEPOINTS,
  /** Write faults that waited for another vCPU to acknowledge the epoch. */
  epochWaits: counter.COUNTER_WAITS,
  syscalls: counter.COUNTER_SYSCALLS,
  /** Pages that snapshots gave up before their end. */
  forgotten: counter.COUNTER_FORGOTTEN,
  epoch: counter.GAUGE_EPOCH,
  snapshotsActive: counter.GAUGE_SNAPSHOTS,
  snapshotsTaken: counter.GAUGE_SNAPSHOTS_TAKEN,
  snapshotsLost: counter.GAUGE_SNAPSHOTS_LOST,
  /** Frames that wait for several snapshots to end. */
  limboFrames: counter.GAUGE_LIMBO,
  framesFree: counter.GAUGE_FRAMES_FREE,
  framesUsed: counter.GAUGE_FRAMES_USED,
  /** vCPUs in the guest, those that look at snapshots left out. */
  vcpusRunning: counter.GAUGE_RUNNING,
  guestBytes: counter.GAUGE_BREAK,
} as const;

export type VMStats = Record<keyof typeof ROWS, number>;

export function readStats(kernel: KernelExports): VMStats {
  const entries = Object.entries(ROWS).map(([name, index]) => [name, kernel.counter(index)]);
  return Object.fromEntries(entries) as VMStats;
}
