// The runtime that the tests run in.

export const isDeno = 'Deno' in globalThis;

/** Command that runs a program in another process of the same runtime. */
export function moduleCommand(program: string): string[] {
  return isDeno
    ? [process.execPath, 'run', '-A', '--node-modules-dir=manual', program]
    : [process.execPath, program];
}
