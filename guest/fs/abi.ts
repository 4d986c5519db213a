// The file system's structures, as offsets in bytes. Portable: compiled by asc and by tsc; the host reads
// inodes, records of open files and lists of entries in place.
//
// Memory is numbered in blocks of 4 KiB from the top of file memory (space.ts). All references are numbers of
// blocks and inodes, so a file system can move to another address.

export const BLOCK_BYTES: u32 = 4096;
export const BLOCK_SHIFT: u32 = 12;
/** Blocks that file memory grows by; within a chunk addresses ascend. */
export const CHUNK_BLOCKS: u32 = 256;
export const CHUNK_SHIFT: u32 = 8;
/** Blocks for which one bitmap has bits; the bitmap is the first of them, in the first group the second. */
export const GROUP_BLOCKS: u32 = 32768;
export const GROUP_SHIFT: u32 = 15;
/** Blocks from here on, one per vCPU, are for results that do not fit a number. */
export const SCRATCH_BLOCK: u32 = 2;
/** Of the first chunk: superblock, bitmap, results. */
export const FIXED_BLOCKS: u32 = 66;

// Superblock: block 0
export const SUPER_MAGIC: u32 = 0; // u32
export const SUPER_LOCK: u32 = 8; // u32, 0 free, else 1 + the number of the vCPU that holds it
export const SUPER_TOTAL: u32 = 12; // u32, blocks that file memory has
export const SUPER_FREE: u32 = 16; // u32, of them, not in use
export const SUPER_HINT: u32 = 20; // u32, where the search for a free block begins
export const SUPER_INODES: u32 = 24; // map of the inodes, INODES_PER_BLOCK to a block
export const SUPER_INODE_END: u32 = 36; // u32, numbers of inodes below it have a place
export const SUPER_INODE_FREE: u32 = 40; // u32, first free inode
export const SUPER_INODE_COUNT: u32 = 44; // u32, inodes in use
export const SUPER_OPENS: u32 = 48; // map of the records of open files, OPENS_PER_BLOCK to a block
export const SUPER_OPEN_END: u32 = 60; // u32, records
export const SUPER_OPEN_FREE: u32 = 64; // u32, 1 + first free record
export const SUPER_CHANGES: u32 = 68; // u32, how often a name was removed or moved
export const MAGIC: u32 = 0x53465a52;

// Map of blocks: a tree of nodes with 1024 numbers of blocks; 0 = a hole
export const MAP_ROOT: u32 = 0; // u32
export const MAP_HEIGHT: u32 = 4; // u32, levels of nodes above the data
export const MAP_BLOCKS: u32 = 8; // u32, blocks of data and nodes

// Inode
export const INODE_BYTES: u32 = 128;
export const INODES_PER_BLOCK: u32 = 32;
export const INODE_MODE: u32 = 0; // u32, as Linux has it: type and permissions; 0 = free
export const INODE_LINKS: u32 = 4; // u32
export const INODE_SIZE: u32 = 8; // u64
export const INODE_ATIME: u32 = 16; // i64, nanoseconds since 1970; the others too
export const INODE_MTIME: u32 = 24; // i64
export const INODE_CTIME: u32 = 32; // i64
export const INODE_MAP: u32 = 40; // map of the content
export const INODE_OPENS: u32 = 52; // u32, records that refer to it
export const INODE_PARENT: u32 = 56; // u32, of directories
export const INODE_ENTRIES: u32 = 60; // u32, of directories
export const INODE_INDEX: u32 = 64; // map of buckets: of directories
export const INODE_BUCKETS: u32 = 76; // u32, number of buckets, a power of two, 0 = no index yet
export const INODE_UID: u32 = 80; // u32
export const INODE_GID: u32 = 84; // u32
export const INODE_NEXT: u32 = 88; // u32, next free inode
export const INODE_TAIL: u32 = 92; // u32, of directories: end of the entries
export const INODE_BTIME: u32 = 96; // i64, when it was made

export const TYPE_MASK: u32 = 0xf000;
export const TYPE_DIRECTORY: u32 = 0x4000;
export const TYPE_FILE: u32 = 0x8000;
export const TYPE_LINK: u32 = 0xa000;
export const ROOT_INODE: u32 = 1;
export const FILE_BYTES_MAX: f64 = 4294963200; // 4 GiB - 4 KiB
export const LINKS_MAX: u32 = 65000;
export const NAME_BYTES_MAX: u32 = 255;

// Entry of a directory, in the directory's content. Entries do not cross blocks; the first block begins with
// the heads of the lists of free entries, one for each length.
export const ENTRY_INODE: u32 = 0; // u32, 0 = free
export const ENTRY_NEXT: u32 = 4; // u32, offset of the next entry of its bucket, or of its list; 0 = none
export const ENTRY_HASH: u32 = 8; // u32
export const ENTRY_BYTES: u32 = 12; // u16, of the entry, a multiple of ENTRY_UNIT
export const ENTRY_NAME_BYTES: u32 = 14; // u8
export const ENTRY_TYPE: u32 = 15; // u8, bits 12 to 15 of the mode
export const ENTRY_NAME: u32 = 16;
export const ENTRY_UNIT: u32 = 16;
export const ENTRY_MIN: u32 = 32;
export const ENTRIES_AT: u32 = 256;
/** Cookies of a listing below it are `.` and `..`. */
export const COOKIE_FIRST: u32 = 2;

// A list of entries in a block for results: u32 inode, u32 cookie after it, u8 type, u8 bytes of the name,
// the name; each from a multiple of 4
export const LISTED_COOKIE: u32 = 4;
export const LISTED_TYPE: u32 = 8;
export const LISTED_NAME_BYTES: u32 = 9;
export const LISTED_NAME: u32 = 10;

// Record of an open file
export const OPEN_BYTES: u32 = 64;
export const OPENS_PER_BLOCK: u32 = 64;
export const OPENS_MAX: u32 = 65536;
export const OPEN_INODE: u32 = 0; // u32, 0 = free
export const OPEN_OWNER: u32 = 4; // u32, 1 + the vCPU whose descriptor it is, 0 = of no descriptor
export const OPEN_NUMBER: u32 = 8; // u32, the descriptor
export const OPEN_FLAGS: u32 = 12; // u32, flags of WASI
export const OPEN_POSITION: u32 = 16; // u64
export const OPEN_BASE: u32 = 24; // u32, rights of WASI
export const OPEN_INHERITING: u32 = 28; // u32
export const OPEN_PREOPEN: u32 = 32; // u32, 1 + index of the preopened directory that it is
export const OPEN_ACCESS: u32 = 40; // u32, how the host would have it open: OPEN_* of the host's flags
export const OPEN_NEXT: u32 = 36; // u32, 1 + next free record
