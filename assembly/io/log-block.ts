// The words of a log that all vCPUs share, and the log to which this vCPU appends.
//
// Interface   Call use() first. at() maps a position in the file to its address in the buffer. breakWith() is
//             permanent: the first errno stays.
// Concurrency All words are atomic, except those that open() writes before it publishes the block, and the
//             leader's: only the leader accesses them, and LEADER passes them on.

// The block of a log, one frame.
export const BROKEN: u32 = 0; // i32, the errno that broke the log, 0 = intact
export const LEADER: u32 = 4; // u32, index of the leading vCPU + 1, 0 = none
export const FILE: u32 = 8; // u32, number of the file in rings
export const BUFFER: u32 = 12; // u32, address
export const BUFFER_BYTES: u32 = 16; // u32
export const RESERVED: u32 = 64; // u64, LSN of the record that was begun last
export const FILLED: u32 = 128; // u64
export const DURABLE: u32 = 192; // u64
export const WANTED: u32 = 256; // u64, the highest LSN that a vCPU waits for
export const ASKED: u32 = 264; // u32, commits requested since the last group was formed
// The leader's.
export const ALLOCATED: u32 = 328; // u64, allocated length of the file
export const FLUSH_US: u32 = 336; // u64, time of a flush: a moving average of measurements
export const EXPECTED: u32 = 344; // u32, commits expected in a group
export const SKIP: u32 = 348; // u32, groups to flush without gathering, because gathering did not pay
export const BACKOFF: u32 = 352; // u32
export const GROUPS: u32 = 356; // u32, since boot
export const REQUESTS: u32 = 512; // requests of a flush: at most four

/** Block of the log to which this vCPU appends. */
export let log: u32 = 0;

export function use(block: u32): void {
  log = block;
}

/** Address in the buffer of a position in the file. */
@inline
export function at(place: u64): u32 {
  return load<u32>(log, BUFFER) + ((<u32>place) & (load<u32>(log, BUFFER_BYTES) - 1));
}

/** The errno that broke the log; 0 while it is intact. */
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
