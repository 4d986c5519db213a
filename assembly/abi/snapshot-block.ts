// Byte offsets in a snapshot's block (one frame). Portable: compiled by asc and by tsc alike.

export const SNAPSHOT_EPOCH: u32 = 0; // u32, the epoch it shows: all stores up to the end of that epoch
export const SNAPSHOT_BREAK: u32 = 4; // u32, pages of guest memory it sees
export const SNAPSHOT_STATE: u32 = 8; // u32, SNAPSHOT_GOOD, _LOST or _STOPPED
export const SNAPSHOT_FRAMES: u32 = 12; // u32, frames that belong to it alone
export const SNAPSHOT_ENDING: u32 = 16; // u32, who ends it: ENDING_*, the first one to say so
export const SNAPSHOT_CHUNKS: u32 = 1024; // 1024 x u8, 1 = that chunk of its table has entries
export const SNAPSHOT_REGISTERS: u32 = 2048; // the parent's mutable globals, 8 bytes each

export const SNAPSHOT_GOOD: u32 = 0;
export const SNAPSHOT_LOST: u32 = 1; // a frame was wanted for it and there was none
export const SNAPSHOT_STOPPED: u32 = 2; // its holder wants its readers to end

export const ENDING_NONE: u32 = 0;
export const ENDING_SELF: u32 = 1; // its thread releases it: that thread must not be ended any more
export const ENDING_PARENT: u32 = 2; // its thread is being ended: it must not begin to release

// An entry of a snapshot's table: bits 31..12 are added to an address of the page, the rest are flags.
export const ENTRY_PRESENT: u32 = 1; // the page has a frame of its own in this snapshot
export const ENTRY_OWNED: u32 = 2; // no other snapshot uses that frame: it may be written, and is freed with the entry
export const ENTRY_FORGOTTEN: u32 = 4; // the snapshot will not read the page again
export const ENTRY_CLOSER: u32 = 8; // in no table: the access has to look closer (translator)
export const ENTRY_FLAGS: u32 = 4095;
