// System call numbers. Portable: compiled by asc and by tsc. host/syscalls/table.ts has a row per call. A
// call takes five i32 and returns an i32: a result >= 0, or a negative errno (errno.ts). Byte ranges are
// guest addresses; paths are UTF-8, relative to the preopened directory, not zero-terminated.

export const SYS_OPEN: i32 = 1; // (path, pathBytes, OPEN_* flags) -> descriptor
export const SYS_CLOSE: i32 = 2; // (descriptor)
// (descriptor, buffer, bytes) -> bytes read at the file's position, 0 at the end
export const SYS_READ: i32 = 3;
export const SYS_WRITE: i32 = 4; // (descriptor, buffer, bytes) -> bytes written at the file's position
export const SYS_SYNC: i32 = 5; // (descriptor) fsync
export const SYS_RENAME: i32 = 6; // (from, fromBytes, to, toBytes); the directory is synced too
export const SYS_UNLINK: i32 = 7; // (path, pathBytes)
export const SYS_SIZE: i32 = 8; // (descriptor, resultAddress) stores the size as u64
export const SYS_CLOCK: i32 = 9; // (resultAddress) stores two f64: Unix time in ms, monotonic time in us
export const SYS_RANDOM: i32 = 10; // (buffer, bytes) fills with random bytes
export const SYS_LOG: i32 = 11; // (level 0 debug .. 3 warning, text, textBytes)
export const SYS_PROGRESS: i32 = 12; // (what 1 = load 2 = save, done per mille)
// Directly between a file and frames in the DMA window (setDmaWindow), at page * 4096; short at the end of
// the file. A short transfer is continued at a byte of a page: the bits of the last argument from
// PAGE_OFFSET_SHIFT on.
export const PAGE_OFFSET_SHIFT: u32 = 20;
export const SYS_PREAD: i32 = 13; // (descriptor, address, bytes, page, upper 32 bits of page) -> bytes read
// (descriptor, address, bytes, page, upper 32 bits of page) -> bytes written
export const SYS_PWRITE: i32 = 14;
export const SYS_SLEEP: i32 = 15; // (microseconds, at most SLEEP_US_MAX) the vCPU sleeps
// Rings (ring.ts)
/** (number) wakes the service, and returns when that number of completions can be taken. */
export const SYS_RING_ENTER: i32 = 16;
/** (descriptor) -> its number in submission queue entries, for all vCPUs, until it is closed. */
export const SYS_RING_FILE: i32 = 17;

// From here on the functions of WASI preview 1, in the order of host/wasi/abi.ts: (address of the arguments,
// as 64-bit words, or 0 if no handler of the guest is bound; their number) -> WASI's own error number, 0 for
// success.
export const SYS_WASI: i32 = 256;

export const SLEEP_US_MAX: u32 = 1000000;

export const OPEN_READ: i32 = 1;
export const OPEN_WRITE: i32 = 2;
export const OPEN_CREATE: i32 = 4;
export const OPEN_TRUNCATE: i32 = 8;
/** Bypasses the host's page cache, or writes through it where the file system cannot. */
export const OPEN_DIRECT: i32 = 16;
