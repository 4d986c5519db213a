// Byte offsets in a snapshot's block (one frame). Portable: compiled by asc and by tsc.

export const SNAPSHOT_EPOCH: u32 = 0; // u32, the epoch it shows: all stores up to the end of that epoch
export const SNAPSHOT_BREAK: u32 = 4; // u32, pages of guest memory it sees
export const SNAPSHOT_STATE: u32 = 8; // u32, SNAPSHOT_GOOD, _LOST or _STOPPED
export const SNAPSHOT_FRAMES: u32 = 12; // u32, frames that it owns, alone or with forks
export const SNAPSHOT_ENDING: u32 = 16; // u32, which side ends it: ENDING_*, set by the first
export const SNAPSHOT_FILES: u32 = 20; // u32, first page of file memory that it sees
export const SNAPSHOT_CHUNKS: u32 = 1024; // 1024 x u8, 1 = that chunk of its table has entries
export const SNAPSHOT_REGISTERS: u32 = 2048; // the parent's mutable globals, 8 bytes each

export const SNAPSHOT_GOOD: u32 = 0;
export const SNAPSHOT_LOST: u32 = 1; // a copy for it found no frame
export const SNAPSHOT_STOPPED: u32 = 2; // its holder has ended its readers

export const ENDING_NONE: u32 = 0;
export const ENDING_SELF: u32 = 1; // its thread releases it: that thread must not be terminated
export const ENDING_PARENT: u32 = 2; // its thread is being terminated: it must not begin to release

// An entry of a snapshot's table: bits 31..12 are added to an address of the page, the rest are flags.
export const ENTRY_PRESENT: u32 = 1; // the page has a frame of its own in this snapshot
export const ENTRY_OWNED: u32 = 2; // no other table uses the frame: writable, freed with the entry
export const ENTRY_FORGOTTEN: u32 = 4; // the snapshot will not read the page again
export const ENTRY_CLOSER: u32 = 8; // in no table: the access takes the slow path (translator)
export const ENTRY_SHARE: u32 = 0x1f0; // several tables own the frame: this one's share (snappy/share.ts)
export const ENTRY_FLAGS: u32 = 4095;
