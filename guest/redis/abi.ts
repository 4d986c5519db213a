// Numbers that the guest and its front end share. Portable: compiled by asc and by tsc alike.

// Flags that receive(), resume(), queued() and cron() return.
/** Send the reply, then close the connection. */
export const FLAG_CLOSE: i32 = 1;
/** nextEvent() has something. */
export const FLAG_EVENTS: i32 = 2;
/** Copy the reply, then call resume(): input of the same client is left. */
export const FLAG_MORE: i32 = 4;
/**
 * CONFIG SET has changed port or bind: listenReply() says where its reply is; hold that until the host has
 * listened.
 */
export const FLAG_LISTEN: i32 = 8;

// Events, kind << 24 | argument.
export const EVENT_CLOSE: i32 = 1;
export const EVENT_SHUTDOWN: i32 = 2;
export const EVENT_OPTION: i32 = 3;
/** output() has bytes for a client. A client's kinds of events are bits. */
export const EVENT_OUTPUT: i32 = 4;

// Flags of SHUTDOWN, and of the host's call of that name.
export const SHUTDOWN_NOSAVE: i32 = 1;
export const SHUTDOWN_SAVE: i32 = 2;
export const SHUTDOWN_NOW: i32 = 4;
export const SHUTDOWN_FORCE: i32 = 8;
export const SHUTDOWN_ABORT: i32 = 16;
/** The host's only: what the options shutdown-on-sigterm and shutdown-on-sigint say. */
export const SHUTDOWN_SIGTERM: i32 = 32;
export const SHUTDOWN_SIGINT: i32 = 64;

// What SYS_PROGRESS is about.
export const PROGRESS_LOAD: i32 = 1;
export const PROGRESS_SAVE: i32 = 2;

// Fields of hostInfo().
export const HOST_PID: i32 = 0;
export const HOST_UPTIME: i32 = 1; // seconds
export const HOST_RSS: i32 = 2;
export const HOST_CPU_USER: i32 = 3; // seconds
export const HOST_CPU_SYSTEM: i32 = 4;
export const HOST_PORT: i32 = 5;
export const HOST_SYSTEM_MEMORY: i32 = 6;
export const HOST_SNAPSHOT_US: i32 = 7; // of the last snapshot
export const HOST_VM_BYTES: i32 = 8;
export const HOST_CORES: i32 = 9;
export const HOST_SAVED: i32 = 10; // per mille that a save has written

// What metric() is asked for.
export const METRIC_COMMANDS: i32 = 0;
export const METRIC_KEYS: i32 = 1; // of all databases
export const METRIC_USED_BYTES: i32 = 2;
export const METRIC_MAXMEMORY: i32 = 3;
export const METRIC_HITS: i32 = 4;
export const METRIC_MISSES: i32 = 5;
export const METRIC_SAVES: i32 = 6;
export const METRIC_CHANGES: i32 = 7; // since the last save
export const METRIC_EXPIRED: i32 = 8;
export const METRIC_EVICTED: i32 = 9;
export const METRIC_ERRORS: i32 = 10;
export const METRIC_ACCEPTED: i32 = 11;
export const METRIC_INPUT_BYTES: i32 = 12;
export const METRIC_OUTPUT_BYTES: i32 = 13;

// What udfLoad() and udfCall() return: what kind of answer there is.
export const ANSWER_INTEGER: i32 = 0;
export const ANSWER_BYTES: i32 = 1;
/** The text of a floating-point number. */
export const ANSWER_DOUBLE: i32 = 2;
/** Why there is none, as text. */
export const ANSWER_ERROR: i32 = 3;
/** Bytes in one part of an answer, but the last. */
export const UDF_PART: i32 = 65536;

/** The version of Redis that the server is like. */
export const REDIS_VERSION: string = '7.0.15';

// Kinds of options.
export const KIND_BOOL: u32 = 0;
export const KIND_INT: u32 = 1;
/** A number with an optional unit: k kb m mb g gb. */
export const KIND_BYTES: u32 = 2;
export const KIND_ENUM: u32 = 3;
/** Its max is the longest that is accepted, in bytes. */
export const KIND_STRING: u32 = 4;
/** Pairs of seconds and changes. */
export const KIND_SAVE: u32 = 5;
/** Output buffer limits by class of client. */
export const KIND_LIMITS: u32 = 6;
export const KIND_OCTAL: u32 = 7;
/** Several words of those listed, a bit each; the first of the list stands for none. */
export const KIND_WORDS: u32 = 8;
