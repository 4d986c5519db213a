// Runs the program of `ringzero run`, in the calling thread.

import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RingzeroError } from '../errors.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import type { WasiOptions } from '../wasi/options.ts';

/** Can be posted. */
export interface Request {
  readonly file: string;
  readonly memory: number;
  readonly trace: string | undefined;
  readonly wasi: WasiOptions;
}

const TRAPPED = 134; // as a shell reports abort()

/** The exit code. Errors are written to standard error. */
export async function runProgram({ file, memory, trace, wasi }: Request): Promise<number> {
  try {
    const options = { memory, wasi, ...(trace !== undefined && { trace }) };
    const program = await MicroVM.load(new Uint8Array(await readFile(file)), {}, options);
    const code = program.start();
    await program.close();
    return code;
  } catch (error) {
    const { code, message } = error as RingzeroError;
    if (typeof code !== 'string') throw error;
    writeSync(2, `ringzero run: ${message}\n`); // a thread's own stream would write after its end
    return code === 'RZ_GUEST_TRAP' ? TRAPPED : 1;
  }
}
