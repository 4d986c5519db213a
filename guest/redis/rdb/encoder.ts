// The encoder as the guest sees it: a separate module (guest/redis/encoder/). Guest addresses go in,
// it writes to the file.

/** Address of its workspace; 0 when the host has not given it one. */
@external('encoder', 'base')
export declare function base(): u32;

/** Bytes that attach() wants. */
@external('encoder', 'size')
export declare function size(): u32;


@external('encoder', 'attach')
export declare function attach(address: u32): void;


@external('encoder', 'open')
export declare function open(file: i32, packs: bool, checks: bool, syncs: bool): void;

/** Writes what waits and the checksum, and syncs; 0, or the negative errno of what failed first. */
@external('encoder', 'close')
export declare function close(): i32;


@external('encoder', 'hasFailed')
export declare function hasFailed(): bool;


@external('encoder', 'byte')
export declare function byte(value: u32): void;


@external('encoder', 'raw64')
export declare function raw64(value: u64): void;

/** Bytes as they are. */
@external('encoder', 'raw')
export declare function raw(from: u32, bytes: u32): void;


@external('encoder', 'length')
export declare function length(value: u64): void;

/** An integer that is a string. */
@external('encoder', 'integer')
export declare function integer(value: i64): void;

/** A string in its shortest form; false, and nothing written, when it is too long for the encoder. */
@external('encoder', 'put')
export declare function put(from: u32, bytes: u32): bool;

/**
 * A string key with its value, which follows it; false, and nothing written, when both are too long
 * together.
 */
@external('encoder', 'putPair')
export declare function putPair(key: u32, keyBytes: u32, valueBytes: u32): bool;
