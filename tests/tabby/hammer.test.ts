// Goal: races between faults, evictions, pins and optimistic reads, in pools so small that operations
// collide. Method: each page holds its number of changes, in all its words; the counts are also kept outside
// the pool. Workers change, read and discard pages at random and check what they see; at the end every page
// must hold its count, and the pool is audited. In the tiny build a version has 5 bits, so that it wraps
// frequently.
// Invariants: TAB-2, TAB-4, TAB-5, TAB-6, TAB-8, TAB-9, TAB-10, TAB-11, TAB-12, TAB-13, TLB-1; SWIP-3 and
// SWIP-4 with the swizzling design.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Faults, type FaultRates } from '../../host/index.ts';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';
import type { HammerData, HammerResult } from './hammer-worker.ts';
import { createPool, type Design } from './pool.ts';

const SECONDS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 3);
const HOT = 1;
const SLOW = 2;
const CELLS = 16;
const PREFETCHED = 1;
const EVICTIONS = 2;
const STALE = 5;
const WAITS = 6;
const WRAPS = 7;

const FAULTY = 8;
const LATE: FaultRates = { delay: 0.2, delayMs: 2 };
const BAD: FaultRates = { error: 0.02, short: 0.05, delay: 0.05, delayMs: 1 };

interface Case {
  name: string;
  frames: number;
  pages: number;
  workers: number;
  mode: number;
  design?: Design;
  /** Prefetches and writes back through rings. */
  rings?: boolean;
  faults?: FaultRates;
}

const CASES: readonly Case[] = [
  { name: 'eight frames', frames: 8, pages: 64, workers: 3, mode: 0 },
  { name: 'eight frames, slow readers', frames: 8, pages: 12, workers: 3, mode: SLOW },
  { name: 'one hot page', frames: 8, pages: 40, workers: 3, mode: HOT },
  { name: 'one hot page, slow readers', frames: 16, pages: 17, workers: 3, mode: HOT | SLOW },
  { name: 'all vCPUs evicting', frames: 64, pages: 1000, workers: 4, mode: 0 },
  { name: 'everything fits', frames: 64, pages: 40, workers: 3, mode: SLOW },
  { name: 'eager, eight frames', frames: 8, pages: 64, workers: 3, mode: SLOW, design: 'eager' },
  { name: 'eager, one hot page', frames: 16, pages: 40, workers: 3, mode: HOT, design: 'eager' },
  { name: 'hash, eight frames', frames: 8, pages: 64, workers: 3, mode: SLOW, design: 'hash' },
  { name: 'hash, one hot page', frames: 16, pages: 40, workers: 3, mode: HOT, design: 'hash' },
  { name: 'pointers', frames: 16, pages: 64, workers: 3, mode: CELLS },
  {
    name: 'swizzle, eight frames',
    frames: 8,
    pages: 64,
    workers: 3,
    mode: CELLS | SLOW,
    design: 'swizzle',
  },
  {
    name: 'swizzle, one hot page',
    frames: 16,
    pages: 40,
    workers: 3,
    mode: CELLS | HOT,
    design: 'swizzle',
  },
  {
    name: 'swizzle, all vCPUs evicting',
    frames: 64,
    pages: 1000,
    workers: 4,
    mode: CELLS,
    design: 'swizzle',
  },
  {
    name: 'swizzle, everything fits',
    frames: 64,
    pages: 40,
    workers: 3,
    mode: CELLS | SLOW,
    design: 'swizzle',
  },
  { name: 'rings', frames: 64, pages: 200, workers: 3, mode: 0, rings: true, faults: LATE },
  { name: 'rings, eight frames', frames: 8, pages: 64, workers: 3, mode: SLOW, rings: true },
  {
    name: 'rings, one hot page',
    frames: 16,
    pages: 40,
    workers: 3,
    mode: HOT,
    rings: true,
    faults: LATE,
  },
  {
    name: 'rings, failures',
    frames: 32,
    pages: 80,
    workers: 3,
    mode: FAULTY,
    rings: true,
    faults: BAD,
  },
  { name: 'system calls, failures', frames: 16, pages: 60, workers: 3, mode: FAULTY, faults: BAD },
  {
    name: 'eager, rings',
    frames: 32,
    pages: 64,
    workers: 2,
    mode: 0,
    design: 'eager',
    rings: true,
    faults: LATE,
  },
  {
    name: 'hash, rings, failures',
    frames: 32,
    pages: 64,
    workers: 3,
    mode: FAULTY,
    design: 'hash',
    rings: true,
    faults: BAD,
  },
  {
    name: 'swizzle, rings',
    frames: 32,
    pages: 64,
    workers: 3,
    mode: CELLS,
    design: 'swizzle',
    rings: true,
    faults: LATE,
  },
];

const SLICE_MS = (SECONDS * 1000) / CASES.length;

async function untilReady(words: Int32Array, workers: number): Promise<void> {
  // all have begun
  while (Atomics.load(words, 1) < workers) await new Promise((resolve) => setTimeout(resolve, 5));
}

const tests = suite('Tabby hammer');

for (const { name, frames, pages, workers, mode, design, rings, faults: rates } of CASES) {
  tests(`TAB-1 to TAB-14: ${name}`, async () => {
    const random = Random.forTest(`tabby, ${name}`);
    const faults = rates && new Faults({ seed: random.bits() });
    const pool = await createPool(frames, {
      design: design ?? 'test',
      rings: rings ?? false,
      faults,
    });
    for (let page = 0; page < pages; page++)
      assert.is(pool.call('createPage', BigInt(page), 0), 0, `page ${page} is made`);
    assert.is(pool.call('makeParents', pages), 0);
    const flags = new SharedArrayBuffer(8);
    const url = new URL('./hammer-worker.js', import.meta.url);
    const running = Array.from({ length: workers }, () => {
      const data: HammerData = { handle: pool.vm.handle, seed: random.bits(), pages, mode, flags };
      return runThread(url, data) as Promise<HammerResult>;
    });
    const words = new Int32Array(flags);
    // the length of a slice
    const stop = (): unknown => setTimeout(() => Atomics.store(words, 0, 1), SLICE_MS);
    void untilReady(words, workers).then(stop);
    faults?.set(rates!);
    const results = await Promise.all(running);
    faults?.set({});
    for (const { result } of results) assert.is(result, 0, `a worker saw ${result}`);
    let changes = 0;
    for (let page = 0; page < pages; page++) {
      const count = pool.call('tally', page);
      assert.is(pool.call('readPage', BigInt(page)), count, `page ${page}`);
      changes += count;
    }
    const resident = pool.call('audit', BigInt(pages + 20));
    assert.ok(resident >= 0 && resident <= frames, `audit: ${resident}`);
    const sum = (key: keyof HammerResult): number => results.reduce((all, r) => all + r[key], 0);
    console.log(
      `${name}: ${sum('operations')} operations, ${changes} changes, ${sum('failed')} failed, ${pool.call('stat', PREFETCHED)} read ahead, ${sum('validated')} reads right, ` +
        `${sum('refuted')} refuted, ${sum('starved')} found all pinned, ${pool.call('stat', EVICTIONS)} evictions, ` +
        `${pool.call('stat', STALE)} stale, ${pool.call('stat', WAITS)} waits, ${pool.call('stat', WRAPS)} wraps`,
    );
    assert.ok(changes > 100);
    assert.is(
      sum('failed') > 0,
      (mode & FAULTY) !== 0,
      'storage fails if and only if faults are injected',
    );
    await pool.close();
  });
}

tests.run();
