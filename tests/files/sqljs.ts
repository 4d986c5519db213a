// The debug build of sql.js on a VM, with the FS of its glue, which it does not export.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptSharedViews, MicroVM, type EmscriptenFS, type Program } from '../../host/index.ts';

/** The part of FS that tests use. */
export interface FS extends EmscriptenFS {
  filesystems: { MEMFS: object };
  mkdir(path: string): void;
  chdir(path: string): void;
  mount(type: object, options: object, path: string): void;
  writeFile(path: string, data: string | Uint8Array): void;
  readFile(path: string, options?: { encoding: 'utf8' }): string | Uint8Array;
  readdir(path: string): string[];
  stat(path: string): { size: number; mode: number; mtime: Date };
  rename(from: string, to: string): void;
  unlink(path: string): void;
  rmdir(path: string): void;
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  truncate(path: string, bytes: number): void;
  utime(path: string, atime: number, mtime: number): void;
  open(path: string, flags: string): object;
  read(stream: object, buffer: Uint8Array, offset: number, bytes: number, at?: number): number;
  write(stream: object, buffer: Uint8Array, offset: number, bytes: number, at?: number): number;
  llseek(stream: object, offset: number, whence: number): number;
  close(stream: object): void;
}

export interface Database {
  readonly filename: string;
  exec(sql: string): { values: unknown[][] }[];
  run(sql: string): void;
}

export interface SqlJs {
  readonly program: Program;
  readonly FS: FS;
  readonly Database: new (content?: Uint8Array) => Database;
}

type Factory = (options: object) => Promise<Pick<SqlJs, 'Database'> & { fileSystem: FS }>;

const require = createRequire(import.meta.url);

function factoryWithFS(): Factory {
  const text = readFileSync(require.resolve('sql.js/dist/sql-wasm-debug.js'), 'utf8');
  const end = '        return Module;';
  if (!text.includes(end)) throw new Error('the glue of sql.js has changed');
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-sqljs-'));
  try {
    const file = join(folder, 'glue.cjs');
    writeFileSync(file, text.replace(end, `        Module['fileSystem'] = FS;\n${end}`));
    return require(file) as Factory;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const WASM = require.resolve('sql.js/dist/sql-wasm-debug.wasm');

/** Starts the glue on what the hook instantiates. */
export async function startGlue(
  instantiateWasm: (imports: WebAssembly.Imports, done: (instance: never) => unknown) => object,
): Promise<Pick<SqlJs, 'FS' | 'Database'>> {
  acceptSharedViews();
  const wasmBinary = new Uint8Array(readFileSync(WASM));
  const { fileSystem, Database } = await factoryWithFS()({ wasmBinary, instantiateWasm });
  return { FS: fileSystem, Database };
}

export async function openSqlJs(): Promise<SqlJs> {
  const wasm = new Uint8Array(readFileSync(WASM));
  let program: Program | undefined;
  const glue = await startGlue((imports, done: (program: never) => unknown) => {
    void MicroVM.load(wasm, imports, { memory: 2 ** 28 }).then((loaded) =>
      done((program = loaded) as never),
    );
    return {};
  });
  return { program: program!, ...glue };
}
