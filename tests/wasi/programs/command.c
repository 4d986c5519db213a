// Prints what it was given, upper-cases its input, and ends with a code of its own.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("argument %s\n", argv[i]);
  const char *home = getenv("HOME");
  printf("HOME %s\n", home ? home : "unset");
  int c;
  while ((c = getchar()) != EOF) putchar(toupper(c));
  struct timespec now, later, pause = {0, 2000000};
  clock_gettime(CLOCK_MONOTONIC, &now);
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &later);
  long ns = (later.tv_sec - now.tv_sec) * 1000000000L + later.tv_nsec - now.tv_nsec;
  printf("slept %s\n", ns >= 2000000 ? "enough" : "too short");
  if (argc > 1 && argv[1][0] == 'c') __builtin_trap();
  fprintf(stderr, "ending with 3\n");
  return 3;
}
