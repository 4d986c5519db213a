// Runs programs of conformance suites to their end, in each image, with what they print caught in files.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroVM, ProgramExit, type Program, type WasiOptions } from '../../host/index.ts';

export const IMAGES = ['main', 'snapshot'] as const;
type Image = (typeof IMAGES)[number];

interface Run {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly preopens: NonNullable<WasiOptions['preopens']>;
  readonly stdin?: string;
}

interface Ended {
  /** The exit code, or the error that ended the program. */
  readonly exit: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end in the main image, or on a snapshot in another thread; returns the exit code. */
function start(image: Image, program: Program): number | Promise<number> {
  if (image === 'main') return program.start();
  const run = program.snapshot().run('_start');
  const exitOf = (error: unknown): number => {
    if (error instanceof ProgramExit) return error.exitCode;
    throw error;
  };
  return run.then(() => 0, exitOf);
}

export async function runProgram(run: Run, image: Image): Promise<Ended> {
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-wasi-'));
  const path = (name: string): string => join(scratch, name);
  writeFileSync(path('stdin'), run.stdin ?? '');
  const streams = {
    stdin: openSync(path('stdin'), 'r'),
    stdout: openSync(path('stdout'), 'w+'),
    stderr: openSync(path('stderr'), 'w+'),
  };
  try {
    const { args, env = {}, preopens } = run;
    const wasi = { args, env, preopens, ...streams };
    const bytes = new Uint8Array(readFileSync(run.file));
    const program = await MicroVM.load(bytes, {}, { memory: 2 ** 26, wasi });
    let exit: unknown;
    try {
      exit = await start(image, program);
    } catch (error) {
      exit = error;
    }
    await program.close();
    const said = (name: string): string => readFileSync(path(name), 'utf8');
    return { exit, stdout: said('stdout'), stderr: said('stderr') };
  } finally {
    Object.values(streams).forEach(closeSync);
    rmSync(scratch, { recursive: true });
  }
}
