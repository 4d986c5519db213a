// Compiles a few functions of the guest separately, untranslated, for tests that need no server.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import asc from 'assemblyscript/asc';

export interface Probe {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly call: Readonly<Record<string, (...args: number[]) => number>>;
}

/** Imports that a probe may link: every call traps unless the test supplies it. */
type ProbeImports = Record<string, Record<string, (...args: number[]) => number | void>>;

const ROOT = process.cwd();

/**
 * Builds AssemblyScript source whose imports resolve as if it were in guest/redis.
 * Its memory has `pages` pages of 64 KiB. `constants` are those of the build, such as RZ_CHECKED=1.
 */
export async function probe(
  source: string,
  pages = 256,
  imports: ProbeImports = {},
  constants: readonly string[] = [],
): Promise<Probe> {
  const wasm = await compile(source, constants);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const module = new WebAssembly.Module(wasm as BufferSource);
  const linked: WebAssembly.Imports = { env: { memory } };
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') continue;
    const given = imports[from]?.[name];
    const missing = () => {
      throw new Error(`${from}.${name} is not supplied to this probe`);
    };
    linked[from] = { ...linked[from], [name]: given ?? missing };
  }
  const instance = new WebAssembly.Instance(module, linked);
  return {
    memory,
    bytes: new Uint8Array(memory.buffer),
    call: instance.exports as Record<string, (...args: number[]) => number>,
  };
}

async function compile(source: string, constants: readonly string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const errors: string[] = [];
  const flags =
    'guest/redis/probe-entry.ts --outFile probe.wasm --runtime stub --importMemory --sharedMemory ' +
    '--initialMemory 16 --maximumMemory 65536 --noAssert -O2 --exportTable ' +
    '--enable threads --enable simd';
  const uses = constants.flatMap((constant) => ['--use', constant]);
  const { error } = await asc.main([...flags.split(' '), ...uses], {
    stdout: { write: () => {} },
    stderr: { write: (text: string | Uint8Array) => void errors.push(String(text)) },
    readFile: (name: string, base: string) => {
      if (name === 'guest/redis/probe-entry.ts') return source;
      try {
        return readFileSync(join(base || ROOT, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error || binary === undefined) throw new Error(`probe does not compile:\n${errors.join('')}`);
  return binary;
}
