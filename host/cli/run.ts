// `ringzero run PROGRAM.wasm`: runs a WASI program in its own VM, as a process.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RingzeroError } from '../errors.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import type { WasiOptions } from '../wasi/options.ts';
import { endOfOptions, parse, UsageError } from './usage.ts';

const HELP = `Usage: ringzero run [OPTIONS] [--] PROGRAM.wasm [ARGUMENTS]

Runs a WASI program in a micro-VM. The program gets the standard streams and what these options grant, nothing else.

Options:
  --dir HOST[::GUEST[::ro]]   a directory, under the name GUEST; ro makes it read-only. May be repeated
  --dir memory[:HOST]::GUEST[::ro]
                              a directory in the VM's memory, with the content of HOST at first
  --env NAME=VALUE            an environment variable; NAME alone passes on yours. May be repeated
  --memory SIZE               physical memory of the VM: bytes, or kb, mb, gb (powers of 1024)   (1gb)
  --trace FILE                write a trace of system calls, write faults and snapshots for Perfetto

Exit status: the program's own; 134 when it traps, 141 when the reader of its output is gone (SIGPIPE).

Example:
  ringzero run --dir .::/work --env LANG=C tool.wasm /work/input.txt

More: docs/programs.md, docs/observing.md
`;

const TRAPPED = 134; // as a shell reports abort()
const MEMORY_DEFAULT = '1gb';

interface Request {
  readonly file: string;
  readonly memory: number;
  readonly trace: string | undefined;
  readonly wasi: WasiOptions;
}

const OPTIONS = {
  dir: { type: 'string', multiple: true, default: [] as string[] },
  env: { type: 'string', multiple: true, default: [] as string[] },
  memory: { type: 'string', default: MEMORY_DEFAULT },
  trace: { type: 'string' },
} as const;

async function runCommand(argv: readonly string[]): Promise<number> {
  const { file, memory, trace, wasi } = readArguments(argv);
  try {
    const options = { memory, wasi, ...(trace !== undefined && { trace }) };
    const program = await MicroVM.load(new Uint8Array(await readFile(file)), {}, options);
    const code = program.start();
    await program.close();
    return code;
  } catch (error) {
    const { code, message } = error as RingzeroError;
    if (typeof code !== 'string') throw error;
    process.stderr.write(`ringzero run: ${message}\n`);
    return code === 'RZ_GUEST_TRAP' ? TRAPPED : 1;
  }
}

export const RUN = { run: runCommand, help: HELP };

/** Options end at the program's name: what follows belongs to the program. */
function readArguments(argv: readonly string[]): Request {
  const [end, start] = endOfOptions(argv, OPTIONS);
  const { dir, env, memory, trace } = parse(argv.slice(0, end), OPTIONS).values;
  const [file, ...args] = argv.slice(start);
  if (file === undefined) throw new UsageError('missing PROGRAM.wasm');
  return {
    file,
    memory: memoryOf(memory),
    trace,
    wasi: {
      args: [basename(file), ...args],
      env: environmentOf(env),
      preopens: preopensOf(dir),
      brokenPipe: 'exit',
    },
  };
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
