// What a system call costs through the machine, above the same call made directly from JavaScript (paper,
// figure 11): an empty one, and a read of 4 KiB that the page cache has; a guest's own, and of a stock
// program by WASI.
//
//   node dist/bench/syscalls.js [--smoke] [--rounds N]

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import initWabt from 'wabt';
import { OPEN_READ } from '../assembly/abi/syscall.ts';
import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import { takeTurns, type Task } from './micro.ts';
import type { Plot } from './plot.ts';
import { atMost, isSmoke, median, numberOption, report, type Row, signed } from './report.ts';

const ROUNDS = numberOption('rounds', isSmoke ? 1 : 15);
const CALLS = isSmoke ? 2000 : 100_000;
const PAGES = 256;
const PAGE = 4096;
/** No such call: the way to the host's table and back. */
const NONE = 255;
const NAME = 'pages';

const wabt = await initWabt();
const build = (text: string): Uint8Array =>
  wabt.parseWat('calls.wat', text, {}).toBinary({}).buffer;

/** Exports that make a call `times` times: the sum of the results. */
const loop = (name: string, call: string): string => `
  (func (export "${name}") (param $at i32) (param $times i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) ${call}))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $sum))`;
const page = `(i32.and (i32.mul (local.get $times) (i32.const 97)) (i32.const ${PAGES - 1}))`;

const GUEST = build(`(module
  (import "libdbos" "syscall" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 3)
  ${loop('empty', `(call $call (i32.const ${NONE}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))`)})`);

const PROGRAM = build(`(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 3)
  (data (i32.const 0) "${NAME}")
  (data (i32.const 16) "\\00\\00\\01\\00\\00\\10\\00\\00")
  (func (export "open") (result i32)
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const ${NAME.length}) (i32.const 0) (i64.const 6) (i64.const 0) (i32.const 0) (i32.const 32)))
    (i32.load (i32.const 32)))
  ${loop('empty', '(call $yield)')}
  ${loop('read', `(call $pread (local.get $at) (i32.const 16) (i32.const 1) (i64.mul (i64.extend_i32_u ${page}) (i64.const ${PAGE})) (i32.const 40))`)})`);

const BARE = build(`(module
  (import "host" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  ${loop('empty', '(call $call (i32.const 2) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))')})`);

type Loops = Record<'empty' | 'read', (at: number, times: number) => number> & { open(): number };

const directory = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
writeFileSync(join(directory, NAME), Buffer.alloc(PAGES * PAGE, 7));
const vm = await MicroVM.create({ guest: GUEST, memory: 2 ** 24 });
const guest = vm.enter().exports as unknown as Loops;
const linked = await MicroVM.create({
  guest: readBuiltModule('io-test.wasm'),
  linked: true,
  preopen: directory,
  memory: 2 ** 26,
});
const call = (name: string, ...args: number[]): number =>
  Number(linked.enter().exports[name]!(...args));
call('makeBuffers', 1);
for (let i = 0; i < NAME.length; i++) call('putPath', i, NAME.charCodeAt(i));
const linkedFile = call('open', NAME.length, OPEN_READ);
const program = await MicroVM.load(
  PROGRAM,
  {},
  { memory: 2 ** 24, wasi: { preopens: { '.': directory } } },
);
const wasi = program.exports as unknown as Loops;
const descriptor = openSync(join(directory, NAME), 'r');
const buffer = new Uint8Array(new SharedArrayBuffer(PAGE));
const bare = new WebAssembly.Instance(new WebAssembly.Module(BARE as BufferSource), {
  host: {
    call: (a: number, b: number, c: number, d: number, e: number, f: number) =>
      a + b + c + d + e + f,
  },
}).exports as unknown as Loops;

const wasiFile = wasi.open();
const loops: Record<string, () => number> = {
  'empty, a JavaScript function called by WebAssembly': () => bare.empty(0, CALLS),
  'empty, system call': () => guest.empty(0, CALLS),
  'empty, WASI': () => wasi.empty(0, CALLS),
  'read of 4 KiB, fs.readSync': () => {
    let sum = 0;
    for (let i = CALLS; i > 0; i--)
      sum += readSync(descriptor, buffer, 0, PAGE, ((i * 97) & (PAGES - 1)) * PAGE);
    return sum;
  },
  'read of 4 KiB, system call': () => call('readMany', 0, linkedFile, PAGES, CALLS, 0),
  'read of 4 KiB, WASI': () => wasi.read(wasiFile, CALLS),
};
const wanted: Record<string, number> = {
  'read of 4 KiB, fs.readSync': CALLS * PAGE,
  'read of 4 KiB, system call': CALLS * PAGE,
  'read of 4 KiB, WASI': 0,
  'empty, WASI': 0,
};

const task = ([name, body]: [string, () => number]): [string, Task] => {
  const run = (): void => {
    const result = body();
    if ((wanted[name] ?? result) !== result) throw new Error(`${name}: ${result}`);
  };
  return [name, { run, turns: CALLS }];
};
const ns = takeTurns(Object.fromEntries(Object.entries(loops).map(task)), ROUNDS);
const us = new Map([...ns].map(([name, samples]) => [name, samples.map((time) => time / 1000)]));

const of = (name: string): number => median(us.get(name)!);
const rows: Row[] = [...us.keys()].map((figure) => {
  const value = `${of(figure).toFixed(3)} µs`;
  if (/JavaScript|readSync/.test(figure)) return { figure, value };
  const base = figure.startsWith('empty')
    ? 'empty, a JavaScript function called by WebAssembly'
    : 'read of 4 KiB, fs.readSync';
  const above = of(figure) - of(base);
  return base.startsWith('empty')
    ? { figure, value, ratio: `${signed(above, 3)} µs`, ...atMost(above, 0.3, ' µs above') }
    : {
        figure,
        value,
        ratio: `${signed((above / of(base)) * 100)} %`,
        ...atMost((above / of(base)) * 100, 30, ' % above'),
      };
});
const plots: Plot[] = [
  {
    title: 'A system call',
    values: 'microseconds',
    points: [...us].map(([name, samples]) => {
      const [group, series] = name.split(', ');
      return {
        group: group!,
        series: /JavaScript|readSync/.test(series!) ? 'direct' : series!,
        samples,
      };
    }),
    paper:
      'Figure 11: libdbos costs what a call of a hypervisor costs above a native system call, which larger calls hide.',
  },
];
report('syscalls', rows, Object.fromEntries(us), plots);
closeSync(descriptor);
await program.vm.close();
await linked.close();
await vm.close();
rmSync(directory, { recursive: true });
