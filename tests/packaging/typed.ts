// Projects in TypeScript that use the package, checked as their owners would.

import type { Project } from './installed.ts';

export const RESOLUTIONS = [
  { moduleResolution: 'nodenext', module: 'nodenext' },
  { moduleResolution: 'bundler', module: 'esnext' },
] as const;

/**
 * What TypeScript says of these files in a strict project that checks the declarations of its packages as
 * well.
 */
export function checkTypes(
  project: Project,
  files: Record<string, string>,
  options: object,
): string {
  for (const [file, text] of Object.entries(files)) project.write(file, text);
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', ...options };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  return project.run('node_modules/typescript/bin/tsc', '-p', '.');
}

/** What a type parameter promises; the exports of a guest without one are any functions. */
export const TYPED_EXPORTS = `import { MicroVM, type Fork, type MicroVMHandle, type Program } from 'ringzero';
  import { loadSync } from 'ringzero/sync';
  import { SQLite, type SQLiteFork, type SQLiteValue } from 'ringzero/sqlite';
  import { intercept, type BranchInterceptOptions, type Interception } from 'ringzero/intercept';
  type Cells = { put(k: number, v: number): void; get(k: number): number; big(k: bigint): bigint };
  export async function cells(guest: Uint8Array, handle: MicroVMHandle): Promise<number> {
    const vm = await MicroVM.create<Cells>({ guest });
    const { exports } = vm.enter();
    exports.put(1, 2);
    const value: number = exports.get(1);
    const big: bigint = exports.big(1n);
    // @ts-expect-error it takes a number
    exports.get('1');
    // @ts-expect-error there is none of this name
    exports.nothing(1);
    const snapshot = vm.snapshot();
    const then: number = await snapshot.run('get', 1);
    const none: void = await snapshot.run('put', 1, 2);
    // @ts-expect-error it takes two
    await snapshot.run('put', 1);
    // @ts-expect-error it takes a bigint
    await snapshot.run('big', 1);
    // @ts-expect-error there is none of this name
    await snapshot.run('nothing', 1);
    const other = await MicroVM.attach<Cells>(handle);
    return value + then + other.enter().exports.get(1) + Number(big) + Number(none);
  }
  export function main(fork: Fork<Cells>): number {
    // @ts-expect-error it takes a number
    fork.call('get', '1');
    // @ts-expect-error there is none of this name
    fork.call('nothing');
    return fork.exports.get(1) + fork.call('get', 1);
  }
  interface Own { Database: new () => { readonly db: number; own(): string } }
  export async function rows(): Promise<SQLiteValue[][]> {
    const sqlite = await SQLite.load('sql.js', { warm: 2 });
    const fork: SQLiteFork = await sqlite.fork(new sqlite.api.Database());
    const { api } = await SQLite.load<Own>('sql.js');
    const own: string = new api.Database().own();
    // @ts-expect-error not one of the packages
    await SQLite.load('better-sqlite3');
    return fork.selectArrays('SELECT ?, ?', [1n, own]);
  }
  export function beneath(branch: BranchInterceptOptions['branch'], memoryOf: Uint8Array): Interception {
    intercept({ filter: (_, bytes) => bytes.length > 9, memory: 2 ** 24 })[Symbol.dispose]();
    // @ts-expect-error a filter is needed
    intercept({ memory: 2 ** 24 });
    return intercept({ branch, memoryOf, filter: () => true });
  }
  export async function load(wasm: Uint8Array): Promise<number> {
    const program: Program<Cells> = await MicroVM.load<Cells>(wasm);
    // @ts-expect-error it takes a number
    program.exports.get('1');
    // @ts-expect-error there is none of this name
    await program.snapshot().run('nothing');
    // @ts-expect-error it takes a number
    loadSync<Cells>(wasm).exports.get('1');
    return program.exports.get(1) + (await program.snapshot().run('get', 1));
  }
  export async function untyped(guest: Uint8Array): Promise<void> {
    const vm: MicroVM = await MicroVM.create({ guest });
    const value: number | bigint | undefined = vm.enter().exports['any']?.(1, 2n);
    const then: number | bigint | undefined = await vm.snapshot().run('any', 1, 2n);
    // @ts-expect-error whether it is a number is not known
    const number: number = then;
    const program: Program = await MicroVM.load(guest);
    await program.snapshot().run('any', Number(value), number);
  }`;
