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
