// What the programs share: a bump allocator over the module's own memory, and a generator of numbers.
// Every program exports run(n), which returns a checksum.
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(#name)))

extern unsigned char __heap_base;
static u32 heap_next;
static u32 seed;

static void heap_reset(void) {
  heap_next = ((u32)&__heap_base + 15) & ~15u;
  seed = 12345;
}
static void *heap_take(u32 bytes) {
  u32 at = heap_next;
  heap_next = (at + bytes + 15) & ~15u;
  return (void *)at;
}
static u32 number(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}
