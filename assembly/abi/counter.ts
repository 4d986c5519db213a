// Kernel counters: the index of a u64 in each vCPU block (stats sums over vCPUs), or a gauge of the VM block.
// Portable: compiled by asc and by tsc. host/vm/stats.ts names them.

export const COUNTER_FAULTS: u32 = 0; // write faults taken in the main image
export const COUNTER_COPIES: u32 = 1; // of these, faults that copied the page for a snapshot
export const COUNTER_PRIVATE: u32 = 2; // pages that snapshots copied before writing to them
export const COUNTER_SAFEPOINTS: u32 = 3; // safepoints that found an interrupt pending
export const COUNTER_WAITS: u32 = 4; // faults that waited for another vCPU to acknowledge the epoch
export const COUNTER_SYSCALLS: u32 = 5; // proxied system calls
export const COUNTER_FORGOTTEN: u32 = 6; // pages that a snapshot forgot before its end
export const COUNTER_INTERRUPTS: u32 = 7; // interrupts delivered to the guest's handlers
export const COUNTER_REMOTE_CALLS: u32 = 8; // calls of other vCPUs served (mmu/ipi.ts)
export const COUNTER_SUBMITTED: u32 = 9; // entries put into submission queues (io/queue.ts)
export const COUNTER_POOL: u32 = 10; // the first of Tabby's counters, in the order below
export const COUNTERS_PER_VCPU: u32 = 18;

// Tabby's pool: offsets from COUNTER_POOL.
export const POOL_FAULTS: u32 = 0; // pages read on demand
export const POOL_PREFETCHED: u32 = 1; // pages read ahead
export const POOL_EVICTIONS: u32 = 2;
export const POOL_WRITES: u32 = 3; // pages written back
export const POOL_FAILURES: u32 = 4; // reads and writes that failed
export const POOL_STALE: u32 = 5; // translations that the header refuted
export const POOL_WAITS: u32 = 6; // waits long enough for the vCPU to leave its operation
export const POOL_WRAPS: u32 = 7; // versions that wrapped

// Gauges.
export const GAUGE_EPOCH: u32 = 32; // the current epoch
export const GAUGE_SNAPSHOTS: u32 = 33; // active snapshots
export const GAUGE_LIMBO: u32 = 34; // frames in the limbo list
export const GAUGE_FRAMES_FREE: u32 = 35; // frames that can still be handed out
export const GAUGE_FRAMES_USED: u32 = 36; // frames handed out
export const GAUGE_BREAK: u32 = 37; // bytes of guest memory
export const GAUGE_SNAPSHOTS_TAKEN: u32 = 38; // since boot
export const GAUGE_SNAPSHOTS_LOST: u32 = 39; // of these, snapshots that ran out of frames
export const GAUGE_RUNNING: u32 = 40; // vCPUs of the main image that are in the guest
export const GAUGE_VCPUS: u32 = 41; // vCPUs attached, including those that run on snapshots or wait for one
export const GAUGE_REFUSED: u32 = 42; // since boot: ring entries that named frames outside the DMA window
export const GAUGE_POOL_FRAMES: u32 = 43; // frames of Tabby's pool, 0 = the VM has none
