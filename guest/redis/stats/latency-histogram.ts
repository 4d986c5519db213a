// How long the calls of each command took: counts by duration, for LATENCY HISTOGRAM and INFO latencystats.
//
// Interface   note() counts calls in the histogram that a slot holds; drop() frees it. cumulative() and
//             percentile() read one. A slot is a u32 of the command's row: the address of a histogram, or 0
//             while there is none.
// Structure   A histogram: calls u64, then a u64 per bucket. Durations from 1 ns to 1 s, STEPS buckets per
//             power of two, so that a percentile is at most 1/STEPS above the duration. The bounds are those
//             of the histograms of redis-server: the power of two n begins at 129/128 * 2^n ns.

import * as heap from '../bytes/heap.ts';

const STEPS: u32 = 16;
const STEP_BITS: u32 = 4;
const BUCKETS: u32 = 432; // 26 powers of two above the first 16 numbers
const BYTES: u32 = 8 + (BUCKETS << 3);

const PER_US: f64 = (1000 * 128) / 129.0;
const LONGEST: f64 = (1000000000 * 128) / 129.0;

/** The bounds that LATENCY HISTOGRAM shows: from 2^10 ns, about a microsecond, to 2^30 ns, about a second. */
export const BOUNDS: u32 = 21;
const FIRST_BOUND: u32 = 10;

let tracking: bool = false;

/** latency-tracking: while it is off nothing is counted. */
export function setTracking(on: bool): void {
  tracking = on;
}


@inline
export function isTracking(): bool {
  return tracking;
}

function bucketOf(scaled: u32): u32 {
  if (scaled < STEPS) return scaled;
  const power = 31 - clz(scaled);
  return ((power - STEP_BITS + 1) << STEP_BITS) + ((scaled >> (power - STEP_BITS)) & (STEPS - 1));
}

/** What the durations of a bucket are below, scaled. */
function endOf(bucket: u32): u32 {
  if (bucket < STEPS) return bucket + 1;
  return (STEPS + 1 + (bucket & (STEPS - 1))) << ((bucket >> STEP_BITS) - 1);
}

/** Counts calls that took this long each. Without memory for a histogram they are not counted. */
export function note(slot: u32, us: f64, calls: u32): void {
  let histogram = load<u32>(slot);
  if (histogram == 0) {
    histogram = heap.allocOwn(BYTES);
    if (histogram == 0) return;
    memory.fill(histogram, 0, BYTES);
    store<u32>(slot, histogram);
  }
  const scaled = <u32>min<f64>(max<f64>(us, 0) * PER_US, LONGEST);
  const counter = histogram + 8 + (bucketOf(scaled) << 3);
  store<u64>(histogram, load<u64>(histogram) + calls);
  store<u64>(counter, load<u64>(counter) + calls);
}

export function drop(slot: u32): void {
  if (load<u32>(slot) != 0) heap.freeOwn(load<u32>(slot));
  store<u32>(slot, 0);
}

export function calls(histogram: u32): u64 {
  return load<u64>(histogram);
}

/** Microseconds of a bound, rounded down, as redis-server shows it. */
export function boundUs(bound: u32): u64 {
  const scaled = (<u64>1) << (FIRST_BOUND + bound);
  return (scaled + (scaled >> 7) - 1) / 1000;
}

/** Calls that took less than a bound; all calls for the last, whatever they took. */
export function cumulative(histogram: u32, bound: u32): u64 {
  const end = bound + 1 == BOUNDS ? BUCKETS : bucketOf(1 << (FIRST_BOUND + bound));
  let sum: u64 = 0;
  for (let i: u32 = 0; i < end; i++) sum += load<u64>(histogram + 8 + (i << 3));
  return sum;
}

/** Microseconds that this share of the calls, 0 to 100, did not exceed. */
export function percentile(histogram: u32, percent: f64): f64 {
  const wanted = max<u64>(1, <u64>((percent / 100) * <f64>calls(histogram) + 0.5));
  let sum: u64 = 0;
  let bucket: u32 = 0;
  for (; bucket < BUCKETS - 1; bucket++) {
    sum += load<u64>(histogram + 8 + (bucket << 3));
    if (sum >= wanted) break;
  }
  return <f64>endOf(bucket) / PER_US;
}
