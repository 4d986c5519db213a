// What the front end supplies besides libdbos.

/** A fact about the process: HOST_* of abi.ts. */
@external('redis', 'hostInfo')
export declare function hostInfo(field: i32): f64;

/** Monotonic time in microseconds. */
@external('redis', 'clockUs')
export declare function clockUs(): f64;

/**
 * Writes options, in the form of config-file.ts, to the file that the server was started with: 0, or a
 * negative errno.
 */
@external('redis', 'rewriteConfig')
export declare function rewriteConfig(at: u32, bytes: u32): i32;

// Functions of users: the host compiles and runs them, the guest names them and asks. A slot is a number
// below UDF_MAX.

export const UDF_MAX: u32 = 32;

/** Compiles a module for a slot; one that was there stays when it fails. 0, or ANSWER_ERROR. */
@external('redis', 'udfLoad')
export declare function udfLoad(slot: u32, at: u32, bytes: u32): i32;

/** Runs a slot's function on a row: ANSWER_*. */
@external('redis', 'udfCall')
export declare function udfCall(slot: u32, at: u32, bytes: u32): i32;

/** The integer that was answered; the number of bytes for any other kind of answer. */
@external('redis', 'udfAnswer')
export declare function udfAnswer(): f64;

/** Where the answer's bytes from `offset` on are, UDF_PART at most; until the next call. */
@external('redis', 'udfPart')
export declare function udfPart(offset: u32): u32;
