// RDB files: the numbers that reader and writer share.
//
// Format      "REDIS" version in four digits | records | EOF | checksum u64
//             A record is an opcode with its operands, or a type, a key and a value.
//             Length: 00LLLLLL | 01LLLLLL L | 80 u32 | 81 u64, big-endian. 11eeeeee: a string in another
//             form, below. String: length and bytes | c0 i8 | c1 i16 | c2 i32, little-endian | c3 packed
//             length, length, LZF.

export const VERSION: u32 = 10;
export const MAGIC_BYTES: u32 = 9;

export const OP_FUNCTION2: u32 = 0xf5; // string
export const OP_MODULE_AUX: u32 = 0xf7; // module value behind three lengths
export const OP_IDLE: u32 = 0xf8; // length: seconds
export const OP_FREQ: u32 = 0xf9; // u8
export const OP_AUX: u32 = 0xfa; // string, string
export const OP_RESIZE: u32 = 0xfb; // length, length: keys, keys that expire
export const OP_EXPIRE_MS: u32 = 0xfc; // i64
export const OP_EXPIRE: u32 = 0xfd; // i32
export const OP_SELECT: u32 = 0xfe; // length
export const OP_EOF: u32 = 0xff;

export const TYPE_STRING: u32 = 0;
export const TYPE_LIST: u32 = 1;
export const TYPE_SET: u32 = 2;
export const TYPE_ZSET: u32 = 3;
export const TYPE_HASH: u32 = 4;
export const TYPE_ZSET_2: u32 = 5;
export const TYPE_MODULE_2: u32 = 7;
export const TYPE_HASH_ZIPMAP: u32 = 9;
export const TYPE_LIST_ZIPLIST: u32 = 10;
export const TYPE_SET_INTSET: u32 = 11;
export const TYPE_ZSET_ZIPLIST: u32 = 12;
export const TYPE_HASH_ZIPLIST: u32 = 13;
export const TYPE_LIST_QUICKLIST: u32 = 14;
export const TYPE_STREAM: u32 = 15;
export const TYPE_HASH_LISTPACK: u32 = 16;
export const TYPE_ZSET_LISTPACK: u32 = 17;
export const TYPE_LIST_QUICKLIST_2: u32 = 18;
export const TYPE_STREAM_2: u32 = 19;

export const STRING_INT8: u32 = 0xc0;
export const STRING_INT16: u32 = 0xc1;
export const STRING_INT32: u32 = 0xc2;
export const STRING_LZF: u32 = 0xc3;

/**
 * Buffers of reader and writer: large enough that a call of the host costs little, small enough to be found
 * always.
 */
export const BUFFER_BYTES: u32 = 1 << 20;
