// What Linux's fork costs: latency of the call, and of the parent's first store to each page afterwards.
//   fork BYTES FORKS FAULTS  ->  one line of JSON, all times in microseconds

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t bytes = strtoull(argv[1], 0, 10);
  int forks = atoi(argv[2]);
  long faults = atol(argv[3]);
  char *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  double *fork_us = malloc(sizeof(double) * forks), *fault_us = malloc(sizeof(double) * faults);
  if (memory == MAP_FAILED || !fork_us || !fault_us) return 1;
  for (size_t at = 0; at < bytes; at += PAGE) memory[at] = 1;
  for (int i = 0; i < forks; i++) {
    double before = now_us();
    pid_t child = fork();
    if (child == 0) _exit(0);
    fork_us[i] = now_us() - before;
    waitpid(child, 0, 0);
  }
  int pipe_ends[2];
  if (pipe(pipe_ends)) return 1;
  pid_t child = fork();
  if (child == 0) { // holds its view until the parent is done
    close(pipe_ends[1]);
    char end;
    if (read(pipe_ends[0], &end, 1) < 0) _exit(1);
    _exit(0);
  }
  double sum = 0;
  for (long i = 0; i < faults; i++) {
    double before = now_us();
    memory[(size_t)i * PAGE] = 2;
    fault_us[i] = now_us() - before;
    sum += fault_us[i];
  }
  close(pipe_ends[1]);
  waitpid(child, 0, 0);
  qsort(fork_us, forks, sizeof(double), ascending);
  qsort(fault_us, faults, sizeof(double), ascending);
  printf("{\"forkMedianUs\":%.1f,\"forkMaxUs\":%.1f,\"faultMeanUs\":%.3f,\"faultP999Us\":%.3f}\n", fork_us[forks / 2],
         fork_us[forks - 1], sum / faults, fault_us[(long)(faults * 0.999)]);
  return 0;
}
