// Exporting and restoring states: a heap of 256 MiB, a delta after 1 % of its pages has changed, and the same
// bytes copied and compressed by the runtime in the same run.
//
//   node dist/bench/states.js [--smoke]

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deflateRawSync } from 'node:zlib';
import { MicroVM, type Snapshot } from '../host/index.ts';
import { Random } from '../tests/random.ts';
import { assemble } from '../tests/vm/guests.ts';
import { atLeast, atMost, isSmoke, median, report, type Row } from './report.ts';

const HEAP = isSmoke ? 2 ** 24 : 2 ** 28;
const PAGE = 4096;
const ROUNDS = isSmoke ? 1 : 7;
const MB = 1e6;

/** Fills the heap with text: neither zeros nor noise. */
function fill(heap: Uint8Array): void {
  const text = readFileSync(createRequire(import.meta.url).resolve('typescript'));
  for (let at = 0; at < heap.length; at += text.length)
    heap.set(text.subarray(0, Math.min(text.length, heap.length - at)), at);
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as unknown as BodyInit).arrayBuffer());
}

async function timed<T>(action: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await action();
  return { ms: performance.now() - start, result };
}

const create = {
  guest: assemble(`(module
    (memory (export "memory") ${HEAP / 65536})
    (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1))))`),
  memory: 4 * HEAP,
};
const vm = await MicroVM.create(create);
const { store } = vm.enter().exports as { store: (address: number, value: number) => void };
const heap = new Uint8Array(vm.memory.buffer, 0, HEAP);
fill(heap);
const random = new Random(1);
const changed = HEAP / PAGE / 100;
const samples: Record<string, number[]> = {};
const note = (name: string, value: number): void => void (samples[name] ??= []).push(value);

for (let round = 0; round < ROUNDS; round++) {
  const first: Snapshot = vm.snapshot();
  for (const compress of [true, false]) {
    const name = compress ? 'compressed' : 'plain';
    const whole = await timed(() => bytesOf(first.export({ compress })));
    note(`export ${name}`, whole.ms);
    note(`bytes ${name}`, whole.result.length / HEAP);
    const restored = await timed(() => MicroVM.restore(whole.result, create));
    note(`restore ${name}`, restored.ms);
    await restored.result.close();
  }
  await first.release();
}
for (let round = 0; round < 5 * ROUNDS; round++) {
  const first: Snapshot = vm.snapshot();
  for (let i = 0; i < changed; i++)
    store(random.below(HEAP / PAGE) * PAGE + random.below(1000) * 4, round);
  const second = vm.snapshot();
  const delta = await timed(() => bytesOf(second.export({ since: first as never })));
  note('delta', delta.ms);
  const copy = await timed(() => heap.slice());
  note('copy', copy.ms);
  const part = heap.slice(0, changed * PAGE);
  note('deflate', (await timed(() => deflateRawSync(part, { level: 1 }))).ms);
  await Promise.all([first.release(), second.release()]);
}
await vm.close();

const of = (name: string): number => median(samples[name]!);
const perMb = (name: string, bytes: number): number => of(name) / (bytes / MB);
const speed = (name: string): number => HEAP / MB / of(name);
const rows: Row[] = [
  {
    figure: 'delta, per MB changed',
    value: `${perMb('delta', changed * PAGE).toFixed(2)} ms`,
    ratio: `${(of('delta') / of('deflate')).toFixed(2)}x of deflate of as much`,
    ...atMost(perMb('delta', changed * PAGE), 5, ' ms'),
  },
  ...(['compressed', 'plain'] as const).flatMap((name): Row[] => [
    {
      figure: `whole state, ${name}`,
      value: `${speed(`export ${name}`).toFixed(2)} GB/s, ${of(`bytes ${name}`).toFixed(2)} of the heap`,
      ratio: `${(of(`export ${name}`) / of('copy')).toFixed(1)}x of a copy`,
    },
    {
      figure: `restore, ${name}`,
      value: `${speed(`restore ${name}`).toFixed(2)} GB/s`,
      ratio: `${(of(`restore ${name}`) / of('copy')).toFixed(1)}x of a copy`,
      ...atLeast(speed(`restore ${name}`), 1, ' GB/s'),
    },
  ]),
];
report('states', rows, { heap: HEAP, changed, samples });
