// The format of the log of a durable store (docs/store-format.md).
//
//   pages 0 and 1   headers, written alternately; of the valid ones, the one with the greater generation counts
//   pages 2 and 3   marks, written alternately: what was durable when they were written
//     0  like every page         16  u64  magic "RINGZMRK"      32  u64  id               40  u64  generation       48  u64  position
//     0  like every page         16  u64  magic "RINGZLOG"      24  u32  version
//     32  u64  id                40  u64  generation            48  u64  seed           56  u64  sequence of the superblock
//   from page 4 on  records (assembly/io/log-record.ts), one after the other; position 0 is there; the place
//   in a record is seed + position
//
//   record   u32 kind | LAST, then
//     PUT       u32 keyBytes, key, value        REMOVE  u32 keyBytes, key        COMMIT, ABORT, CHECKPOINT
//     LONG_PUT  u32 keyBytes, key               PART    bytes of the value of the LONG_PUT before it
//     IMAGE     u32 page, u64 zero, the page in its storage format                   SEED  u32 zero, u64 the seed of the following records
//     GROUP     independent changes of one key each: u16 keyBytes | REMOVAL, u16 valueBytes, key, value
//
// A unit counts whole or not at all: records up to one that is LAST. A unit that ends with ABORT did not
// happen.

export const MAGIC: u64 = 0x474f4c5a474e4952; // "RINGZLOG", little-endian
export const MARK_MAGIC: u64 = 0x4b524d5a474e4952; // "RINGZMRK"
export const VERSION: u32 = 2;
export const HEADERS: u64 = 2;
export const MARKS: u64 = 2;
/** Page of position 0. */
export const FIRST: u64 = 4;
/** Version 1 has no marks: its records begin here. */
export const FIRST_1: u64 = 2;
export const MAGIC_AT: u32 = 16;
export const VERSION_AT: u32 = 24;
export const ID_AT: u32 = 32;
export const GENERATION_AT: u32 = 40;
export const HEADER_SEED_AT: u32 = 48;
export const POSITION_AT: u32 = 48; // of a mark
export const SEQUENCE_AT: u32 = 56;

export const PUT: u32 = 1;
export const PART: u32 = 2;
export const REMOVE: u32 = 3;
export const COMMIT: u32 = 4;
export const ABORT: u32 = 5;
export const IMAGE: u32 = 6;
export const CHECKPOINT: u32 = 7;
export const SEED: u32 = 8;
export const LONG_PUT: u32 = 9;
export const GROUP: u32 = 11;
export const LAST: u32 = 0x100;

/** Offsets in a record's payload. */
export const KEY_AT: u32 = 8; // of PUT, LONG_PUT and REMOVE, after its length
export const PART_AT: u32 = 4;
export const IMAGE_AT: u32 = 16;
export const WORD_AT: u32 = 8; // of SEED
/** Of a GROUP: its first change; in each change, its key; the removal bit of keyBytes. */
export const ENTRIES_AT: u32 = 4;
export const ENTRY_BYTES: u32 = 4;
export const REMOVAL: u32 = 0x8000;
/** The most bytes of a value in one record; a longer value continues in PARTs. */
export const CHUNK: u32 = 32768;
