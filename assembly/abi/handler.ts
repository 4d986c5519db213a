// Slots of a vCPU's trap table, which holds the guest's handlers (kernel/trap.ts). Portable: compiled by asc
// and by tsc. Slots 0 to 31 are the interrupt vectors (vector.ts).

export const HANDLER_PAGE_FAULT: u32 = 32; // (address: i32): i32, nonzero = retry the store
export const HANDLER_SYSCALL: u32 = 33; // (nr, a, b, c, d, e: i32): i32
export const HANDLER_MMU: u32 = 34; // (page: u64, access: u32): i32; virtual memory (mmu/mmu.ts)
export const HANDLER_CALL: u32 = 35; // (function: u32, arg: u64): u64; remote calls (mmu/remote-call.ts)
export const TRAP_SLOTS: u32 = 36;

/** Result of HANDLER_MMU: the vCPU's staging buffer has the page's content, to be copied into a new frame. */
export const PAGE_STAGED: i32 = 1;
