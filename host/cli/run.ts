// `ringzero run program.wasm`: a WASI program in a VM of its own, as a process.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { RingzeroError } from '../errors.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import type { WasiOptions } from '../wasi/options.ts';

export const RUN_HELP = `Usage: ringzero run [OPTIONS] [--] PROGRAM.wasm [ARGUMENTS]

Runs a WASI program in a micro-VM. It gets the standard streams and, besides them, only what these options name:

  --dir HOST[::GUEST[::ro]]   a directory, by the name that the program sees; ro: it may not be changed
  --env NAME=VALUE            an environment variable; NAME alone passes on the one of this process
  --memory SIZE               physical memory in bytes, or with k, m, g     (1g)
  --trace FILE                write its system calls for Perfetto there, docs/observing.md

The exit code is the program's own; 134 when it traps, 141 when the reader of its output is gone (SIGPIPE).
`;

const TRAPPED = 134; // as a shell reports abort()
const UNITS = new Map([['', 1], ['k', 2 ** 10], ['m', 2 ** 20], ['g', 2 ** 30]]); // prettier-ignore

interface Request {
  readonly file: string;
  readonly memory: number;
  readonly trace: string | undefined;
  readonly wasi: WasiOptions;
}

class UsageError extends Error {}

/** Runs the command; resolves with the exit code. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    const { file, memory, trace, wasi } = readArguments(argv);
    const options = { memory, wasi, ...(trace !== undefined && { trace }) };
    const program = await MicroVM.load(new Uint8Array(await readFile(file)), {}, options);
    const code = program.start();
    await program.close();
    return code;
  } catch (error) {
    const { code, message } = error as RingzeroError;
    if (typeof code !== 'string' && !(error instanceof UsageError)) throw error;
    process.stderr.write(`ringzero run: ${message}\n`);
    if (error instanceof UsageError) return 2;
    return code === 'RZ_GUEST_TRAP' ? TRAPPED : 1;
  }
}

/** Options end at the program's name: what follows is the program's. */
function readArguments(argv: readonly string[]): Request {
  const preopens = Object.create(null) as Record<string, { path: string; readOnly: boolean }>;
  const env = Object.create(null) as Record<string, string>;
  let memory = 2 ** 30;
  let trace: string | undefined;
  let at = 0;
  while (argv[at]?.startsWith('-')) {
    if (argv[at] === '--') {
      at += 1;
      break;
    }
    const [option, ...inline] = argv[at++]!.split('=');
    const value = inline.length > 0 ? inline.join('=') : argv[at++];
    if (value === undefined)
      throw new UsageError(`option ${option} needs a value; see ringzero run --help`);
    if (option === '--dir') {
      const [path, name = path, mode] = value.split('::');
      if (mode !== undefined && mode !== 'ro')
        throw new UsageError(`--dir ${value}: only ::ro may follow`);
      preopens[name!] = { path: path!, readOnly: mode === 'ro' };
    } else if (option === '--env') {
      const [name, ...rest] = value.split('=');
      const own = rest.length > 0 ? rest.join('=') : process.env[name!];
      if (own !== undefined) env[name!] = own;
    } else if (option === '--memory') {
      const [, number, unit] = /^(\d+)([kmg]?)b?$/i.exec(value) ?? [];
      if (number === undefined) throw new UsageError(`--memory ${value}: a size such as 512m`);
      memory = Number(number) * UNITS.get(unit!.toLowerCase())!;
    } else if (option === '--trace') trace = value;
    else throw new UsageError(`unknown option ${option}; see ringzero run --help`);
  }
  const file = argv[at];
  if (file === undefined) throw new UsageError('missing PROGRAM.wasm; see ringzero run --help');
  return {
    file,
    memory,
    trace,
    wasi: { args: [basename(file), ...argv.slice(at + 1)], env, preopens, brokenPipe: 'exit' },
  };
}
