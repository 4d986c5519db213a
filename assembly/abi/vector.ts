// Interrupt vectors: bit numbers in VCPU_PENDING. Portable: compiled by asc and by tsc.

export const VECTOR_EPOCH: u32 = 0; // acknowledge the current epoch
export const VECTOR_KILL: u32 = 1; // leave the guest with a trap
export const VECTOR_CHILD: u32 = 2; // a spawned snapshot vCPU has ended
export const VECTOR_TIMER: u32 = 3; // the vCPU's timer (timer.ts)
export const VECTOR_IO: u32 = 4; // completions were posted (ring.ts)
export const VECTOR_CALL: u32 = 5; // another vCPU of a linked guest has posted a call (mmu/ipi.ts)
export const VECTOR_TASK: u32 = 6; // a task of a higher level is waiting (host/vm/scheduler.ts)
export const VECTOR_USER: u32 = 8; // 8..31 are the guest's own
export const VECTOR_COUNT: u32 = 32;
