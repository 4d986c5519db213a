// The pace of a saver, on a simulated clock and machine.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import {
  COUNTER_COPIES,
  GAUGE_BREAK,
  GAUGE_FRAMES_FREE,
  GAUGE_RUNNING,
} from '../../assembly/abi/counter.ts';
import { SYS_SLEEP } from '../../assembly/abi/syscall.ts';
import { HOST_CORES } from '../../guest/redis/abi.ts';
import { probe } from './probe.ts';

const test = suite('redis/pace');

const SPAN_PAGES = 16;
const PAGES = 640_000;
const PAGE_US = 2; // of work

interface Machine {
  cores: number;
  running: number;
  free: number;
  /** Pages that writers touch in a microsecond, anywhere. */
  touches: number;
}

interface Outcome {
  /** Part of the time that the saver worked. */
  share: number;
  leastFree: number;
}

/**
 * Saves all pages on a machine; pages ahead are copied as random writes touch them, those passed are free
 * again.
 */
async function save(machine: Machine, isBackground = true): Promise<Outcome> {
  let now = 0;
  let worked = 0;
  let ahead = PAGES;
  let alive = 0;
  let copies = 0;
  const pass = (us: number): void => {
    const copied = us * machine.touches * (ahead / PAGES) * (1 - alive / Math.max(ahead, 1));
    now += us;
    alive += copied;
    copies += copied;
  };
  const counters: Record<number, () => number> = {
    [COUNTER_COPIES]: () => copies,
    [GAUGE_BREAK]: () => PAGES * 4096,
    [GAUGE_FRAMES_FREE]: () => machine.free - alive,
    [GAUGE_RUNNING]: () => machine.running,
  };
  const { call } = await probe(`export { begin, passed } from './rdb/pace';`, 256, {
    redis: { clockUs: () => now, hostInfo: (field) => (field === HOST_CORES ? machine.cores : 0) },
    libdbos: {
      counter: (index) => counters[index!]!(),
      syscall: (number, us) => {
        assert.is(number, SYS_SLEEP);
        pass(us!);
        return 0;
      },
    },
  });
  call.begin!(isBackground ? 1 : 0);
  let leastFree = machine.free;
  for (let at = 0; at < PAGES; at += SPAN_PAGES) {
    pass(SPAN_PAGES * PAGE_US);
    worked += SPAN_PAGES * PAGE_US;
    alive *= (ahead - SPAN_PAGES) / ahead;
    ahead -= SPAN_PAGES;
    leastFree = Math.min(leastFree, machine.free - alive);
    call.passed!((at + SPAN_PAGES) * 4096);
  }
  return { share: worked / now, leastFree };
}

const BUSY: Machine = { cores: 2, running: 1, free: 340_000, touches: 0.3 };

test('with a busy server the saver takes about a third of a core', async () => {
  const { share } = await save(BUSY);
  assert.ok(share > 0.28 && share < 0.45, `${share}`);
});

test('it does not rest when the server is idle, where cores are spare, or on the main vCPU', async () => {
  assert.is((await save({ ...BUSY, running: 0 })).share, 1);
  assert.is((await save({ ...BUSY, cores: 8 })).share, 1);
  assert.is((await save(BUSY, false)).share, 1);
});

test('it rests less the fewer frames there are, and keeps a margin wherever full speed does', async () => {
  let last = 0;
  for (const free of [400_000, 250_000, 150_000, 100_000]) {
    const { share, leastFree } = await save({ ...BUSY, free });
    assert.ok(share >= last, `${free} frames: ${share} after ${last}`);
    last = share;
    const full = await save({ ...BUSY, free, running: 0 });
    assert.ok(leastFree > 0 || full.leastFree <= 0, `${free} frames: ${leastFree} left`);
  }
  assert.ok(last > 0.5, `${last}`);
});

test.run();
