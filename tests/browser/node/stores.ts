// For test files that run in a browser: what tests/level/stores.ts has for those that need no process.

let stores = 0;

/** Path of a store that does not exist yet: profiles of test browsers are new. */
export function freshLocation(): string {
  return `tests/${stores++}-${Math.random().toString(36).slice(2)}/store`;
}
