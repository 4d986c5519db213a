// The machine as a guest sees it: the calls of libdbos, and the slab heap that it may link.
//
// Memory itself needs no call: memory.size and memory.grow are the break. Numbers and block layouts: abi/.

import * as slab from './heap/slab';

/** A proxied system call (abi/syscall.ts): a result >= 0, or a negative errno. */
@external('libdbos', 'syscall')
export declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

/** Takes a snapshot and runs table function `fn(arg)` on it: snapshot id, or a negative errno. */
@external('libdbos', 'spawn')
export declare function spawn(fn: i32, arg: i32): i32;

/** Result of a child after VECTOR_CHILD; -EAGAIN while it runs. Each end is reported once. */
@external('libdbos', 'childStatus')
export declare function childStatus(id: i32): i32;


@external('libdbos', 'killChild')
export declare function killChild(id: i32): void;

/**
 * Runs table function `fn(vector)` at a safepoint of this vCPU when the vector is pending (abi/vector.ts).
 */
@external('libdbos', 'setHandler')
export declare function setHandler(vector: i32, fn: i32): void;

/**
 * Makes VECTOR_TIMER pending on this vCPU after `us` microseconds, and then every `everyUs`; 0 = never, so
 * (0, 0) turns it off. Each vCPU has one timer; a setting replaces the previous one. It is never early, and
 * late by the time to the next safepoint. 0; -EINVAL (TIMER_US_MIN .. TIMER_US_MAX of abi/timer.ts); -ENOSYS
 * without the option `timer`.
 */
@external('libdbos', 'setTimer')
export declare function setTimer(us: u32, everyUs: u32): i32;

/** On a snapshot: the whole pages of the range will not be read again. Elsewhere it does nothing. */
@external('libdbos', 'forget')
export declare function forget(address: i32, bytes: i32): void;

/** A counter or gauge of the kernel (abi/counter.ts). */
@external('libdbos', 'counter')
export declare function counter(index: i32): f64;

/** Takes pending interrupts now. */
@external('libdbos', 'safepoint')
export declare function safepoint(): void;

export { slab };
