// The statistics of a VM, by name, and as metrics for monitoring systems.
//
// Interface   readStats() for MicroVM.stats(); metricsOf() and exposition() for endpoints: the text format of
//             Prometheus, 0.0.4.
// Concurrency The VM keeps running: each number is right, but they are not all from the same moment.
// Cost        about 20 us, none of it on the vCPUs; reading adds no counting.

import * as counter from '../../assembly/abi/counter.ts';
import type { KernelExports } from './kernel.ts';

/** A number under its name in a monitoring system; a name that ends in _total is a counter. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

type Row = readonly [index: number, metric: string, help: string];

/** Counters count since boot, over all vCPUs; gauges are current values. Frames and pages are 4 KiB. */
const ROWS = {
  vcpus: [counter.GAUGE_VCPUS, 'vcpus', 'vCPUs attached, including warm ones for snapshots.'],
  vcpusRunning: [
    counter.GAUGE_RUNNING,
    'vcpus_running',
    'vCPUs running the guest, excluding snapshot vCPUs.',
  ],
  safepoints: [
    counter.COUNTER_SAFEPOINTS,
    'safepoints_total',
    'Safepoints that found an interrupt.',
  ],
  interrupts: [
    counter.COUNTER_INTERRUPTS,
    'interrupts_total',
    'Interrupts delivered to handlers of the guest.',
  ],
  remoteCalls: [
    counter.COUNTER_REMOTE_CALLS,
    'ipis_served_total',
    'Remote calls (inter-processor interrupts) served.',
  ],
  syscalls: [counter.COUNTER_SYSCALLS, 'system_calls_total', 'System calls that the host served.'],
  faults: [
    counter.COUNTER_FAULTS,
    'write_faults_total',
    'Write faults: first stores to a page in an epoch.',
  ],
  copies: [
    counter.COUNTER_COPIES,
    'copied_pages_total',
    'Write faults that copied the page for a snapshot.',
  ],
  privateCopies: [
    counter.COUNTER_PRIVATE,
    'private_pages_total',
    'Private copies: pages that snapshots wrote to.',
  ],
  epochWaits: [
    counter.COUNTER_WAITS,
    'epoch_waits_total',
    'Write faults that waited for another vCPU to acknowledge the epoch.',
  ],
  forgotten: [
    counter.COUNTER_FORGOTTEN,
    'forgotten_pages_total',
    'Pages that snapshots gave up early.',
  ],
  epoch: [counter.GAUGE_EPOCH, 'epoch', 'The current epoch.'],
  snapshotsActive: [
    counter.GAUGE_SNAPSHOTS,
    'snapshots_active',
    'Snapshots taken and not released.',
  ],
  snapshotsTaken: [counter.GAUGE_SNAPSHOTS_TAKEN, 'snapshots_total', 'Snapshots taken.'],
  snapshotsLost: [
    counter.GAUGE_SNAPSHOTS_LOST,
    'snapshots_lost_total',
    'Snapshots that ran out of frames.',
  ],
  framesUsed: [counter.GAUGE_FRAMES_USED, 'frames_used', 'Frames in use.'],
  framesFree: [counter.GAUGE_FRAMES_FREE, 'frames_free', 'Free frames.'],
  limboFrames: [
    counter.GAUGE_LIMBO,
    'frames_limbo',
    'Frames that wait for the end of several snapshots.',
  ],
  guestBytes: [counter.GAUGE_BREAK, 'guest_bytes', 'Size of guest memory.'],
  ringSubmitted: [
    counter.COUNTER_SUBMITTED,
    'ring_entries_submitted_total',
    'Entries put into submission queues.',
  ],
  ringRefused: [
    counter.GAUGE_REFUSED,
    'ring_entries_refused_total',
    'Entries that named frames outside the DMA window.',
  ],
} as const satisfies Record<string, Row>;

/** Of a linked guest with a pool. The pool's frames count as used. */
const POOL_ROWS = {
  frames: [counter.GAUGE_POOL_FRAMES, 'pool_frames', 'Frames of the pool.'],
  faults: [
    counter.COUNTER_POOL + counter.POOL_FAULTS,
    'pool_faults_total',
    'Page faults: pages read on demand.',
  ],
  readAhead: [
    counter.COUNTER_POOL + counter.POOL_PREFETCHED,
    'pool_read_ahead_total',
    'Pages read ahead.',
  ],
  evictions: [
    counter.COUNTER_POOL + counter.POOL_EVICTIONS,
    'pool_evictions_total',
    'Pages evicted.',
  ],
  writes: [counter.COUNTER_POOL + counter.POOL_WRITES, 'pool_writes_total', 'Pages written back.'],
  failures: [
    counter.COUNTER_POOL + counter.POOL_FAILURES,
    'pool_failures_total',
    'Reads and writes of pages that failed.',
  ],
  stale: [
    counter.COUNTER_POOL + counter.POOL_STALE,
    'pool_stale_total',
    'Stale TLB entries that the page header revealed.',
  ],
  waits: [
    counter.COUNTER_POOL + counter.POOL_WAITS,
    'pool_waits_total',
    'Long waits for a page lock.',
  ],
} as const satisfies Record<string, Row>;

/**
 * Statistics of a VM's buffer pool. What each number means is in stats.ts and in the output of a store's
 * `metrics()`.
 *
 * @category VM
 */
export type PoolStats = Record<keyof typeof POOL_ROWS, number>;

/**
 * Statistics of a VM. What each number means is in stats.ts and in the output of `metrics()`.
 *
 * @category VM
 */
export type VMStats = Record<keyof typeof ROWS, number> & {
  /** Undefined in a VM whose guest has no pool. */
  readonly pool: PoolStats | undefined;
};

export function readStats(kernel: KernelExports): VMStats {
  const read = <Name extends string>(rows: Record<Name, Row>): Record<Name, number> => {
    const entries = Object.entries<Row>(rows).map(([name, [index]]) => [
      name,
      kernel.counter(index),
    ]);
    return Object.fromEntries(entries) as Record<Name, number>;
  };
  const pool = read(POOL_ROWS);
  return { ...read(ROWS), pool: pool.frames === 0 ? undefined : pool };
}

export function metricsOf({ pool, ...stats }: VMStats): Metric[] {
  const metrics = <Name extends string>(rows: Record<Name, Row>, of: Record<Name, number>) =>
    Object.entries<Row>(rows).map(([name, [, metric, help]]) => ({
      name: `ringzero_${metric}`,
      help,
      value: of[name as Name],
    }));
  return [...metrics(ROWS, stats), ...(pool === undefined ? [] : metrics(POOL_ROWS, pool))];
}

/** The Content-Type of exposition(). */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.map(({ name, help, value }) => {
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
  });
  return lines.join('');
}
