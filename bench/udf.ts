// A user-defined function called on rows of 100 bytes in the VM's memory, against the same function inside
// the guest.
//
//   node dist/bench/udf.js [--smoke]

import initWabt from 'wabt';
import { MicroVM, Udf } from '../host/index.ts';
import type { Plot } from './plot.ts';
import { takeTurns, type Task } from './micro.ts';
import { atMost, isSmoke, median, report, type Row } from './report.ts';

const ROW_BYTES = 100;
const ROWS = 2048;
const FIRST = 2 ** 20;
/** Many short rounds: the machine may be busy. */
const ROUNDS = isSmoke ? 20 : 2000;
const GOAL_NS = 150;

/** Bodies of call($at, $bytes). */
const FUNCTIONS: Record<string, string> = {
  'first letter': '(i32.eq (i32.load8_u (local.get $at)) (i32.const 119))',
  'sum of words': `(local $end i32) (local $sum i32)
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $sum)`,
  'hash, byte by byte': `(local $end i32) (local $hash i32)
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (loop $next
      (local.set $hash (i32.mul (i32.const 0x01000193)
        (i32.xor (local.get $hash) (i32.load8_u (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $hash)`,
};

const wabt = await initWabt();
const assemble = (text: string): Uint8Array => wabt.parseWat('bench.wat', text).toBinary({}).buffer;

/**
 * The function in a guest, called on each of `rows` rows through a table, as one that is registered would be:
 * it is not inlined.
 */
const guestOf = (body: string): Uint8Array =>
  assemble(`(module
    (type $t (func (param i32 i32) (result i32)))
    (table 2 2 funcref) (elem (i32.const 1) $call)
    (memory (export "memory") 64 64)
    (func $call (param $at i32) (param $bytes i32) (result i32) ${body})
    (func (export "each") (param $at i32) (param $rows i32) (param $which i32) (result i32)
      (local $sum i32)
      (loop $next
        (local.set $sum (i32.add (local.get $sum) (call_indirect (type $t)
          (local.get $at) (i32.const ${ROW_BYTES}) (local.get $which))))
        (local.set $at (i32.add (local.get $at) (i32.const ${ROW_BYTES})))
        (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
      (local.get $sum)))`);

const udfOf = (body: string): Uint8Array =>
  assemble(`(module
    (memory (export "memory") 1)
    (func (export "input") (param i32) (result i32) (i32.const 1024))
    (func (export "call") (param $at i32) (param $bytes i32) (result i32) ${body}))`);

interface Subject {
  readonly name: string;
  each(): number;
  eachOutside(): number;
  close(): Promise<void>;
}

async function subject(name: string, body: string): Promise<Subject> {
  const vm = await MicroVM.create({ guest: guestOf(body), memory: 2 ** 24 });
  const bytes = new Uint8Array(vm.memory.buffer);
  for (let i = 0; i < ROWS * ROW_BYTES; i++) bytes[FIRST + i] = (i * 31 + (i >>> 7)) & 127;
  const each = vm.enter().exports['each'] as (at: number, rows: number, which: number) => number;
  const udf = Udf.compile(udfOf(body));
  return {
    name,
    each: () => each(FIRST, ROWS, 1),
    eachOutside: () => {
      let sum = 0;
      for (let at = FIRST; at < FIRST + ROWS * ROW_BYTES; at += ROW_BYTES)
        sum = (sum + (udf.callAt(bytes, at, at + ROW_BYTES) as number)) | 0;
      return sum;
    },
    close: () => vm.close(),
  };
}

const made: Subject[] = [];
for (const [name, body] of Object.entries(FUNCTIONS)) made.push(await subject(name, body));
for (const { name, each, eachOutside } of made)
  if (each() !== eachOutside()) throw new Error(`${name}: the two do not answer the same`);
const tasks = made.flatMap(({ name, each, eachOutside }): [string, Task][] => [
  [`${name}, inside`, { run: each, turns: ROWS }],
  [`${name}, outside`, { run: eachOutside, turns: ROWS }],
]);
const times = takeTurns(Object.fromEntries(tasks), ROUNDS);
const subjects = made.map(({ name }) => ({
  name,
  inside: times.get(`${name}, inside`)!,
  outside: times.get(`${name}, outside`)!,
}));

const rows: Row[] = subjects.map(({ name, inside, outside }) => {
  const [ns, outsideNs] = [median(inside), median(outside)];
  return {
    figure: `${name}, a row of ${ROW_BYTES} bytes`,
    value: `inside the guest ${ns.toFixed(1)} ns, as a UDF ${outsideNs.toFixed(1)} ns`,
    ratio: `+${(outsideNs - ns).toFixed(1)} ns, of the best rounds +${(Math.min(...outside) - Math.min(...inside)).toFixed(1)} ns`,
    ...atMost(outsideNs - ns, GOAL_NS, ' ns more'),
  };
});
const points = subjects.flatMap(({ name, inside, outside }) => [
  { group: name, series: 'inside the guest', samples: inside },
  { group: name, series: 'user-defined function', samples: outside },
]);
const plots: Plot[] = [
  { title: `A function on a row of ${ROW_BYTES} bytes`, values: 'nanoseconds', points },
];
report(
  'udf',
  rows,
  Object.fromEntries(subjects.map(({ name, inside, outside }) => [name, { inside, outside }])),
  plots,
);
for (const { close } of made) await close();
