// Reads: sums n words that the parent has made, in 80 rounds.
#include "../heap.h"

static u32 *numbers;

EXPORT(setup) void setup(int n) {
  heap_reset();
  numbers = heap_take(n * 4);
  for (int i = 0; i < n; i++) numbers[i] = number();
}

EXPORT(run) u32 run(int n) {
  u32 sum = 0;
  for (int round = 0; round < 80; round++) {
    for (int i = 0; i < n; i++) sum += numbers[i];
    sum = sum * 31 + 7;
  }
  return sum;
}
