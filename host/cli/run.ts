// `ringzero run PROGRAM.wasm`: runs a WASI program in its own VM, as a process.

import { basename } from 'node:path';
import { startThread } from '../platform/threads.ts';
import type { WasiOptions } from '../wasi/options.ts';
import { runProgram, type Request } from './run-program.ts';
import { endOfOptions, parse, UsageError } from './usage.ts';

const HELP = `Usage: ringzero run [OPTIONS] [--] PROGRAM.wasm [ARGUMENTS]

Runs a WASI program in a micro-VM. The program gets the standard streams and what these options grant, nothing else.

Options:
  --dir HOST[::GUEST[::ro]]   a directory, under the name GUEST; ro makes it read-only. May be repeated
  --dir memory[:HOST]::GUEST[::ro]
                              a directory in the VM's memory, with the content of HOST at first
  --env NAME=VALUE            an environment variable; NAME alone passes on yours. May be repeated
  --memory SIZE               physical memory of the VM: bytes, or kb, mb, gb (powers of 1024)   (1gb)
  --timeout SECONDS           end the program after this time, with exit status 124
  --trace FILE                write a trace of system calls, write faults and snapshots for Perfetto

Exit status: the program's own; 124 after the timeout (137 if it waits inside the operating system), 134 when it
traps, 141 when the reader of its output is gone (SIGPIPE).

Example:
  ringzero run --dir .::/work --env LANG=C tool.wasm /work/input.txt

More: docs/programs.md, docs/observing.md
`;

const TIMED_OUT = 124; // as timeout(1) has it
const MEMORY_DEFAULT = '1gb';
const MS_MAX = 2 ** 31 - 1;
/** Time for the thread of a stopped program to end. */
const GRACE_MS = 300;

const OPTIONS = {
  dir: { type: 'string', multiple: true, default: [] as string[] },
  env: { type: 'string', multiple: true, default: [] as string[] },
  memory: { type: 'string', default: MEMORY_DEFAULT },
  timeout: { type: 'string' },
  trace: { type: 'string' },
} as const;

async function runCommand(argv: readonly string[]): Promise<number> {
  const { request, timeoutMs } = readArguments(argv);
  return timeoutMs === undefined ? runProgram(request) : runWithin(request, timeoutMs);
}

/**
 * In a thread of its own, which is ended after `ms`. A thread that waits inside the operating system cannot
 * be ended: then the process kills itself.
 */
function runWithin(request: Request, ms: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let isStopped = false;
    const thread = startThread(
      new URL('./run-worker.js', import.meta.url),
      request,
      (code) => {
        clearTimeout(timer);
        resolve(code as number);
      },
      (error) => {
        if (isStopped) resolve(TIMED_OUT);
        else reject(error ?? new Error('the thread of the program ended'));
      },
    );
    const timer = setTimeout(() => {
      isStopped = true;
      process.stderr.write(`ringzero run: ${request.file} was stopped after ${ms / 1000} s\n`);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
      void thread.terminate();
    }, ms);
    thread.hold(true);
  });
}

export const RUN = { run: runCommand, help: HELP };

/** Options end at the program's name: what follows belongs to the program. */
function readArguments(argv: readonly string[]): {
  request: Request;
  timeoutMs: number | undefined;
} {
  const [end, start] = endOfOptions(argv, OPTIONS);
  const { dir, env, memory, timeout, trace } = parse(argv.slice(0, end), OPTIONS).values;
  const [file, ...args] = argv.slice(start);
  if (file === undefined) throw new UsageError('missing PROGRAM.wasm');
  const wasi: WasiOptions = {
    args: [basename(file), ...args],
    env: environmentOf(env),
    preopens: preopensOf(dir),
    brokenPipe: 'exit',
  };
  const request = { file, memory: memoryOf(memory), trace, wasi };
  return { request, timeoutMs: timeout === undefined ? undefined : timeOf(timeout) };
}

function timeOf(text: string): number {
  const ms = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) * 1000 : NaN;
  if (!(ms > 0 && ms <= MS_MAX))
    throw new UsageError(`--timeout ${text}: not a number of seconds such as 1.5`);
  return ms;
}

type Preopen = NonNullable<WasiOptions['preopens']>[string];

const IN_MEMORY = /^memory(?::(.+))?$/;

function preopensOf(dirs: readonly string[]): NonNullable<WasiOptions['preopens']> {
  const preopens = Object.create(null) as Record<string, Preopen>;
  for (const text of dirs) {
    const [path, name = path, mode] = text.split('::');
    if (mode !== undefined && mode !== 'ro')
      throw new UsageError(`--dir ${text}: after the second :: only ro is allowed`);
    const readOnly = mode === 'ro';
    const inMemory = name === path ? null : IN_MEMORY.exec(path!);
    if (inMemory === null) preopens[name!] = { path: path!, readOnly };
    else preopens[name!] = { memory: true, from: inMemory[1], readOnly };
  }
  return preopens;
}

function environmentOf(variables: readonly string[]): Record<string, string> {
  const env = Object.create(null) as Record<string, string>;
  for (const text of variables) {
    const [name, ...rest] = text.split('=');
    const own = rest.length > 0 ? rest.join('=') : process.env[name!];
    if (own !== undefined) env[name!] = own;
  }
  return env;
}

const UNITS = new Map([
  ['', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
]);

function memoryOf(text: string): number {
  const [, number, unit] = /^(\d+)([kmg]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`--memory ${text}: not a size such as 512mb`);
  return Number(number) * UNITS.get(unit!.toLowerCase())!;
}
