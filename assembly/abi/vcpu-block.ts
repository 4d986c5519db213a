// Byte offsets in a vCPU's block (one frame). Portable: compiled by asc and by tsc.
// The owner is the vCPU itself; words marked * are written by others too and are atomic on both sides.

/** * u32, one bit per interrupt vector (vector.ts); the next safepoint serves them. */
export const VCPU_PENDING: u32 = 0;
export const VCPU_VIEW: u32 = 4; // u32, the 8-bit epoch with which this vCPU's write checks compare
export const VCPU_STATE: u32 = 8; // * u32, VCPU_ABSENT .. VCPU_DEAD
export const VCPU_EPOCH: u32 = 12; // u32, the epoch acknowledged; others read it
// u32, odd while inside the write-fault handler; others wait for a change
export const VCPU_FAULTING: u32 = 16;
export const VCPU_MASK: u32 = 20; // u32, vectors that safepoints leave pending
export const VCPU_FREE_HEAD: u32 = 24; // u32, first frame of this vCPU's free list, 0 = empty
export const VCPU_FREE_COUNT: u32 = 28; // u32, frames on it
export const VCPU_DEPTH: u32 = 32; // u32, nesting depth of guest entries (export -> import -> export)
export const VCPU_SNAPSHOT: u32 = 36; // u32, slot + 1 of the snapshot on which this vCPU runs, 0 = main image
export const VCPU_STAGING: u32 = 40; // u32, address of its staging buffer, STAGING_BYTES long
export const VCPU_TRAP_ADDRESS: u32 = 44; // u32, address of the access that trapped
export const VCPU_TRAP_CAUSE: u32 = 48; // u32, TRAP_* below; 0 = none
export const VCPU_FENCE: u32 = 52; // u32, no value: exchanged to order memory accesses (machine/barrier.ts)
export const VCPU_RING: u32 = 56; // * u32, address of its rings (ring.ts), 0 = none
// The timer (kernel/timer.ts)
/** u32, microseconds from the setting to its first expiration, 0 = off; others read it. */
export const VCPU_TIMER_FIRST: u32 = 60;
/** u32, microseconds between expirations, 0 = only one; others read it. */
export const VCPU_TIMER_EVERY: u32 = 64;
export const VCPU_TIMER_SET: u32 = 68; // u32, number of the setting; others read it
/** * u64, expirations in the lower half, the number of their setting in the upper half. */
export const VCPU_TIMER_DUE: u32 = 72;
export const VCPU_FRESH: u32 = 80; // u32, first of the frames that this vCPU owns and that were never used
export const VCPU_FRESH_END: u32 = 84; // u32, their end
export const VCPU_VM: u32 = 88; // u32, address of the VM block, for images
/** u32, ENTRY_CLOSER: the entry for accesses whose page is not known (translator). */
export const VCPU_CLOSER: u32 = 92;
// Threads that end without leaving (host/vm/departed.ts)
/** u32, the host's number of the thread; 0 = the host cannot tell whether it lives. Written by the host. */
export const VCPU_THREAD: u32 = 112;
/** u32, start time of that thread, because thread numbers are reused. Written by the host. */
export const VCPU_THREAD_START: u32 = 116;
/** u32, count of what this vCPU holds and others may wait for; and HOLDS_COUNTED; others read it. */
export const VCPU_HOLDS: u32 = 120;
export const VCPU_COUNTERS: u32 = 128; // u64 each, in the order of counter.ts
// Calls of other vCPUs (mmu/ipi.ts, mmu/remote-call.ts)
export const VCPU_CALL_LOCK: u32 = 1024; // * u32, spin lock of the ring
export const VCPU_CALLS_POSTED: u32 = 1028; // * u32, calls posted since boot
export const VCPU_CALLS_DONE: u32 = 1032; // u32, of these, calls that are done; others wait for it
/** u32, odd: this vCPU takes part; a different number for each vCPU that gets the block. */
export const VCPU_CALLS_ON: u32 = 1036;
/** * u32, queue of function calls for this vCPU to run; under the lock. */
export const VCPU_CALL_FIRST: u32 = 1040;
export const VCPU_CALL_LAST: u32 = 1044; // * u32
export const VCPU_CALL_SERVING: u32 = 1048; // u32, the innermost call that it is serving
export const VCPU_CALL_RING: u32 = 1088; // * 16 entries of 16 bytes
export const VCPU_TICKETS: u32 = 1344; // u32 x VCPUS_MAX, tickets of calls that this vCPU waits for
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
export const TRAP_FAULT_RESULT: u32 = 6; // a page-fault handler returned an invalid result
export const TRAP_FAULT_AGAIN: u32 = 7; // the handler reported success, but the page is still unmapped
// A remote call, and no handler; the address is the function's number.
export const TRAP_CALL_UNHANDLED: u32 = 8;

/**
 * VCPU_HOLDS counts everything that this vCPU's guest may hold, so the end of a thread inside the guest with
 * nothing held harms no other vCPU.
 */
export const HOLDS_COUNTED: u32 = 0x80000000;
