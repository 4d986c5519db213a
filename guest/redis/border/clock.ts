// The time of the current batch: one reading per call of the host, shared by all commands in it.

let nowMs: i64 = 0;
let startUs: f64 = 0;

export function set(ms: f64, us: f64): void {
  nowMs = <i64>ms;
  startUs = us;
}

/** Unix time in milliseconds. */
@inline
export function ms(): i64 {
  return nowMs;
}

/** Monotonic microseconds at the start of the batch. */
@inline
export function us(): f64 {
  return startUs;
}

/** Seconds in 24 bits, as the entries' LRU field keeps them. */
@inline
export function lru(): u32 {
  return (<u32>(nowMs / 1000)) & 0xffffff;
}
