// Which way from a page to its frame the pool is compiled with. One is chosen at compile time, and the others
// vanish. They share page headers, clock and write-back with Tabby, so that a comparison measures the
// translation alone.
//
//   TABBY    page table, TLB that needs no trust: nobody is told of an eviction
//   EAGER    page table, TLB that is trusted: an eviction interrupts every vCPU and waits (mmap, vmcache)
//   HASH     hash table of the resident pages, with latched buckets: a look-up for every access (traditional)
//   SWIZZLE  the same, and parents' child pointers that become frame addresses: no look-up on the way down
//   (LeanStore)

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

/** Resident pages are found in a hash table, and there is no page table. */
export const HASHED: bool = DESIGN >= HASH;
