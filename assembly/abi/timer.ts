// Timers of vCPUs (kernel/timer.ts), and the thread that they need (host/vm/timers.ts). Portable: compiled by
// asc and by tsc.

// VM_TIMER_STATE
export const TIMER_NONE: u32 = 0; // the VM has no timer thread
export const TIMER_THERE: u32 = 1;

// Bounds of a setting, in microseconds; 0 means none.
export const TIMER_US_MIN: u32 = 100; // a shorter one would only keep the thread busy
export const TIMER_US_MAX: u32 = 3600000000; // an hour
