// Latency events: for each kind of event the last 160 times that it took longer than
// latency-monitor-threshold.
//
// Format  An event, EVENT_BYTES: unused u32, samples kept u32, next sample u32, longest u32 (ms), then
//         SAMPLES pairs of u32: Unix time in seconds, milliseconds. Events of the same second share a sample.

import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';

export const COMMAND: u32 = 0;
export const FORK: u32 = 1; // the snapshot call
export const EVENTS: u32 = 2;

const SAMPLES: u32 = 160;
const EVENT_BYTES: u32 = 1296; // 16 + SAMPLES * 8
const TABLE: usize = memory.data(2592, 8); // EVENTS * EVENT_BYTES

export function nameOf(event: u32): string {
  return event == COMMAND ? 'command' : 'fork';
}


@inline
function rowOf(event: u32): u32 {
  return <u32>TABLE + event * EVENT_BYTES;
}


@inline
export function samplesOf(event: u32): u32 {
  return load<u32>(rowOf(event), 4);
}


@inline
export function longestOf(event: u32): u32 {
  return load<u32>(rowOf(event), 12);
}

/** Where a sample is, the oldest first: its time in seconds, then its milliseconds. */
export function sampleOf(event: u32, index: u32): u32 {
  const row = rowOf(event);
  const first = load<u32>(row, 8) + SAMPLES - load<u32>(row, 4);
  return row + 16 + (((first + index) % SAMPLES) << 3);
}

/** Notes an event where it took longer than the threshold. */
export function note(event: u32, us: f64): void {
  const threshold = config.number(option.LATENCY_MONITOR_THRESHOLD);
  if (threshold == 0 || us < <f64>threshold * 1000) return;
  const row = rowOf(event);
  const ms = <u32>(us / 1000);
  const now = <u32>(clock.ms() / 1000);
  const kept = load<u32>(row, 4);
  if (ms > load<u32>(row, 12)) store<u32>(row, ms, 12);
  if (kept != 0) {
    const last = sampleOf(event, kept - 1);
    if (load<u32>(last) == now) {
      if (ms > load<u32>(last, 4)) store<u32>(last, ms, 4);
      return;
    }
  }
  const next = load<u32>(row, 8);
  store<u32>(row + 16 + (next << 3), now);
  store<u32>(row + 16 + (next << 3), ms, 4);
  store<u32>(row, (next + 1) % SAMPLES, 8);
  if (kept < SAMPLES) store<u32>(row, kept + 1, 4);
}

/** Forgets the samples of an event. */
export function reset(event: u32): void {
  memory.fill(rowOf(event), 0, EVENT_BYTES);
}
