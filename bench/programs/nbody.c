// Floating point: n steps of five bodies, structures updated in place.
#include "heap.h"

struct body {
  double x, y, z, vx, vy, vz, mass;
};
static struct body bodies[5];

static void advance(struct body *b, double dt) {
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
      double d2 = dx * dx + dy * dy + dz * dz + 0.01;
      double mag = dt / (d2 * __builtin_sqrt(d2));
      b[i].vx -= dx * b[j].mass * mag, b[i].vy -= dy * b[j].mass * mag;
      b[i].vz -= dz * b[j].mass * mag;
      b[j].vx += dx * b[i].mass * mag, b[j].vy += dy * b[i].mass * mag;
      b[j].vz += dz * b[i].mass * mag;
    }
  for (int i = 0; i < 5; i++)
    b[i].x += dt * b[i].vx, b[i].y += dt * b[i].vy, b[i].z += dt * b[i].vz;
}

EXPORT(run) u32 run(int n) {
  heap_reset();
  for (int i = 0; i < 5; i++) {
    double *p = &bodies[i].x;
    for (int k = 0; k < 7; k++) p[k] = (double)(number() & 1023) / 1024;
  }
  for (int i = 0; i < n; i++) advance(bodies, 0.001);
  double sum = 0;
  for (int i = 0; i < 5; i++) sum += bodies[i].x + bodies[i].vy;
  return (u32)(int)(sum * 65536);
}
