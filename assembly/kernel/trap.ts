// Trap table: the guest's own handlers for interrupts, page faults and system calls.
//
// Interface   Slots 0..31 are interrupt vectors. HANDLER_PAGE_FAULT (address: i32): i32 returns nonzero =
//             handled. HANDLER_SYSCALL (nr, a, b, c, d, e: i32): i32. The host calls bind() after it has put
//             the guest's function into this instance's table. An unbound interrupt is dropped; an unbound
//             fault or call uses the kernel's own code. HANDLER_MMU (page: u64, access: u32): i32 serves the
//             virtual memory of linked guests (mmu/mmu.ts); without it such a fault ends the call.
//             HANDLER_CALL (function: u32, arg: u64): u64 runs the calls of other vCPUs (mmu/remote-call.ts).
// Concurrency One table per vCPU: each has its own instance of the guest.

import {
  HANDLER_CALL,
  HANDLER_MMU,
  HANDLER_PAGE_FAULT,
  HANDLER_SYSCALL,
  TRAP_SLOTS,
} from '../abi/handler';
import { PANIC_VECTOR } from '../abi/panic';
import { TRAP_CALL_UNHANDLED, TRAP_FAULT_NESTED, TRAP_FAULT_UNHANDLED } from '../abi/vcpu-block';
import { CHECKED, panic } from '../machine/checked';
import * as vcpu from '../machine/vcpu';

let bound: u64 = 0;

export function bind(slot: u32): void {
  if (CHECKED && slot >= TRAP_SLOTS) panic(PANIC_VECTOR);
  bound |= (<u64>1) << slot;
}

export function unbind(slot: u32): void {
  bound &= ~((<u64>1) << slot);
}

function isBound(slot: u32): bool {
  return (bound & ((<u64>1) << slot)) != 0;
}

export function interrupt(vector: u32): void {
  if (isBound(vector)) call_indirect<void>(vector, vector);
}

/** Whether the guest's handler says that the page is now accessible. The caller checks (write-fault.ts). */
export function pageFault(address: u32): bool {
  if (!isBound(HANDLER_PAGE_FAULT) || vcpu.isFrozen()) return false;
  vcpu.freeze();
  const handled = call_indirect<i32>(HANDLER_PAGE_FAULT, address) != 0;
  vcpu.thaw();
  return handled;
}

/** Whether this vCPU is in the handler of mmuFault(). */
let isServing: bool = false;

/** Serves a page fault of virtual memory (mmu/mmu.ts); returns the handler's result. */
export function mmuFault(page: u64, access: u32): i32 {
  if (!isBound(HANDLER_MMU)) vcpu.trap(TRAP_FAULT_UNHANDLED, <u32>page);
  if (isServing) vcpu.trap(TRAP_FAULT_NESTED, <u32>page);
  isServing = true;
  const result = call_indirect<i32>(HANDLER_MMU, page, access);
  isServing = false;
  return result;
}

/** Serves a remote call; returns the handler's result. */
export function serveCall(fn: u32, arg: u64): u64 {
  if (!isBound(HANDLER_CALL)) vcpu.trap(TRAP_CALL_UNHANDLED, fn);
  return call_indirect<u64>(HANDLER_CALL, fn, arg);
}

/** After a trap: no handler is running. */
export function unwind(): void {
  isServing = false;
}

export function hasSyscallHandler(): bool {
  return isBound(HANDLER_SYSCALL);
}

export function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  return call_indirect<i32>(HANDLER_SYSCALL, nr, a, b, c, d, e);
}
