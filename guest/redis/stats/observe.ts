// Where other files listen in on the core: slow log, latency monitor, error statistics, persistence.
//
// Interface   A listener registers a function at boot; without one nothing happens.

let onTimed: u32 = 0;
let onError: u32 = 0;
let onTick: u32 = 0;
let timingAll: bool = false;

/** `listener(row, us)` after each command that was timed by itself, and each that was alone in its batch. */
export function listenTimed(listener: (row: u32, us: f64) => void): void {
  onTimed = <u32>listener.index;
}

/** `listener(address, bytes)` for each error reply: its text behind the minus sign, without CR LF. */
export function listenError(listener: (address: u32, bytes: u32) => void): void {
  onError = <u32>listener.index;
}

/** `listener()` at the end of each cron: save points, children, rates. */
export function listenTick(listener: () => void): void {
  onTick = <u32>listener.index;
}

export function tick(): void {
  if (onTick != 0) call_indirect<void>(onTick);
}

export function timed(row: u32, us: f64): void {
  if (onTimed != 0) call_indirect<void>(onTimed, row, us);
}

export function failed(address: u32, bytes: u32): void {
  if (onError != 0) call_indirect<void>(onError, address, bytes);
}

/** Whether every command is to be timed by itself, for a slow log or latency monitor with a low threshold. */
export function setTimesAll(all: bool): void {
  timingAll = all;
}


@inline
export function timesAll(): bool {
  return timingAll;
}
