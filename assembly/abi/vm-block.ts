// Byte offsets in the VM block: words that all vCPUs share. Portable: compiled by asc and by tsc.
// All are atomic; the comments say what writes them.

export const VM_EPOCH: u32 = 0; // u32, the current epoch E; the taker of a snapshot, under VM_SNAPSHOT_LOCK
export const VM_VIEW: u32 = 4; // u32, E's 8-bit form; written in one 64-bit store with VM_EPOCH
// u64: first page after guest memory; upper half: lowest frame ever handed out.
export const VM_BREAK: u32 = 8;
export const VM_BATCHES: u32 = 16; // u64, head of the global list of frame batches, version in the upper half
export const VM_BATCHED_FRAMES: u32 = 24; // u32, frames in that list
export const VM_SETTLED: u32 = 28; // u32, newest epoch that every vCPU is known to have acknowledged
export const VM_ACTIVE: u32 = 32; // u32, bit per active snapshot
export const VM_SLOTS: u32 = 36; // u32, bit per snapshot slot in use: active, or not yet cleared
export const VM_SNAPSHOT_LOCK: u32 = 40; // u32, spin lock of take()
export const VM_LIMBO_LOCK: u32 = 44; // u32, spin lock of the three words below
export const VM_LIMBO_HEAD: u32 = 48; // u32, pfn
export const VM_LIMBO_TAIL: u32 = 52; // u32, pfn
export const VM_LIMBO_COUNT: u32 = 56; // u32, frames
export const VM_GUEST_LIMIT: u32 = 60; // u32, largest break in pages; the host, before boot
export const VM_WEAK: u32 = 64; // u32, 1 = the processor reorders stores or loads and needs fences; the host
export const VM_SWEEP: u32 = 68; // u32, next chunk of the epoch table to sweep
export const VM_TAKEN: u32 = 72; // u32, snapshots taken since boot
export const VM_LOST: u32 = 76; // u32, snapshots that ran out of frames
export const VM_VCPUS: u32 = 80; // u32, vCPU blocks handed out since boot
export const VM_GUARD: u32 = 84; // u32, pages from address 0 that trap when stored to; the host, before boot
export const VM_IO_STATE: u32 = 96; // u32, IO_* of ring.ts; the I/O service, and vCPUs that wake it
export const VM_IO_BEAT: u32 = 100; // u32, changes while the I/O service has operations in progress
export const VM_POOL_FRAMES: u32 = 104; // u32, frames of Tabby's pool, 0 = none; the vCPU that creates it
export const VM_TIMER_STATE: u32 = 108; // u32, TIMER_* of timer.ts; the host
export const VM_TIMER_BELL: u32 = 112; // u32, changes when a timer is set; the timer thread waits for it
/** u32, address of a frame that stays zero: pages that a snapshot does not have; written at boot. */
export const VM_ZERO_FRAME: u32 = 116;
/** u32, 1 + index of the exported function of a program that allocates, 0 = unknown; the host. */
export const VM_ALLOCATOR: u32 = 120;
/** u32, first page of file memory, which grows downwards (kernel/file-memory.ts); above every page = none. */
export const VM_FILES: u32 = 124;
/** u32, first page after file memory, 0 = none; set once. */
export const VM_FILES_TOP: u32 = 128;
export const VM_CHUNK_MARKS: u32 = 1024; // 256 x u32, epoch of the last mark in each chunk of the epoch table
