// What the front end supplies besides libdbos.

/**
 * 0 pid, 1 uptime s, 2 rss bytes, 3 user s, 4 system s, 5 port, 6 sockets, 7 system memory, 8 last snapshot us, 9 VM bytes,
 * 10 cores of the machine, 11 per mille that a save has written.
 */
// @ts-ignore: decorator
@external('redis', 'hostInfo')
export declare function hostInfo(field: i32): f64;

/** Monotonic time in microseconds. */
// @ts-ignore: decorator
@external('redis', 'clockUs')
export declare function clockUs(): f64;

export const HOST_PID: i32 = 0;
export const HOST_UPTIME: i32 = 1;
export const HOST_RSS: i32 = 2;
export const HOST_CPU_USER: i32 = 3;
export const HOST_CPU_SYSTEM: i32 = 4;
export const HOST_PORT: i32 = 5;
export const HOST_SOCKETS: i32 = 6;
export const HOST_SYSTEM_MEMORY: i32 = 7;
export const HOST_SNAPSHOT_US: i32 = 8;
export const HOST_VM_BYTES: i32 = 9;
export const HOST_CORES: i32 = 10;
export const HOST_SAVED: i32 = 11;

// Functions of users: the host compiles and runs them, the guest names them and asks. A slot is a number below UDF_MAX.

export const UDF_MAX: u32 = 32;

// What udfLoad() and udfCall() return: what kind of answer there is.
export const ANSWER_INTEGER: i32 = 0;
export const ANSWER_BYTES: i32 = 1;
/** The text of a floating-point number. */
export const ANSWER_DOUBLE: i32 = 2;
/** Why there is none, as text. */
export const ANSWER_ERROR: i32 = 3;

/** Compiles a module for a slot; one that was there stays when it fails. 0, or ANSWER_ERROR. */
// @ts-ignore: decorator
@external('redis', 'udfLoad')
export declare function udfLoad(slot: u32, at: u32, bytes: u32): i32;

/** Runs a slot's function on a row: ANSWER_*. */
// @ts-ignore: decorator
@external('redis', 'udfCall')
export declare function udfCall(slot: u32, at: u32, bytes: u32): i32;

/** The integer that was answered; the number of bytes for any other kind of answer. */
// @ts-ignore: decorator
@external('redis', 'udfAnswer')
export declare function udfAnswer(): f64;

/** Bytes in one part of an answer, but the last. */
export const UDF_PART: u32 = 65536;

/** Where the answer's bytes from `offset` on are, UDF_PART at most; until the next call. */
// @ts-ignore: decorator
@external('redis', 'udfPart')
export declare function udfPart(offset: u32): u32;
