// Files in the VM: creating 10,000 files, reading and writing 4 KiB and 1 MiB, against Emscripten's MEMFS and
// a directory of the host. On the one side the FS of sql.js's glue, used as its system calls use it; on the
// other a program that calls WASI.
//
//   node dist/bench/files.js [--smoke]

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroVM, ringzeroFS, type GuestFunction, type Program } from '../host/index.ts';
import { WASI_PARAMETERS, type WasiFunction } from '../host/wasi/abi.ts';
import { openSqlJs, type FS } from '../tests/files/sqljs.ts';
import { assemble } from '../tests/vm/guests.ts';
import { atLeast, isSmoke, median, report, type Row } from './report.ts';

const FILES = isSmoke ? 100 : 10_000;
const ROUNDS = isSmoke ? 1 : 7;
const FILE_BYTES = 1 << 20;
const SMALL = 4096;
const CALLS = isSmoke ? 10 : 2000;
const LARGE_CALLS = isSmoke ? 2 : 40;

/** Calls WASI in loops of its own, as a program does. */
const imported = ['path_open', 'fd_close', 'fd_pread', 'fd_pwrite'] as const;
const letters = (name: WasiFunction): string =>
  [...WASI_PARAMETERS[name]].map((letter) => (letter === 'i' ? 'i32' : 'i64')).join(' ');
const CALLER = assemble(`(module
  ${imported.map((name) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${letters(name)}) (result i32)))`).join('\n')}
  (memory (export "memory") 64)
  (func (export "poke") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  ;; opens the file whose name of 8 bytes is at 1024
  (func $open (export "open") (param $oflags i32) (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 8) (local.get $oflags)
        (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 512)) (then unreachable))
    (i32.load (i32.const 512)))
  (func (export "create") (param $count i32)
    (loop $next
      (i64.store (i32.const 1024) (i64.add (i64.const 0x6161616161616161)
        (i64.extend_i32_u (i32.or
          (i32.or (i32.and (local.get $count) (i32.const 15))
            (i32.shl (i32.and (i32.shr_u (local.get $count) (i32.const 4)) (i32.const 15)) (i32.const 8)))
          (i32.or
            (i32.shl (i32.and (i32.shr_u (local.get $count) (i32.const 8)) (i32.const 15)) (i32.const 16))
            (i32.shl (i32.and (i32.shr_u (local.get $count) (i32.const 12)) (i32.const 15)) (i32.const 24)))))))
      (drop (call $fd_close (call $open (i32.const 1))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "transfer") (param $fd i32) (param $writes i32) (param $bytes i32) (param $count i32)
    (local $at i64)
    (i32.store (i32.const 520) (i32.const 65536))
    (i32.store (i32.const 524) (local.get $bytes))
    (loop $next
      (if (local.get $writes)
        (then (if (call $fd_pwrite (local.get $fd) (i32.const 520) (i32.const 1) (local.get $at) (i32.const 528)) (then unreachable)))
        (else (if (call $fd_pread (local.get $fd) (i32.const 520) (i32.const 1) (local.get $at) (i32.const 528)) (then unreachable))))
      (local.set $at (i64.add (local.get $at) (i64.extend_i32_u (local.get $bytes))))
      (if (i64.ge_u (local.get $at) (i64.const ${FILE_BYTES})) (then (local.set $at (i64.const 0))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))`);

/** Microseconds of each operation on one kind of files. */
interface Subject {
  readonly name: string;
  create(): void;
  transfer(writes: boolean, bytes: number, count: number): void;
  reset(): void;
}

function ofWasi(name: string, program: Program, reset: () => void): Subject {
  const { create, open, transfer, poke } = program.exports as unknown as Record<
    'create' | 'open' | 'transfer' | 'poke',
    GuestFunction
  >;
  poke(1024, 0x66666666);
  poke(1028, 0x66666666);
  const fd = Number(open(1));
  transfer(fd, 1, FILE_BYTES, 1);
  return {
    name,
    create: () => void create(FILES),
    transfer: (writes, bytes, count) => void transfer(fd, writes ? 1 : 0, bytes, count),
    reset,
  };
}

function ofEmscripten(name: string, FS: FS, root: string, heap: Uint8Array): Subject {
  const stream = FS.open(`${root}/file`, 'w+');
  FS.write(stream, heap, 65536, FILE_BYTES, 0);
  return {
    name,
    create: () => {
      FS.mkdir(`${root}/d`);
      for (let i = 0; i < FILES; i++) FS.close(FS.open(`${root}/d/file${i}`, 'w'));
    },
    transfer: (writes, bytes, count) => {
      for (let i = 0, at = 0; i < count; i++) {
        if (writes) FS.write(stream, heap, 65536, bytes, at);
        else FS.read(stream, heap, 65536, bytes, at);
        at = at + bytes >= FILE_BYTES ? 0 : at + bytes;
      }
    },
    reset: () => {
      for (let i = 0; i < FILES; i++) FS.unlink(`${root}/d/file${i}`);
      FS.rmdir(`${root}/d`);
    },
  };
}

const { program: sql, FS } = await openSqlJs();
const heap = new Uint8Array(sql.memory.buffer);
for (const root of ['/vm', '/memfs']) FS.mkdir(root);
FS.mount(ringzeroFS(sql, FS), { root: '/bench' }, '/vm');

const folder = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
const loaded = async (preopen: string | { memory: true }): Promise<Program> =>
  MicroVM.load(CALLER, {}, { memory: 2 ** 29, wasi: { preopens: { '/data': preopen } } });
const [inMemory, onHost] = [await loaded({ memory: true }), await loaded(folder)];
const clear = (program: Program): void => {
  for (const name of program.fs.readdirSync('/data'))
    if (name !== 'ffffffff') program.fs.unlinkSync(`/data/${name}`);
};
const subjects: Subject[] = [
  ofWasi('WASI, in the VM', inMemory, () => clear(inMemory)),
  ofWasi('WASI, host directory', onHost, () => {
    for (const name of readdirSync(folder)) if (name !== 'ffffffff') rmSync(join(folder, name));
  }),
  ofEmscripten('Emscripten, in the VM', FS, '/vm', heap),
  ofEmscripten('Emscripten, MEMFS', FS, '/memfs', heap),
];

const OPERATIONS: Record<string, [(subject: Subject) => void, number]> = {
  'create a file': [(subject) => subject.create(), FILES],
  'read 4 KiB': [(subject) => subject.transfer(false, SMALL, CALLS), CALLS],
  'write 4 KiB': [(subject) => subject.transfer(true, SMALL, CALLS), CALLS],
  'read 1 MiB': [(subject) => subject.transfer(false, FILE_BYTES, LARGE_CALLS), LARGE_CALLS],
  'write 1 MiB': [(subject) => subject.transfer(true, FILE_BYTES, LARGE_CALLS), LARGE_CALLS],
};
const samples: Record<string, number[]> = {};
for (let round = 0; round < ROUNDS; round++)
  for (const [operation, [act, count]] of Object.entries(OPERATIONS))
    for (const subject of subjects) {
      const start = performance.now();
      act(subject);
      const us = ((performance.now() - start) * 1000) / count;
      (samples[`${operation}, ${subject.name}`] ??= []).push(us);
      if (operation === 'create a file') subject.reset();
    }

const us = (operation: string, subject: string): number =>
  median(samples[`${operation}, ${subject}`]!);
const rows: Row[] = Object.keys(OPERATIONS).flatMap((operation): Row[] => {
  const [wasi, host, emscripten, memfs] = subjects.map(({ name }) => us(operation, name)) as [
    number,
    number,
    number,
    number,
  ];
  return [
    {
      figure: `${operation}: Emscripten`,
      value: `${emscripten.toFixed(2)} us, MEMFS ${memfs.toFixed(2)} us`,
      ratio: `${(memfs / emscripten).toFixed(2)}x`,
      ...atLeast(memfs / emscripten, 1, 'x'),
    },
    {
      figure: `${operation}: WASI`,
      value: `${wasi.toFixed(2)} us, host directory ${host.toFixed(2)} us`,
      ratio: `${(host / wasi).toFixed(2)}x`,
      ...atLeast(host / wasi, 3, 'x'),
    },
  ];
});
report('files', rows, { files: FILES, rounds: ROUNDS, samples });
rmSync(folder, { recursive: true });
await Promise.all([sql.close(), inMemory.close(), onHost.close()]);
