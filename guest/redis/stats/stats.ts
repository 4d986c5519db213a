// Counters of the server since it started, or since CONFIG RESETSTAT.

const CELLS: usize = memory.data(256, 8);

export const COMMANDS: u32 = 0;
export const CONNECTIONS: u32 = 1;
export const REJECTED: u32 = 2; // connections over maxclients
export const INPUT_BYTES: u32 = 3;
export const OUTPUT_BYTES: u32 = 4;
export const HITS: u32 = 5;
export const MISSES: u32 = 6;
export const EXPIRED: u32 = 7;
export const EVICTED: u32 = 8;
export const ERRORS: u32 = 9; // error replies
export const EXPIRE_CYCLES: u32 = 10;
/** Of the keys that the last cycle looked at, in hundredths of a percent. */
export const EXPIRE_STALE_PERCENT: u32 = 11;
export const PEAK_BYTES: u32 = 12;
export const LAZY_FREED: u32 = 13; // objects freed in the background
export const EVICTED_CLIENTS: u32 = 14;
export const EXPIRE_TIME_CAP: u32 = 15; // cycles that ended by their time limit
export const LIMIT_CLOSED: u32 = 16; // clients closed over a buffer limit
const CELL_COUNT: u32 = 32; // 20..31 are the server commands' own


@inline
export function add(cell: u32, amount: u64): void {
  store<u64>(CELLS + (cell << 3), load<u64>(CELLS + (cell << 3)) + amount);
}


@inline
export function get(cell: u32): u64 {
  return load<u64>(CELLS + (cell << 3));
}


@inline
export function set(cell: u32, value: u64): void {
  store<u64>(CELLS + (cell << 3), value);
}

export function reset(): void {
  memory.fill(CELLS, 0, CELL_COUNT << 3);
}
