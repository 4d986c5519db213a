// The snapshot protocol against a model, one kernel call at a time: every snapshot equals the copy that the
// model made when it was taken, whatever is written, released, forgotten or lost in between (SNAP-1 to
// SNAP-6, FORK-1, SHARE-1, LIMBO-1, EPOCH-1, FRAME-1). Goal: the state machine of a page and of a snapshot;
// races are the hammer's (hammer.test.ts).
// Invariants: SNAP-2 (slots are used again after release).

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { epochTable } from '../../assembly/abi/memory-map.ts';
import { GAUGE_FRAMES_FREE, GAUGE_LIMBO } from '../../assembly/abi/counter.ts';
import { readBuiltModule } from '#platform';
import { Kernel } from '../../host/vm/kernel.ts';
import { Random } from '../random.ts';

const FRAMES = 4096;
const PAGES = 64; // few, so that snapshots meet on the same pages
const PAGE_WORDS = 1024;
const module = new WebAssembly.Module((await readBuiltModule('libdbos.wasm')) as BufferSource);

class Bench {
  readonly memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
  readonly words = new Int32Array(this.memory.buffer);
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly kernel: Kernel;
  readonly reader: Kernel;

  constructor(guestPages = PAGES, guestLimit = PAGES) {
    const syscall = (): number => -38;
    this.kernel = new Kernel(module, this.memory, FRAMES, syscall, (calls) =>
      calls.boot(FRAMES, guestPages, guestLimit, 0, 1),
    );
    this.reader = new Kernel(module, this.memory, FRAMES, syscall);
    this.kernel.calls.enter();
  }

  /** A store as the main image makes it: check, fault, store. */
  write(word: number, value: number): void {
    const page = word >> 10;
    if (this.bytes[epochTable(FRAMES) + page] !== this.kernel.view)
      this.kernel.calls.fault(word * 4);
    this.words[word] = value;
  }

  read(slot: number, word: number): number {
    const at = this.kernel.calls.readSnapshot(slot, word * 4, 4) >>> 0;
    return this.words[at / 4]!;
  }

  /** A store as the snapshot image makes it. */
  writePrivately(slot: number, word: number, value: number): void {
    const { calls } = this.reader;
    calls.lookAt(slot + 1);
    const entry = calls.viewFault((word >> 10) << 12);
    this.words[((word * 4 + (entry & ~4095)) >>> 0) / 4] = value;
    calls.lookAt(0);
  }

  free(): number {
    return this.kernel.calls.counter(GAUGE_FRAMES_FREE);
  }
}

const protocol = suite('snappy protocol');

protocol('SNAP-3: a snapshot shows memory as it was when it was taken', () => {
  const bench = new Bench();
  bench.write(5, 1);
  const slot = bench.kernel.calls.takeSnapshot();
  assert.is(bench.read(slot, 5), 1);
  bench.write(5, 2);
  assert.is(bench.read(slot, 5), 1);
  assert.is(bench.words[5], 2);
});

protocol('a page written again in the same epoch is copied once', () => {
  const bench = new Bench();
  const before = bench.free();
  const slot = bench.kernel.calls.takeSnapshot();
  for (let i = 0; i < 100; i++) bench.write(i, i);
  assert.is(before - bench.free(), 1);
  bench.kernel.calls.releaseSnapshot(slot);
  assert.is(bench.free(), before);
});

protocol('without a snapshot nothing is copied', () => {
  const bench = new Bench();
  const before = bench.free();
  for (let i = 0; i < PAGES * PAGE_WORDS; i += 100) bench.write(i, i);
  assert.is(bench.free(), before);
});

protocol('the 33rd snapshot is refused and the others stay', () => {
  const bench = new Bench();
  bench.write(0, 7);
  const slots = Array.from({ length: 32 }, () => bench.kernel.calls.takeSnapshot());
  assert.is(new Set(slots).size, 32);
  assert.is(bench.kernel.calls.takeSnapshot(), -16);
  bench.write(0, 8);
  for (const slot of slots) assert.is(bench.read(slot, 0), 7);
  assert.is(bench.kernel.calls.counter(GAUGE_LIMBO), 1);
  bench.kernel.calls.releaseSnapshot(slots[3]!);
  assert.is(bench.kernel.calls.takeSnapshot(), slots[3]);
});

protocol('SNAP-5: out of frames the snapshot is lost and the writer goes on', () => {
  const bench = new Bench(3000, 3000);
  const slot = bench.kernel.calls.takeSnapshot();
  for (let page = 0; page < 3000; page++) bench.write(page * PAGE_WORDS, page);
  assert.is(bench.kernel.calls.snapshotState(slot), 1);
  for (let page = 0; page < 3000; page++) assert.is(bench.words[page * PAGE_WORDS], page);
  bench.kernel.calls.releaseSnapshot(slot);
  const again = bench.kernel.calls.takeSnapshot();
  bench.write(0, -1);
  assert.is(bench.read(again, 0), 0);
});

protocol(
  'SHARE-1: a frame of several snapshots is copied by each but the last, and freed once',
  () => {
    const bench = new Bench();
    const { calls } = bench.kernel;
    bench.write(0, 1);
    const parent = calls.takeSnapshot();
    const before = bench.free();
    bench.writePrivately(parent, 0, 2);
    // Deeper than a share can be halved.
    const forks = Array.from({ length: 30 }, (_, i) => calls.forkSnapshot(i === 0 ? parent : i));
    assert.equal(
      forks,
      forks.map((_, i) => i + 1),
    );
    assert.is(before - bench.free(), 1, 'forks copy nothing');
    forks.forEach((slot) => assert.is(bench.read(slot, 0), 2));
    bench.writePrivately(parent, 0, 3);
    forks.slice(0, -1).forEach((slot, i) => bench.writePrivately(slot, 0, 10 + i));
    assert.is(before - bench.free(), 31);
    bench.writePrivately(30, 1, 5);
    assert.is(before - bench.free(), 31, 'the last one keeps the frame');
    assert.is(bench.read(30, 0), 2);
    forks.slice(0, -1).forEach((slot, i) => assert.is(bench.read(slot, 0), 10 + i));
    for (const slot of [parent, ...forks]) calls.releaseSnapshot(slot);
    bench.reader.calls.detach();
    assert.is(bench.free() - before, 0);
  },
);

protocol('SHARE-1: a share that is halved 100 times is never lost', () => {
  const bench = new Bench();
  const { calls } = bench.kernel;
  let slot = calls.takeSnapshot();
  bench.writePrivately(slot, 0, 7);
  const kept = calls.forkSnapshot(slot);
  for (let i = 0; i < 100; i++) {
    const next = calls.forkSnapshot(slot);
    calls.releaseSnapshot(slot);
    slot = next;
  }
  const before = bench.free();
  calls.releaseSnapshot(kept);
  assert.is(bench.free(), before);
  assert.is(bench.read(slot, 0), 7);
  calls.releaseSnapshot(slot);
  assert.is(bench.free(), before + 1);
});

protocol('EPOCH-1: views come round again without a page passing for written', () => {
  const bench = new Bench();
  const random = Random.forTest('views');
  for (let round = 0; round < 2000; round++) {
    const word = random.below(PAGES) * PAGE_WORDS;
    const old = bench.words[word]!;
    const slot = bench.kernel.calls.takeSnapshot();
    assert.ok(slot >= 0);
    bench.write(word, round + 1);
    assert.is(bench.read(slot, word), old, `round ${round}`);
    bench.kernel.calls.releaseSnapshot(slot);
  }
});

protocol('a store outside guest memory traps, and memory is as before', () => {
  const bench = new Bench();
  assert.throws(() => bench.kernel.calls.fault(PAGES * 4096), /unreachable/);
  assert.is(bench.kernel.takeTrap().cause, 1);
  bench.kernel.calls.unwind(0);
  bench.write(0, 1);
});

interface Model {
  slot: number;
  words: Int32Array;
  forgotten: Set<number>;
}

/** Moves of the bench and of the model, alike. */
class Moves {
  readonly open: Model[] = [];
  readonly #random: Random;
  readonly #bench: Bench;

  constructor(random: Random, bench: Bench) {
    this.#random = random;
    this.#bench = bench;
  }

  write(): void {
    this.#bench.write(this.#random.below(PAGES * PAGE_WORDS), this.#random.bits() | 0);
  }

  take(): void {
    const slot = this.#bench.kernel.calls.takeSnapshot();
    const words = this.#bench.words.slice(0, PAGES * PAGE_WORDS);
    if (this.open.length === 32) assert.is(slot, -16);
    else this.open.push({ slot, words, forgotten: new Set() });
  }

  fork(): void {
    if (this.open.length === 0) return;
    const { slot: parent, words, forgotten } = this.#random.pick(this.open);
    const slot = this.#bench.kernel.calls.forkSnapshot(parent);
    if (this.open.length === 32) assert.is(slot, -16);
    else this.open.push({ slot, words: words.slice(), forgotten: new Set(forgotten) });
  }

  release(): void {
    if (this.open.length === 0) return;
    const [{ slot }] = this.open.splice(this.#random.below(this.open.length), 1) as [Model];
    this.#bench.kernel.calls.releaseSnapshot(slot);
  }

  writePrivately(): void {
    if (this.open.length === 0) return;
    const model = this.#random.pick(this.open);
    const word = this.#random.below(PAGES * PAGE_WORDS);
    if (model.forgotten.has(word >> 10)) return;
    const value = this.#random.bits() | 0;
    this.#bench.writePrivately(model.slot, word, value);
    model.words[word] = value;
  }

  forget(): void {
    if (this.open.length === 0) return;
    const model = this.#random.pick(this.open);
    const first = this.#random.below(PAGES);
    const count = this.#random.below(8);
    const { calls } = this.#bench.reader;
    calls.lookAt(model.slot + 1);
    calls.forget(first << 12, count << 12);
    calls.lookAt(0);
    for (let page = first; page < Math.min(first + count, PAGES); page++) model.forgotten.add(page);
  }

  read(): void {
    if (this.open.length === 0) return;
    const model = this.#random.pick(this.open);
    for (let i = 0; i < 50; i++) {
      const word = this.#random.below(PAGES * PAGE_WORDS);
      if (!model.forgotten.has(word >> 10))
        assert.is(this.#bench.read(model.slot, word), model.words[word]);
    }
  }
}

/** The more often, the likelier. */
const MOVES = [
  ...Array.from({ length: 5 }, () => 'write' as const),
  ...(['take', 'fork', 'writePrivately', 'writePrivately', 'forget', 'read'] as const),
  ...(['release', 'release'] as const),
];

protocol(
  'any mix of writes, snapshots, forks of them, releases, private writes and forgotten pages equals the model',
  () => {
    const random = Random.forTest('protocol');
    const bench = new Bench();
    const untouched = bench.free();
    const moves = new Moves(random, bench);
    for (let i = 0; i < 60_000; i++) moves[random.pick(MOVES)]();
    for (const { slot } of moves.open) bench.kernel.calls.releaseSnapshot(slot);
    bench.reader.calls.detach();
    assert.is(bench.kernel.calls.counter(GAUGE_LIMBO), 0);
    assert.is(bench.free(), untouched);
  },
);

protocol.run();
