// Checked builds (asc --use RZ_CHECKED=1): assertions that vanish in release.
//
// Interface   Write `if (CHECKED && !condition) panic(code)` at the site, where the condition says the rule.
//             panic() never returns; the host turns the code into an error that ends the VM.

@external('hypervisor', 'panic')
declare function hostPanic(code: u32): void;

export const CHECKED: bool = isDefined(RZ_CHECKED);

export const PANIC_FRAME_ADDRESS: u32 = 1; // a frame address that no frame can have
export const PANIC_FRAME_FREED_TWICE: u32 = 2; // a frame on a free list is freed
export const PANIC_LOCK_NOT_HELD: u32 = 3; // a lock released by somebody who does not hold it
export const PANIC_PAGE_NOT_LOCKED: u32 = 4; // a page was marked whose lock is not held
export const PANIC_EPOCH_UNSETTLED: u32 = 5; // a page was marked in an epoch that a vCPU has not acknowledged
export const PANIC_SNAPSHOT_STATE: u32 = 6; // a snapshot slot was used that is not in use
export const PANIC_LIMBO_ORDER: u32 = 7; // frames entered the limbo list out of end_epoch order
export const PANIC_DEPTH: u32 = 8; // more leaves than enters
export const PANIC_PTE: u32 = 16; // a page leaves a frame that its PTE does not lead to
export const PANIC_HEADER: u32 = 17; // a pin is released that its holder does not have
export const PANIC_SWIP: u32 = 18; // a page leaves a frame that a swip leads to, or that has swizzled children
export const PANIC_ELEMENT: u32 = 19; // an element that the array does not have, or a shift that is not its own

export function panic(code: u32): void {
  hostPanic(code);
  unreachable();
}
