// Sorts n words: a copy of numbers that the parent has made, by quicksort with insertion sort below 16.
#include "../heap.h"

static int *numbers, *copy;

static void insertion(int *a, int lo, int hi) {
  for (int i = lo + 1; i <= hi; i++) {
    int v = a[i], j = i - 1;
    while (j >= lo && a[j] > v) {
      a[j + 1] = a[j];
      j--;
    }
    a[j + 1] = v;
  }
}

static void sort(int *a, int lo, int hi) {
  while (hi - lo > 16) {
    int pivot = a[(lo + hi) >> 1], i = lo, j = hi;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) {
        int t = a[i];
        a[i++] = a[j];
        a[j--] = t;
      }
    }
    if (j - lo < hi - i) {
      sort(a, lo, j);
      lo = i;
    } else {
      sort(a, i, hi);
      hi = j;
    }
  }
  insertion(a, lo, hi);
}

EXPORT(setup) void setup(int n) {
  heap_reset();
  numbers = heap_take(n * 4);
  copy = heap_take(n * 4);
  for (int i = 0; i < n; i++) numbers[i] = (int)number();
}

EXPORT(run) u32 run(int n) {
  for (int i = 0; i < n; i++) copy[i] = numbers[i];
  sort(copy, 0, n - 1);
  u32 sum = 0;
  for (int i = 0; i < n; i += 64) sum = sum * 31 + (u32)copy[i];
  return sum;
}
