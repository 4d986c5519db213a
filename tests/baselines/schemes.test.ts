// The comparison designs are correct: the child sees what was there, the parent what it wrote, frames come
// back.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../random.ts';

interface Baselines {
  choose(scheme: number): void;
  setup(pages: number, endPage: number): void;
  take(): void;
  write(page: number, value: number): void;
  read(page: number, byChild: boolean): number;
  release(): void;
  prepare(): void;
}

const module = new WebAssembly.Module(readFileSync('dist/wasm/baselines.wasm'));
const PAGES = 200;
const schemes = suite('snapshot schemes');

for (const [number, name] of ['fork', 'epoch', 'instant'].entries()) {
  schemes(`${name}: parent and child each see their own memory, over many snapshots`, () => {
    const random = Random.forTest(name);
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
    const guest = exports as unknown as Baselines;
    guest.choose(number);
    guest.setup(PAGES, 64 * 16); // frames for copies: a leak of one snapshot would end them within ten
    const parent = new Array<number>(PAGES).fill(0);
    for (let round = 0; round < 50; round++) {
      guest.prepare();
      guest.take();
      const child = [...parent];
      for (let i = 0; i < 150; i++) {
        const page = random.below(PAGES);
        parent[page] = random.bits();
        guest.write(page, parent[page]!);
      }
      for (let page = 0; page < PAGES; page++) {
        assert.is(guest.read(page, true) >>> 0, child[page], `child, page ${page}`);
        assert.is(guest.read(page, false) >>> 0, parent[page], `parent, page ${page}`);
      }
      guest.release();
    }
  });
}

schemes.run();
