// How fast counters move: INFO's instantaneous figures, and the number of error replies by code.
//
// Interface   sample() from the timer; it takes one about every 100 ms; perSecond() is the mean of the last
//             samples. countError() when an error reply has been made; its text begins behind the minus sign.
// Format      RATES: SAMPLES f64 for each of three counters. LAST: their values at the last sample, u64, then
//             its time. CODES: rows of CODE_ROW_BYTES: bytes u8, the code (at most 23 bytes), count u64.

import * as stats from './stats.ts';

export const COMMANDS: u32 = 0;
export const INPUT: u32 = 1;
export const OUTPUT: u32 = 2;

const COUNTED: u32 = 3;
const SAMPLE_MS: i64 = 90; // timers are a little early or late
const SAMPLES: u32 = 16;
const CODE_ROWS: u32 = 64;
const CODE_ROW_BYTES: u32 = 32;
const CODE_BYTES: u32 = 23;

const RATES: usize = memory.data(384, 8); // COUNTED * SAMPLES * 8
const LAST: usize = memory.data(32, 8);
const CODES: usize = memory.data(2048, 8); // CODE_ROWS * CODE_ROW_BYTES

let sampleIndex: u32 = 0;
let codeCount: u32 = 0;

function cellOf(rate: u32): u32 {
  return rate == COMMANDS ? stats.COMMANDS : rate == INPUT ? stats.INPUT_BYTES : stats.OUTPUT_BYTES;
}

/** Notes how much the counters moved since the last sample. */
export function sample(nowMs: i64): void {
  const elapsed = nowMs - load<i64>(LAST, 24);
  if (elapsed < SAMPLE_MS) return;
  for (let rate: u32 = 0; rate < COUNTED; rate++) {
    const value = stats.get(cellOf(rate));
    const moved = value - load<u64>(LAST + (rate << 3));
    store<u64>(LAST + (rate << 3), value);
    store<f64>(RATES + ((rate * SAMPLES + sampleIndex) << 3), (<f64>moved * 1000) / <f64>elapsed);
  }
  store<i64>(LAST, nowMs, 24);
  sampleIndex = (sampleIndex + 1) % SAMPLES;
}

/** What a counter moved each second, on average over the last samples. */
export function perSecond(rate: u32): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < SAMPLES; i++) sum += load<f64>(RATES + ((rate * SAMPLES + i) << 3));
  return sum / <f64>SAMPLES;
}

/** Counts an error reply by the first word of its text; at most CODE_ROWS different ones are told apart. */
export function countError(at: u32, bytes: u32): void {
  let code: u32 = 0;
  while (code < bytes && code < CODE_BYTES && load<u8>(at + code) > 32) code++;
  for (let i: u32 = 0; i < codeCount; i++) {
    const row = <u32>CODES + i * CODE_ROW_BYTES;
    if (load<u8>(row) != code || memory.compare(row + 1, at, code) != 0) continue;
    store<u64>(row, load<u64>(row, 24) + 1, 24);
    return;
  }
  if (codeCount == CODE_ROWS) return;
  const row = <u32>CODES + codeCount++ * CODE_ROW_BYTES;
  store<u8>(row, <u8>code);
  memory.copy(row + 1, at, code);
  store<u64>(row, 1, 24);
}

export function codes(): u32 {
  return codeCount;
}

export function codeAddress(index: u32): u32 {
  return <u32>CODES + index * CODE_ROW_BYTES + 1;
}

export function codeBytes(index: u32): u32 {
  return load<u8>(CODES + index * CODE_ROW_BYTES);
}

export function codeTotal(index: u32): u64 {
  return load<u64>(CODES + index * CODE_ROW_BYTES, 24);
}

/** Forgets errors and rates, as CONFIG RESETSTAT asks. */
export function reset(): void {
  memory.fill(RATES, 0, (COUNTED * SAMPLES) << 3);
  memory.fill(LAST, 0, 24);
  sampleIndex = 0;
  codeCount = 0;
}
