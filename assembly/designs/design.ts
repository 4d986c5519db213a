// The translation design for which the pool is compiled. It is a compile-time choice; the others leave no
// code. They share page headers, clock and write-back with Tabby, so that a comparison measures the
// translation alone.
//
//   TABBY    page table, TLB whose entries are hints: an eviction notifies no vCPU
//   EAGER    page table, TLB that is trusted: an eviction interrupts every vCPU and waits (mmap, vmcache)
//   HASH     hash table of the resident pages, with latched buckets: a look-up per access (traditional)
//   SWIZZLE  the same, and child pointers that become frame addresses: no look-up on the way down (LeanStore)

export const TABBY: i32 = 0;
export const EAGER: i32 = 1;
export const HASH: i32 = 2;
export const SWIZZLE: i32 = 3;

export const DESIGN: i32 = isDefined(RZ_EAGER)
  ? EAGER
  : isDefined(RZ_HASH)
    ? HASH
    : isDefined(RZ_SWIZZLE)
      ? SWIZZLE
      : TABBY;

/** Resident pages are in a hash table, without a page table. */
export const HASHED: bool = DESIGN >= HASH;
