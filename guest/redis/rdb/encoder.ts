// The encoder as the guest sees it: a module of its own beside the guest (guest/redis/encoder/). Guest addresses go in,
// it writes to the file.

/** Address of its workspace; 0 when the host has not given it one. */
// @ts-ignore: decorator
@external('encoder', 'base')
export declare function base(): u32;

/** Bytes that attach() wants. */
// @ts-ignore: decorator
@external('encoder', 'size')
export declare function size(): u32;

// @ts-ignore: decorator
@external('encoder', 'attach')
export declare function attach(address: u32): void;

// @ts-ignore: decorator
@external('encoder', 'open')
export declare function open(file: i32, packs: bool, checks: bool, syncs: bool): void;

/** Writes what waits and the checksum, and syncs; 0, or the negative errno of what failed first. */
// @ts-ignore: decorator
@external('encoder', 'close')
export declare function close(): i32;

// @ts-ignore: decorator
@external('encoder', 'hasFailed')
export declare function hasFailed(): bool;

// @ts-ignore: decorator
@external('encoder', 'byte')
export declare function byte(value: u32): void;

// @ts-ignore: decorator
@external('encoder', 'raw64')
export declare function raw64(value: u64): void;

/** Bytes as they are. */
// @ts-ignore: decorator
@external('encoder', 'raw')
export declare function raw(from: u32, bytes: u32): void;

// @ts-ignore: decorator
@external('encoder', 'length')
export declare function length(value: u64): void;

/** An integer that is a string. */
// @ts-ignore: decorator
@external('encoder', 'integer')
export declare function integer(value: i64): void;

/** A string in its shortest form; false, and nothing written, when it is too long for the encoder. */
// @ts-ignore: decorator
@external('encoder', 'put')
export declare function put(from: u32, bytes: u32): bool;

/** A string key with its value, which lies behind it; false, and nothing written, when both are too long together. */
// @ts-ignore: decorator
@external('encoder', 'putPair')
export declare function putPair(key: u32, keyBytes: u32, valueBytes: u32): bool;
