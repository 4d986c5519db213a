// Kernel counters: index of a u64 in each vCPU block (summed over vCPUs by stats), or a gauge of the VM block.
// Portable: compiled by asc and by tsc alike. COUNTER_NAMES in host/vm/stats.ts has the names in this order.

export const COUNTER_FAULTS: u32 = 0; // write faults taken in the main image
export const COUNTER_COPIES: u32 = 1; // of them, those that copied the page for a snapshot
export const COUNTER_PRIVATE: u32 = 2; // pages that snapshots copied to write to them
export const COUNTER_SAFEPOINTS: u32 = 3; // safepoints that found an interrupt pending
export const COUNTER_WAITS: u32 = 4; // faults that waited for another vCPU to acknowledge the epoch
export const COUNTER_SYSCALLS: u32 = 5; // proxied system calls
export const COUNTER_FORGOTTEN: u32 = 6; // pages that a snapshot gave up before its end
export const COUNTERS_PER_VCPU: u32 = 7;

export const GAUGE_EPOCH: u32 = 16; // the current epoch
export const GAUGE_SNAPSHOTS: u32 = 17; // active snapshots
export const GAUGE_LIMBO: u32 = 18; // frames in the limbo list
export const GAUGE_FRAMES_FREE: u32 = 19; // frames that can still be handed out
export const GAUGE_FRAMES_USED: u32 = 20; // frames handed out
export const GAUGE_BREAK: u32 = 21; // bytes of guest memory
export const GAUGE_SNAPSHOTS_TAKEN: u32 = 22; // since boot
export const GAUGE_RUNNING: u32 = 24; // vCPUs of the main image that are in the guest now
export const GAUGE_SNAPSHOTS_LOST: u32 = 23; // of them, those that ran out of frames
