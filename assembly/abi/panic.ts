// Assertions of checked builds (machine/checked.ts). Portable: compiled by asc and by tsc; the host names the
// one that failed.

// Kernel
export const PANIC_FRAME_ADDRESS: u32 = 1; // a frame address that no frame can have
export const PANIC_FRAME_FREED_TWICE: u32 = 2; // a free frame is freed
export const PANIC_LOCK_NOT_HELD: u32 = 3; // a lock is released that is not held
export const PANIC_PAGE_NOT_LOCKED: u32 = 4; // a page is marked whose lock is not held
export const PANIC_EPOCH_UNSETTLED: u32 = 5; // a page is marked in an epoch that a vCPU has not acknowledged
export const PANIC_SNAPSHOT_STATE: u32 = 6; // a snapshot slot is used that is not in use
export const PANIC_LIMBO_ORDER: u32 = 7; // frames enter the limbo list out of end_epoch order
export const PANIC_DEPTH: u32 = 8; // more leaves than enters
export const PANIC_FRAME_WRITTEN: u32 = 9; // a free frame was written to
export const PANIC_FRAME_LIST: u32 = 10; // the count of a free list is not its length
export const PANIC_HOLDS: u32 = 11; // a vCPU releases what it does not hold
export const PANIC_FAULTING: u32 = 12; // a write fault begins in a write fault, or ends outside one
export const PANIC_TABLE_ENTRY: u32 = 13; // an entry of a snapshot's table leads to no frame
export const PANIC_VECTOR: u32 = 14; // an interrupt vector or a slot of the trap table that does not exist
export const PANIC_LIMBO_COUNT: u32 = 15; // the count of the limbo list is not its length

// Linked guests
export const PANIC_PTE: u32 = 16; // a page leaves a frame to which its PTE does not lead
export const PANIC_HEADER: u32 = 17; // a pin is released that its holder does not have
export const PANIC_SWIP: u32 = 18; // a page leaves while a swip leads to it, or to its children
export const PANIC_ELEMENT: u32 = 19; // an element or a shift is outside the array
export const PANIC_LATCH_NOT_HELD: u32 = 20; // a header is changed whose latch is not held
export const PANIC_HEADER_STATE: u32 = 21; // a header takes a step that tabby/header.ts does not list
export const PANIC_DESCRIPTOR: u32 = 22; // a wrong step of a frame's descriptor, or a frame outside the pool
export const PANIC_RETAINED: u32 = 23; // more retained pages become clean than were dirty
export const PANIC_BATCH: u32 = 24; // more victims than a batch has room for
export const PANIC_READ: u32 = 25; // a read completes that is not in progress
export const PANIC_WALK_CACHE: u32 = 26; // the walk cache and the page table lead to different tables
export const PANIC_PAGE_TABLE: u32 = 27; // a page number or frame that no PTE can have
export const PANIC_RING: u32 = 28; // the indices of a ring are further apart than it has entries
export const PANIC_CALL: u32 = 29; // a remote call runs unqueued, or an IPI was not posted

// The file system (guest/fs)
export const PANIC_BLOCK: u32 = 30; // a block is used that is free, or freed that is not in use
export const PANIC_INODE: u32 = 31; // an inode is used that does not exist, or its counts are wrong

// The store (guest/kv)
export const PANIC_NODE: u32 = 32; // plus a rule of guest/kv/rules.ts: a node breaks it after a change
export const PANIC_NODE_FENCE: u32 = 34; // a key is outside its node's fences
export const PANIC_NODE_ORDER: u32 = 35; // keys out of order
export const PANIC_NODE_SPACE: u32 = 36; // the bytes of a page are not records, fences, garbage and a gap
export const PANIC_NODE_HEAD: u32 = 37; // a head does not match its key
export const PANIC_PAGE_FREED_TWICE: u32 = 40; // a page is freed that is not in use
export const PANIC_SUPERBLOCK: u32 = 41; // a superblock or a bitmap is freed
export const PANIC_CHAIN: u32 = 42; // a page of an overflow chain has more bytes than fit
export const PANIC_LOG_LOCK: u32 = 43; // a record is added to the log without BATCH_LOCK
export const PANIC_LOG_ROOM: u32 = 44; // a record does not fit the log's buffer
export const PANIC_UNDO_ROOM: u32 = 45; // an undo record does not fit the window
export const PANIC_BATCH_STATE: u32 = 46; // a batch begins in a batch, or ends outside one
