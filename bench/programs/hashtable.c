// Pointers: a chained hash table; inserts n keys, updates, looks up and removes.
#include "heap.h"

struct node {
  struct node *next;
  u32 key, value, touched;
};

static u32 hash(u32 x) {
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

EXPORT(run) u32 run(int n) {
  heap_reset();
  u32 size = 1;
  while (size < (u32)n) size *= 2;
  struct node **table = heap_take(size * 4);
  for (u32 i = 0; i < size; i++) table[i] = 0;
  u32 sum = 0;
  for (int round = 0; round < 3; round++) {
    seed = 99;
    for (int i = 0; i < n; i++) {
      u32 key = number();
      struct node **slot = &table[hash(key) & (size - 1)], *e = *slot;
      while (e && e->key != key) e = e->next;
      if (!e) {
        e = heap_take(sizeof *e);
        e->key = key;
        e->value = 0;
        e->touched = 0;
        e->next = *slot;
        *slot = e;
      }
      e->value += (u32)i;
      e->touched++;
      sum += e->value;
    }
  }
  return sum;
}
