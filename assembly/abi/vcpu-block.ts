// Byte offsets in a vCPU's block (one frame). Portable: compiled by asc and by tsc alike.
// The owner is the vCPU itself; words marked * are written by others too and are atomic on both sides.

export const VCPU_PENDING: u32 = 0; // * u32, one bit per interrupt vector (vector.ts); nonzero = look at the next safepoint
export const VCPU_VIEW: u32 = 4; // u32, the 8-bit epoch that this vCPU's write checks compare with
export const VCPU_STATE: u32 = 8; // * u32, VCPU_ABSENT .. VCPU_DEAD
export const VCPU_EPOCH: u32 = 12; // u32, the epoch acknowledged; others read it
export const VCPU_FAULTING: u32 = 16; // u32, odd while inside the write-fault handler; others wait for a change
export const VCPU_MASK: u32 = 20; // u32, vectors that safepoints leave pending
export const VCPU_FREE_HEAD: u32 = 24; // u32, first frame of this vCPU's free list, 0 = empty
export const VCPU_FREE_COUNT: u32 = 28; // u32, frames on it
export const VCPU_DEPTH: u32 = 32; // u32, how often the guest is entered on this vCPU (export -> import -> export)
export const VCPU_SNAPSHOT: u32 = 36; // u32, snapshot slot + 1 that this vCPU looks at, 0 = main image
export const VCPU_STAGING: u32 = 40; // u32, address of its staging buffer, STAGING_BYTES long
export const VCPU_TRAP_ADDRESS: u32 = 44; // u32, address of the access that trapped
export const VCPU_TRAP_CAUSE: u32 = 48; // u32, TRAP_* below; 0 = none
export const VCPU_FENCE: u32 = 52; // u32, means nothing: exchanged to order memory accesses (machine/barrier.ts)
export const VCPU_RING: u32 = 56; // * u32, address of its rings (ring.ts), 0 = none
// The timer (kernel/timer.ts)
export const VCPU_TIMER_FIRST: u32 = 60; // u32, microseconds from the setting to its first expiration, 0 = it is off; others read it
export const VCPU_TIMER_EVERY: u32 = 64; // u32, microseconds from each to the next, 0 = there is one; others read it
export const VCPU_TIMER_SET: u32 = 68; // u32, number of the setting; others read it
export const VCPU_TIMER_DUE: u32 = 72; // * u64, expirations, and in the upper half the number of the setting that they are of
export const VCPU_FRESH: u32 = 80; // u32, first of the frames that are this vCPU's and were never used
export const VCPU_FRESH_END: u32 = 84; // u32, the end of them
export const VCPU_VM: u32 = 88; // u32, address of the VM block, for images
export const VCPU_CLOSER: u32 = 92; // u32, ENTRY_CLOSER: the entry of accesses whose page is not known (translator)
// Threads that end without leaving (host/vm/departed.ts)
export const VCPU_THREAD: u32 = 112; // u32, the host's number of the thread; 0 = the host cannot say whether it lives. The host
export const VCPU_THREAD_START: u32 = 116; // u32, when that thread began, as another may get its number; the host
export const VCPU_HOLDS: u32 = 120; // u32, what others may wait for and this vCPU holds, counted; and HOLDS_COUNTED; others read it
export const VCPU_COUNTERS: u32 = 128; // u64 each, in the order of counter.ts
// Calls of other vCPUs (mmu/ipi.ts, mmu/remote-call.ts)
export const VCPU_CALL_LOCK: u32 = 1024; // * u32, spin lock of the ring
export const VCPU_CALLS_POSTED: u32 = 1028; // * u32, calls asked for since boot
export const VCPU_CALLS_DONE: u32 = 1032; // u32, of them, those that are done; others wait for it
export const VCPU_CALLS_ON: u32 = 1036; // u32, odd: this vCPU takes part; another number for each vCPU that has the block
export const VCPU_CALL_FIRST: u32 = 1040; // * u32, queue of function calls that this vCPU is to run; under the lock
export const VCPU_CALL_LAST: u32 = 1044; // * u32
export const VCPU_CALL_SERVING: u32 = 1048; // u32, the innermost one that it is in the middle of
export const VCPU_CALL_RING: u32 = 1088; // * 16 entries of 16 bytes
export const VCPU_TICKETS: u32 = 1344; // u32 x VCPUS_MAX, calls that this vCPU waits for
export const VCPU_CALL_SLOTS: u32 = 2048; // * 16 function calls of 64 bytes that this vCPU has made

export const VCPU_ABSENT: u32 = 0;
export const VCPU_IDLE: u32 = 1; // in the host: counts as having acknowledged every epoch
export const VCPU_RUNNING: u32 = 2;
export const VCPU_DEAD: u32 = 3; // its thread ended inside the guest

export const TRAP_NONE: u32 = 0;
export const TRAP_OUTSIDE: u32 = 1; // store outside guest memory
export const TRAP_SNAPSHOT_LOST: u32 = 2; // the snapshot ran out of frames
export const TRAP_KILLED: u32 = 3; // the host asked this vCPU to stop
export const TRAP_FAULT_UNHANDLED: u32 = 4; // a page fault, and no handler; the address is the page's number
export const TRAP_FAULT_NESTED: u32 = 5; // a page fault in a page-fault handler
export const TRAP_FAULT_RESULT: u32 = 6; // a page-fault handler returned what means nothing
export const TRAP_FAULT_AGAIN: u32 = 7; // a page-fault handler has not done what it said
export const TRAP_CALL_UNHANDLED: u32 = 8; // a remote call, and no handler; the address is the function's number

/**
 * Everything that this vCPU's guest may hold is counted in VCPU_HOLDS, so a thread that ended inside it with
 * nothing held harms nothing.
 */
export const HOLDS_COUNTED: u32 = 0x80000000;
