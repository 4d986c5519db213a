// What tests compare with and packages do not bring: programs, sources. Where one is missing a line says
// what is skipped; with RZ_REQUIRE_PEERS in the environment, as in CI, it is an error.

import { spawnSync } from 'node:child_process';

/** Says that `test` is skipped, for want of `peer`. */
export function skip(test: string, peer: string): void {
  if (process.env['RZ_REQUIRE_PEERS']) throw new Error(`${test}: ${peer} is missing`);
  console.log(`*** SKIPPED: ${test}; ${peer} is missing`);
}

const found = new Map<string, boolean>();

/** Whether a program is installed. */
function hasProgram(program: string): boolean {
  const known = found.get(program) ?? !spawnSync(program, ['--version']).error;
  found.set(program, known);
  return known;
}

/** Whether `test` has the program that it needs; if not, it is skipped. */
export function hasPeer(program: string, test: string): boolean {
  if (!hasProgram(program)) skip(test, program);
  return hasProgram(program);
}
