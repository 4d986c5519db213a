// What a WASI program is given: arguments, environment, directories, standard streams.

import { checkNames, checkObject, RingzeroError } from '../errors.ts';
import type { ImportedFunction } from '../translator/index.ts';
import { isWasiFunction, WASI_PARAMETERS } from './abi.ts';
import { isExistingDirectory } from '#platform/beneath';

/**
 * What a WASI program is given: arguments, environment, directories, standard streams.
 *
 * @category Programs
 */
export interface WasiOptions {
  /** Arguments, the program's own name first. Default: one, `program`. */
  args?: readonly string[];
  /** Environment variables. Default: none. */
  env?: Readonly<Record<string, string>>;
  /**
   * Directories, under the names that the program sees; it cannot open anything outside them. A string is the
   * path of a directory of the host. `memory`: a directory of the VM's own file system, which snapshots have;
   * `from` is a directory of the host whose content it gets at first. Default: none.
   */
  preopens?: Readonly<
    Record<
      string,
      | string
      | { path: string; readOnly?: boolean }
      | { memory: true; from?: string | undefined; readOnly?: boolean }
    >
  >;
  /** Descriptors of the host for the standard streams. Default: 0, 1 and 2. */
  stdin?: number;
  stdout?: number;
  stderr?: number;
  /**
   * What a write to a pipe without a reader does: `'error'` returns EPIPE to the program, `'exit'` ends it
   * with exit code 141, as SIGPIPE does. Default: `'error'`.
   */
  brokenPipe?: 'error' | 'exit';
}

export interface PreopenedDirectory {
  readonly name: string;
  /** Of a directory of the host. */
  readonly path: string;
  readonly readOnly: boolean;
  /** It is a directory of the VM. */
  readonly memory: boolean;
  /** Then: the directory of the host whose content it gets at first. */
  readonly from: string | undefined;
}

/** Checked options, for every vCPU of a VM; can be posted. */
export interface WasiSetup {
  readonly args: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
  readonly preopens: readonly PreopenedDirectory[];
  readonly streams: readonly number[];
  readonly exitsOnBrokenPipe: boolean;
  /** Functions of WASI that the program imports with a wrong type: calls of them would fail. */
  readonly mistyped: readonly Mistyped[];
}

export interface Mistyped {
  readonly name: string;
  readonly type: string;
  readonly right: string;
}

/** The WASI imports of a module whose types differ from the specification. */
function mistypedOf(imports: readonly ImportedFunction[]): Mistyped[] {
  return imports.flatMap(({ module, name, type }) => {
    if (module !== 'wasi_snapshot_preview1' || !isWasiFunction(name)) return [];
    const right = `${WASI_PARAMETERS[name]}:${name === 'proc_exit' ? '' : 'i'}`;
    return type === right ? [] : [{ name, type, right }];
  });
}

const NAMES = {
  args: true,
  env: true,
  preopens: true,
  stdin: true,
  stdout: true,
  stderr: true,
  brokenPipe: true,
} satisfies Record<keyof WasiOptions, true>;

/** Checks the options; throws RZ_OPTION that names the wrong one. */
export function checkWasiOptions(
  options: WasiOptions,
  imports: readonly ImportedFunction[] = [],
): WasiSetup {
  checkObject(options, 'wasi');
  checkNames(options, NAMES);
  const { args = ['program'], env = {}, preopens = {} } = options;
  if (!Array.isArray(args)) refuse('args', 'an array of text');
  checkObject(env, 'wasi.env', 'an object of text by names');
  checkObject(preopens, 'wasi.preopens', 'an object of directories by names');
  const streams = [options.stdin ?? 0, options.stdout ?? 1, options.stderr ?? 2];
  for (const stream of streams) {
    if (!Number.isInteger(stream) || stream < 0) refuse(`stream ${stream}`, 'an open descriptor');
  }
  const { brokenPipe = 'error' } = options;
  if (brokenPipe !== 'error' && brokenPipe !== 'exit')
    refuse(`brokenPipe '${String(brokenPipe)}'`, "'error' or 'exit'");
  return {
    exitsOnBrokenPipe: brokenPipe === 'exit',
    mistyped: mistypedOf(imports),
    args: (args as readonly unknown[]).map((text) => terminated('args', text)),
    env: Object.entries(env).map(([name, value]) => {
      if (name === '' || name.includes('=')) refuse(`env['${name}']`, "a name without '='");
      return terminated('env', value, `${name}=`);
    }),
    preopens: Object.entries(preopens).map(([name, value]) => preopened(name, value)),
    streams,
  };
}

const PREOPEN = { path: true, readOnly: true, memory: true, from: true };

function preopened(name: string, value: unknown): PreopenedDirectory {
  const given = (typeof value === 'string' ? { path: value } : (value ?? {})) as Given;
  const { path, readOnly = false, memory = false, from } = given;
  if (name === '' || name.includes('\0'))
    refuse(`preopens['${name}']`, 'a name without zero bytes');
  if (typeof given === 'object') checkNames(given, PREOPEN);
  const isOneKind = memory === true ? path === undefined : typeof path === 'string';
  const isFrom = from === undefined || (memory === true && typeof from === 'string');
  if (!isOneKind || !isFrom || typeof readOnly !== 'boolean' || typeof memory !== 'boolean')
    refuse(
      `preopens['${name}']`,
      'a path, { path, readOnly }, or { memory: true, from, readOnly }',
    );
  if (memory && name.split('/').includes('..'))
    refuse(`preopens['${name}']`, 'a path without `..` for a directory in memory');
  for (const directory of [path, from])
    if (directory !== undefined && !isExistingDirectory(directory as string))
      refuse(`preopens['${name}'] = '${String(directory)}'`, 'an existing directory');
  const [onHost, seed] = [path ?? '', from] as [string, string | undefined];
  return { name, path: onHost, readOnly, memory, from: seed };
}

interface Given {
  path?: unknown;
  readOnly?: unknown;
  memory?: unknown;
  from?: unknown;
}

function terminated(what: string, text: unknown, before = ''): Uint8Array {
  if (typeof text !== 'string' || text.includes('\0') || before.includes('\0'))
    refuse(`${what}: '${before}${String(text)}'`, 'text without zero bytes');
  return new TextEncoder().encode(`${before}${text}\0`);
}

function refuse(what: string, allowed: string): never {
  throw new RingzeroError('RZ_OPTION', `wasi option ${what}; allowed: ${allowed}`);
}
