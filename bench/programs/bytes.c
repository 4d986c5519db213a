// Byte loops: run-length packs and unpacks n bytes, folds case, reverses.
#include "heap.h"

EXPORT(run) u32 run(int n) {
  heap_reset();
  u8 *a = heap_take(n), *b = heap_take(n * 2), *c = heap_take(n);
  for (int i = 0; i < n;) {
    u8 v = "the quick Brown fox Jumps"[number() % 25];
    for (u32 r = number() % 6 + 1; r > 0 && i < n; r--) a[i++] = v;
  }
  u32 sum = 0;
  for (int round = 0; round < 4; round++) {
    u8 *out = b;
    for (int i = 0; i < n;) {
      int r = 1;
      while (i + r < n && r < 255 && a[i + r] == a[i]) r++;
      *out++ = (u8)r;
      *out++ = a[i];
      i += r;
    }
    u8 *to = c;
    for (u8 *p = b; p < out; p += 2)
      for (int r = p[0]; r > 0; r--) *to++ = p[1];
    for (int i = 0; i < n; i++) c[i] = c[i] >= 'A' && c[i] <= 'Z' ? c[i] | 32 : c[i];
    for (int i = 0, j = n - 1; i < j; i++, j--) {
      u8 t = c[i];
      c[i] = c[j];
      c[j] = t;
    }
    for (int i = 0; i < n; i++) a[i] = c[i], sum = sum * 33 + c[i];
  }
  return sum;
}
