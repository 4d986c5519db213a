// Numbers that guest/kv and host/level share. Portable: compiled by asc and by tsc.
//
// The exchange window is kernel memory of a vCPU; calls read their input from it and write output there.

export const WINDOW_BYTES: u32 = 131072;
export const VALUE_AT: u32 = 4096; // offset of the value of get and put
export const SCAN_AT: u32 = 8192; // offset of the lengths that a scan returns
export const SCAN_MAX: u32 = 1024; // most entries that one scan returns
export const SCAN_DATA: u32 = 16384; // offset of its keys and values: SCAN_AT + SCAN_MAX * 8
export const SCAN_ENDED: u32 = 0x40000000; // flag in a scan's result: the range has no more entries
export const SCAN_ASCII: u32 = 0x20000000; // flag in a scan's result: all keys and values are ASCII
export const KEY_BYTES_MAX: u32 = 1024;
export const VALUE_BYTES_MAX: u32 = 67108864; // 64 MiB
export const BATCH_DELETE: u32 = 0x80000000; // flag in the key length of a batch's entry
/** Flag in the value length of a scan's entry: the value is too large, use get. */
export const VALUE_ELSEWHERE: u32 = 0x80000000;

// What a batch leaves in the window so that it can be undone: one record per operation, in order. A record is
// a u32, the length of the previous value, and that value, padded to 4 bytes; or one of the words below.
export const UNDO_AT: u32 = 122880; // offset: WINDOW_BYTES - UNDO_BYTES
export const UNDO_BYTES: u32 = 8192;
export const UNDO_NOTHING: u32 = 0xffffffff; // the operation changed nothing
export const UNDO_ABSENT: u32 = 0xfffffffe; // the key did not exist
export const UNDO_CHAIN: u32 = 0xfffffffd; // u32 length and u32 first page of the overflow chain follow
export const UNDO_HAS_CHAINS: u32 = 0x40000000; // flag in the result of batchLog()

// Flags of scan and clear.
export const SCAN_HAS_LOW: u32 = 1;
export const SCAN_HAS_HIGH: u32 = 2;
export const SCAN_LOW_OPEN: u32 = 4; // excludes the low bound itself
export const SCAN_HIGH_OPEN: u32 = 8;
export const SCAN_REVERSE: u32 = 16;
export const SCAN_NO_VALUES: u32 = 32;

// stat(index).
export const KV_ENTRIES: u32 = 0;
export const KV_PAGES_USED: u32 = 1; // pages of the file in use, superblocks and bitmaps included
export const KV_HEIGHT: u32 = 2;
export const KV_POOL_FRAMES: u32 = 3;
export const KV_FAULTS: u32 = 4; // pages read from storage
export const KV_EVICTIONS: u32 = 5;
export const KV_WRITES: u32 = 6; // pages written to storage
export const KV_CHECKPOINTS: u32 = 7; // since the store was opened
export const KV_LOG_BYTES: u32 = 8; // logged since the store was opened

/** Result of enterGet(), enterPut() and enterScan() that did nothing: the store may not be open. */
export const KV_SHUT: i32 = -0x40000000;
