// How fast modules are translated: megabytes of input a second, best of many rounds, for sql.js and a module
// four times its size.
//
//   node dist/bench/translator-speed.js [--smoke] [--rounds 30]

import { parseArgs } from 'node:util';
import { relocate, translateMain, translateSnapshot } from '../host/translator/index.ts';
import type { Plot, Point } from './plot.ts';
import { atLeast, isSmoke, report, type Row } from './report.ts';
import { sqlJsModule } from '../tests/translator/sqljs.ts';

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean' },
    rounds: { type: 'string', default: isSmoke ? '5' : '30' },
  },
});
const ROUNDS = Number(values.rounds);

function bestMs(run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The same module with its functions `times` times over: a large module of the same make. */
function repeatFunctions(bytes: Uint8Array, times: number): Uint8Array {
  const sections: { id: number; contents: Uint8Array }[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at]!;
    const [size, start] = readLeb(bytes, at + 1);
    sections.push({ id, contents: bytes.subarray(start, start + size) });
    at = start + size;
  }
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const { id, contents } of sections) {
    const whole = id === 3 || id === 10 ? repeatVector(contents, times) : contents;
    parts.push(Uint8Array.of(id), leb(whole.length), whole);
  }
  return concatenate(parts);
}

function repeatVector(contents: Uint8Array, times: number): Uint8Array {
  const [count, start] = readLeb(contents, 0);
  const items = contents.subarray(start);
  return concatenate([leb(count * times), ...new Array<Uint8Array>(times).fill(items)]);
}

function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const small = sqlJsModule();
const rows: Row[] = [];
const points: Point[] = [];

function measure(
  what: string,
  module: string,
  bytes: Uint8Array,
  run: () => unknown,
  goal?: number,
): void {
  const ms = bestMs(run);
  const rate = bytes.length / 1e3 / ms;
  points.push({ group: module, series: what, samples: [rate] });
  rows.push({
    figure: `${module}: ${what}`,
    value: `${rate.toFixed(1)} MB/s`,
    ratio: `${ms.toFixed(2)} ms`,
    ...atLeast(rate, goal, ' MB/s'),
  });
}

for (const [name, bytes] of [
  ['sql.js', small],
  ['sql.js, functions x 4', repeatFunctions(small, 4)],
] as const) {
  const module = `${name}, ${(bytes.length / 1e6).toFixed(2)} MB`;
  measure('main image', module, bytes, () => translateMain(bytes), 20);
  measure('without elision', module, bytes, () => translateMain(bytes, { elision: false }));
  measure('snapshot image', module, bytes, () => translateSnapshot(bytes));
  const { main } = translateMain(bytes);
  measure('relocation', module, bytes, () => relocate(main, { frames: 65536 }));
}
const plots: Plot[] = [
  { title: 'Translation', values: 'megabytes of input a second', isLog: true, points },
];
report('translator-speed', rows, {}, plots);
