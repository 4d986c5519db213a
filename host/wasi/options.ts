// What a WASI program is given: arguments, environment, directories, standard streams.

import { RingzeroError } from '../errors.ts';
import { isExistingDirectory } from '#platform/beneath';

/** What a WASI program is given: arguments, environment, directories, standard streams. */
export interface WasiOptions {
  /** Arguments, the program's own name first. Default: one, `program`. */
  args?: readonly string[];
  /** Environment variables. Default: none. */
  env?: Readonly<Record<string, string>>;
  /**
   * Directories of the host by the names that the program sees: it can name nothing outside them. A string is the
   * host's path. Default: none.
   */
  preopens?: Readonly<Record<string, string | { path: string; readOnly?: boolean }>>;
  /** Descriptors of the host that serve as standard streams. Default: 0, 1 and 2. */
  stdin?: number;
  stdout?: number;
  stderr?: number;
  /**
   * What a write to a pipe without a reader does: `'error'` gives the program EPIPE, `'exit'` ends it with exit code
   * 141, as SIGPIPE ends a process. Default: `'error'`.
   */
  brokenPipe?: 'error' | 'exit';
}

export interface PreopenedDirectory {
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Options as every vCPU of a VM gets them; can be posted to another thread. */
export interface WasiSetup {
  readonly args: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
  readonly preopens: readonly PreopenedDirectory[];
  readonly streams: readonly number[];
  readonly exitsOnBrokenPipe: boolean;
}

/** Checks the options; throws RZ_OPTION that names the one that is wrong. */
export function checkWasiOptions(options: WasiOptions): WasiSetup {
  const preopens = Object.entries(options.preopens ?? {}).map(([name, value]) => {
    const { path, readOnly } = typeof value === 'string' ? { path: value, readOnly: false } : value;
    if (name === '' || name.includes('\0'))
      refuse(`preopens['${name}']`, 'a name without zero bytes');
    if (!isExistingDirectory(path))
      refuse(`preopens['${name}'] = '${path}'`, 'an existing directory');
    return { name, path, readOnly: readOnly ?? false };
  });
  const streams = [options.stdin ?? 0, options.stdout ?? 1, options.stderr ?? 2];
  for (const stream of streams) {
    if (!Number.isInteger(stream) || stream < 0) refuse(`stream ${stream}`, 'an open descriptor');
  }
  const { brokenPipe = 'error' } = options;
  if (brokenPipe !== 'error' && brokenPipe !== 'exit')
    refuse(`brokenPipe '${String(brokenPipe)}'`, "'error' or 'exit'");
  return {
    exitsOnBrokenPipe: brokenPipe === 'exit',
    args: (options.args ?? ['program']).map((text) => terminated('args', text)),
    env: Object.entries(options.env ?? {}).map(([name, value]) => {
      if (name === '' || name.includes('=')) refuse(`env['${name}']`, "a name without '='");
      return terminated('env', `${name}=${value}`);
    }),
    preopens,
    streams,
  };
}

function terminated(what: string, text: string): Uint8Array {
  if (text.includes('\0')) refuse(`${what}: '${text}'`, 'text without zero bytes');
  return new TextEncoder().encode(`${text}\0`);
}

function refuse(what: string, allowed: string): never {
  throw new RingzeroError('RZ_OPTION', `wasi option ${what}; allowed: ${allowed}`);
}
