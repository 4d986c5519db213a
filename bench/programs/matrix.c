// Floating point: c = a * b for n x n doubles, row by row, so that the inner loop stores.
#include "heap.h"

EXPORT(run) u32 run(int n) {
  heap_reset();
  double *a = heap_take(n * n * 8), *b = heap_take(n * n * 8), *c = heap_take(n * n * 8);
  for (int i = 0; i < n * n; i++) {
    a[i] = (double)(number() & 1023) / 1024;
    b[i] = (double)(number() & 1023) / 1024;
    c[i] = 0;
  }
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++) {
      double x = a[i * n + k];
      for (int j = 0; j < n; j++) c[i * n + j] += x * b[k * n + j];
    }
  double sum = 0;
  for (int i = 0; i < n * n; i++) sum += c[i];
  return (u32)(int)(sum * 16);
}
