// How fast modules are translated: megabytes of input a second, best of many rounds, for sql.js and a module four times its size.
//
//   node dist/bench/translator-speed.js [--rounds 30] [--json file]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { relocate, translateMain, translateSnapshot } from '../host/translator/index.ts';
import { sqlJsModule } from '../tests/translator/sqljs.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '30' }, json: { type: 'string' } },
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
const rows: { what: string; ms: number; mbPerSecond: number }[] = [];

function report(what: string, bytes: Uint8Array, run: () => unknown): void {
  const ms = bestMs(run);
  const mbPerSecond = bytes.length / 1e3 / ms;
  rows.push({ what, ms, mbPerSecond });
  console.log(`${what.padEnd(44)}${ms.toFixed(2).padStart(9)} ms  ${mbPerSecond.toFixed(1)} MB/s`);
}

for (const [name, bytes] of [
  ['sql.js', small],
  ['sql.js, functions x 4', repeatFunctions(small, 4)],
] as const) {
  const megabytes = (bytes.length / 1e6).toFixed(2);
  report(`main image of ${name} (${megabytes} MB)`, bytes, () => translateMain(bytes));
  report('  the same without elision', bytes, () => translateMain(bytes, { elision: false }));
  report('  snapshot image', bytes, () => translateSnapshot(bytes));
  const { main } = translateMain(bytes);
  report('  relocation of the main image', bytes, () => relocate(main, { frames: 65536 }));
}
if (values.json) writeFileSync(values.json, JSON.stringify(rows));
