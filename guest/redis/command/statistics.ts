// Statistics of commands: calls, time, failures, refusals, in the rows of command.ts.
//
// Interface   A batch's time is measured once and shared out over its calls by settleBatch(): countShared()
//             for a call that takes its share, countTimed() for one that was timed by itself.

import * as command from './command.ts';
import * as histogram from '../stats/latency-histogram.ts';

const HISTOGRAM: u32 = 96;

let batchHead: u32 = 0;
let batchCalls: u32 = 0;
let batchTimedUs: f64 = 0;

/** Counts a call that shares the time of its batch. */
@inline
export function countShared(row: u32): void {
  const calls = load<u32>(row, 52);
  store<u32>(row, calls + 1, 52);
  if (calls == 0) {
    store<u32>(row, batchHead, 56);
    batchHead = row;
  }
  batchCalls++;
}

/** Counts a call that was timed by itself. */
export function countTimed(row: u32, us: f64): void {
  store<u64>(row, load<u64>(row, 64) + 1, 64);
  store<f64>(row, load<f64>(row, 72) + us, 72);
  if (histogram.isTracking()) histogram.note(row + HISTOGRAM, us, 1);
  batchTimedUs += us;
}

/** Shares the time of a batch out over its calls that were not timed. */
export function settleBatch(us: f64): void {
  const share = batchCalls == 0 ? 0 : max<f64>(us - batchTimedUs, 0) / <f64>batchCalls;
  while (batchHead != 0) {
    // at most ROWS_MAX turns
    const row = batchHead;
    const calls = load<u32>(row, 52);
    store<u64>(row, load<u64>(row, 64) + calls, 64);
    store<f64>(row, load<f64>(row, 72) + share * <f64>calls, 72);
    if (histogram.isTracking()) histogram.note(row + HISTOGRAM, share, calls);
    store<u32>(row, 0, 52);
    batchHead = load<u32>(row, 56);
  }
  batchCalls = 0;
  batchTimedUs = 0;
}

export function countFailed(row: u32): void {
  store<u64>(row, load<u64>(row, 80) + 1, 80);
}

export function countRejected(row: u32): void {
  store<u64>(row, load<u64>(row, 88) + 1, 88);
}

/** Calls that are complete; those of the running batch are added at its end. */
export function callsOf(row: u32): u64 {
  return load<u64>(row, 64);
}

export function microsecondsOf(row: u32): f64 {
  return load<f64>(row, 72);
}

/** The histogram of the calls, or 0. */
export function histogramOf(row: u32): u32 {
  return load<u32>(row, HISTOGRAM);
}

export function failedOf(row: u32): u64 {
  return load<u64>(row, 80);
}

export function rejectedOf(row: u32): u64 {
  return load<u64>(row, 88);
}

export function resetStatistics(): void {
  for (let i: u32 = 0; i < command.count(); i++) {
    histogram.drop(command.rowAt(i) + HISTOGRAM);
    memory.fill(command.rowAt(i) + 64, 0, 32);
  }
}
