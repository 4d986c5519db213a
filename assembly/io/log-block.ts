// The words of a log that all vCPUs share, and which log this vCPU appends to.
//
// Interface   use() first. at() is where a place of the file is in the buffer; breakWith() is for good: the
//             first errno stays.
// Concurrency All words are atomic, but those that open() writes before others know of them, and the
//             leader's: whoever leads has them, and LEADER hands them over.

// The log's block, a frame.
export const BROKEN: u32 = 0; // i32, the errno it broke with
export const LEADER: u32 = 4; // u32, number of the vCPU that leads + 1, 0 = nobody
export const FILE: u32 = 8; // u32, its number in rings
export const BUFFER: u32 = 12; // u32, address
export const BUFFER_BYTES: u32 = 16; // u32
export const RESERVED: u32 = 64; // u64, LSN of the record that was begun last
export const FILLED: u32 = 128; // u64
export const DURABLE: u32 = 192; // u64
export const WANTED: u32 = 256; // u64, the highest LSN that somebody waits for
export const ASKED: u32 = 264; // u32, commits asked for since the last group was taken
// The leader's.
export const ALLOCATED: u32 = 328; // u64, so long is the file
export const FLUSH_US: u32 = 336; // u64, what a flush takes: the measured ones, older ones count less
export const EXPECTED: u32 = 344; // u32, commits that are to be expected in a group
export const SKIP: u32 = 348; // u32, groups that are not waited for, because it did not pay
export const BACKOFF: u32 = 352; // u32
export const GROUPS: u32 = 356; // u32, since boot
export const REQUESTS: u32 = 512; // what a flush asks for: at most four

/** The log that this vCPU appends to: its block. */
export let log: u32 = 0;

export function use(block: u32): void {
  log = block;
}

/** Where a place of the file is in the buffer. */
@inline
export function at(place: u64): u32 {
  return load<u32>(log, BUFFER) + ((<u32>place) & (load<u32>(log, BUFFER_BYTES) - 1));
}

/** What the log is broken with, 0 when it is not. */
@inline
export function broken(): i32 {
  return atomic.load<i32>(log, BROKEN);
}

export function breakWith(errno: i32): void {
  atomic.cmpxchg<i32>(log, 0, errno, BROKEN);
  atomic.notify(log + DURABLE, -1);
}

export function durable(): u64 {
  return atomic.load<u64>(log, DURABLE);
}


@inline
export function isDurable(lsn: u64): bool {
  return atomic.load<u64>(log, DURABLE) >= lsn;
}
