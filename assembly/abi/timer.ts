// Timers of vCPUs (kernel/timer.ts), and the thread that they need (host/vm/timers.ts). Portable: compiled by
// asc and by tsc alike.

// VM_TIMER_STATE
export const TIMER_NONE: u32 = 0; // the VM has no such thread
export const TIMER_THERE: u32 = 1;

// What may be set, in microseconds; 0 is none.
export const TIMER_US_MIN: u32 = 100; // a shorter one would only keep the thread busy
export const TIMER_US_MAX: u32 = 3600000000; // an hour
