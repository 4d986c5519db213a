// Rings: the submission and completion queue of a vCPU, three adjacent frames of kernel memory whose address
// is VCPU_RING. Portable: compiled by asc and by tsc. After io_uring: indices count modulo 2^32, and one side
// stores each of them.

// First frame: words. The vCPU stores those marked v, the I/O service those marked s; all are atomic.
export const RING_SQ_TAIL: u32 = 0; // v, u32, entries submitted
export const RING_CQ_HEAD: u32 = 4; // v, u32, completions taken
export const RING_WANTED: u32 = 8; // v, u32, wakes the waiting vCPU when RING_CQ_TAIL reaches this
export const RING_FLAGS: u32 = 12; // v, u32, RING_INTERRUPTS
export const RING_SQ_HEAD: u32 = 64; // s, u32, entries taken
export const RING_CQ_TAIL: u32 = 68; // s, u32, completions posted
export const RING_IN_FLIGHT: u32 = 72; // s, u32, entries taken whose completion is not posted yet
export const RING_BROKEN: u32 = 76; // s, u32, 1 = the indices were corrupt: the service ignores this ring
export const RING_REFUSED: u32 = 80; // s, u32, entries that named frames outside the DMA window
export const RING_OWN: u32 = 1024; // the rest of the first frame is the vCPU's own (io/requests.ts)
// Second frame: submission queue; third frame: completion queue.
export const RING_SQ: u32 = 4096;
export const RING_CQ: u32 = 8192;
export const RING_FRAMES: u32 = 3;
export const SQ_ENTRIES: u32 = 128;
export const CQ_ENTRIES: u32 = 256; // no more entries are taken than fit with their completions

export const RING_INTERRUPTS: u32 = 1; // VECTOR_IO is posted with each completion

// Submission queue entry, 32 bytes.
export const SQE_BYTES: u32 = 32;
export const SQE_SHIFT: u32 = 5;
export const SQE_OPCODE: u32 = 0; // u8, OP_*
export const SQE_FLAGS: u32 = 1; // u8, SQE_LINK
export const SQE_FILE: u32 = 2; // u16, result of SYS_RING_FILE
export const SQE_LENGTH: u32 = 4; // u32, bytes
/** u64, bytes from the start of the file; OP_CANCEL: user data of the entry to cancel. */
export const SQE_POSITION: u32 = 8;
export const SQE_ADDRESS: u32 = 16; // u32, frames in the DMA window
export const SQE_ZERO: u32 = 20; // u32, must be zero
export const SQE_USER_DATA: u32 = 24; // u64, copied to the completion

/** The next entry starts when this one has succeeded in full, else it ends with -ECANCELED. */
export const SQE_LINK: u32 = 1;

export const OP_NOP: u32 = 0;
export const OP_READ: u32 = 1;
export const OP_WRITE: u32 = 2;
export const OP_FDATASYNC: u32 = 3;
/** Extends the file to position + length; the new part is zero and has its space on the device. */
export const OP_ALLOCATE: u32 = 4;
export const OP_TRUNCATE: u32 = 5; // the file ends at position
export const OP_CANCEL: u32 = 6; // 0; -ENOENT: no such entry; -EALREADY: it is in progress
export const OP_COUNT: u32 = 7;

// Completion queue entry, 16 bytes.
export const CQE_BYTES: u32 = 16;
export const CQE_SHIFT: u32 = 4;
export const CQE_USER_DATA: u32 = 0; // u64
export const CQE_RESULT: u32 = 8; // i32, bytes transferred or a negative errno

export const RING_FILES_MAX: u32 = 64; // registered at the same time in a VM

// The I/O service (VM_IO_STATE).
export const IO_NONE: u32 = 0; // the VM was created without rings
export const IO_STARTING: u32 = 1;
export const IO_ASLEEP: u32 = 2; // a vCPU that submits sets IO_AWAKE and rings the doorbell (SYS_RING_ENTER)
export const IO_AWAKE: u32 = 3;
export const IO_DEAD: u32 = 4; // nothing completes from now on
