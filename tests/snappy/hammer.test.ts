// Goal: many writers, many overlapping snapshots, private writes, random releases, frames running out; races
// that a step-by-step test cannot reach. Method: writers move amounts between random words, so that the sum
// never changes; every snapshot is summed in other threads while nearly every page is being copied, by the
// guest on a snapshot vCPU and by the host. A torn read, a lost copy or a page in two places changes the sum.
// RZ_HAMMER_SECONDS sets how long (default 4).
// Invariants: EPOCH-2, INT-2 (writers take interrupts at each snapshot).

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, type Snapshot } from '../../host/index.ts';
import { ACCOUNTS } from '../vm/guests.ts';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';

const MIB = 2 ** 20;
const WRITERS = 3;
const WORDS = 256 * 1024; // 256 pages: writers, copies and snapshots meet on the same ones all the time
const SECONDS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 4);

const hammer = suite('snappy hammer');

interface Arena {
  vm: MicroVM;
  words: number;
  sum: number;
  /** Ends the writers; resolves with the turns each has done. */
  stop(): Promise<unknown[]>;
}

async function startWriters(words: number, memory: number, random: Random): Promise<Arena> {
  const vm = await MicroVM.create({
    guest: ACCOUNTS,
    memory,
    snapshotVcpus: 2,
    guestLimit: 16 * MIB,
  });
  vm.enter().exports['fill']!(words, 1000);
  const first = vm.snapshot(); // so that its thread is there before frames run out
  await first.run('sum', words);
  await first.release();
  const flag = new SharedArrayBuffer(8); /* stop, writers attached */
  const writers = Array.from({ length: WRITERS }, () =>
    runThread(new URL('./hammer-writer.js', import.meta.url), {
      handle: vm.handle,
      seed: random.bits() | 1,
      words,
      turns: 20_000,
      rounds: 1e9,
      stop: flag,
    }),
  );
  const flags = new Int32Array(flag);
  // all have begun
  while (Atomics.load(flags, 1) < WRITERS) await new Promise((resolve) => setTimeout(resolve, 5));
  const stop = (): Promise<unknown[]> => {
    Atomics.store(flags, 0, 1);
    return Promise.all(writers);
  };
  return { vm, words, sum: (words * 1000) | 0, stop };
}

function sumOnHost(snapshot: Snapshot, words: number): number {
  const copy = snapshot.read(0, words * 4);
  return new Int32Array(copy.buffer).reduce((sum, word) => (sum + word) | 0, 0);
}

async function check(snapshot: Snapshot, arena: Arena, random: Random): Promise<void> {
  const { words, sum } = arena;
  const which = random.below(5);
  if (which === 0) assert.is(sumOnHost(snapshot, words), sum, 'sum read by the host');
  if (which === 1) assert.is(await snapshot.run('sum', words), sum, 'sum by the guest');
  if (which === 3)
    assert.is(await snapshot.run('sumLines', words), sum, 'sum of words around one address');
  if (which === 4) assert.is(await snapshot.run('sumCopies', words), sum, 'sum of private copies');
  if (which === 2) {
    const turns = 1 + random.below(5000);
    await snapshot.run('scribble', random.bits() | 1, words, turns);
    assert.is(await snapshot.run('sum', words), (sum + turns) | 0, 'sum after private writes');
  }
}

hammer('SNAP-3, SNAP-4: every snapshot has the right sum while writers run', async () => {
  const random = Random.forTest('hammer');
  const arena = await startWriters(WORDS, 64 * MIB, random);
  const { vm } = arena;
  const open: Snapshot[] = [];
  const end = Date.now() + SECONDS * 1000;
  let checked = 0;
  while (Date.now() < end) {
    if (open.length < 1 + random.below(6)) open.push(vm.snapshot());
    const snapshot = random.pick(open);
    try {
      await check(snapshot, arena, random);
      checked += 1;
    } catch (error) {
      if (!(error instanceof RingzeroError) || error.code !== 'RZ_SNAPSHOT_LOST') throw error;
    }
    // A snapshot that was written to has another sum from then on, and old ones have cost their frames.
    open.splice(open.indexOf(snapshot), 1);
    await snapshot.release();
  }
  const rounds = await arena.stop();
  await Promise.all(open.map((snapshot) => snapshot.release()));
  const last = vm.snapshot();
  assert.is(sumOnHost(last, arena.words), arena.sum, 'sum at the end');
  await last.release();
  const stats = vm.stats();
  console.log(`${checked} snapshots checked, ${stats.copies} copies, ${String(rounds)} rounds`);
  assert.ok(checked > 3 && stats.copies > 500);
  assert.is(stats.snapshotsActive, 0);
  assert.is(stats.limboFrames, 0);
  await vm.close();
});

/** A snapshot, and what its words add up to. */
interface Branch {
  readonly snapshot: Snapshot;
  sum: number;
}

/** Scribbles on a random branch, or sums it. */
async function useBranch(branch: Branch, { words }: Arena, random: Random): Promise<void> {
  const { snapshot } = branch;
  if (random.chance(0.4)) {
    const turns = 1 + random.below(200);
    await snapshot.run('scribble', random.bits() | 1, words, turns);
    branch.sum = (branch.sum + turns) | 0;
  } else if (random.chance(0.2)) {
    assert.is(await snapshot.run('sum', words), branch.sum, 'sum by the guest');
  } else assert.is(sumOnHost(snapshot, words), branch.sum, 'sum read by the host');
}

hammer(
  'FORK-1: snapshots of snapshots, to any depth, have their sums while writers run',
  async () => {
    const random = Random.forTest('forks');
    const arena = await startWriters(WORDS, 64 * MIB, random);
    const { vm } = arena;
    const open: Branch[] = [];
    const end = Date.now() + SECONDS * 1000;
    let [forks, used, lost] = [0, 0, 0];
    while (Date.now() < end) {
      const branch = open.length > 0 ? random.pick(open) : undefined;
      try {
        if (branch === undefined || random.chance(0.05))
          open.push({ snapshot: vm.snapshot(), sum: arena.sum });
        else if (random.chance(0.7)) {
          const other = random.chance(0.5) ? vm.snapshot() : undefined; // writers fault again
          open.push({ snapshot: branch.snapshot.snapshot(), sum: branch.sum });
          await other?.release();
          forks += 1;
        } else await useBranch(branch, arena, random);
        used += 1;
      } catch (error) {
        if (!(error instanceof RingzeroError) || error.code !== 'RZ_SNAPSHOT_LOST') throw error;
        open.splice(open.indexOf(branch!), 1);
        await branch!.snapshot.release();
        lost += 1;
      }
      while (open.length > 12) {
        const [released] = open.splice(random.below(open.length), 1);
        await released!.snapshot.release();
      }
    }
    for (const { snapshot, sum } of open) {
      assert.is(sumOnHost(snapshot, WORDS), sum, 'sum at the end');
      await snapshot.release();
    }
    await arena.stop();
    const stats = vm.stats();
    console.log(`${forks} forks, ${used} steps, ${lost} lost, ${stats.copies} copies`);
    assert.ok(forks > 20 && stats.copies > 500);
    assert.is(stats.snapshotsActive, 0);
    assert.is(stats.limboFrames, 0);
    await vm.close();
  },
);

hammer(
  'SNAP-5: with few frames snapshots are lost, never wrong, and writers do not stop',
  async () => {
    const random = Random.forTest('exhaustion');
    const arena = await startWriters(2 * MIB, 16 * MIB, random);
    const { vm } = arena;
    const end = Date.now() + (SECONDS * 1000) / 2;
    let lost = 0;
    let right = 0;
    while (Date.now() < end) {
      const snapshots = [vm.snapshot(), vm.snapshot(), vm.snapshot()];
      for (const snapshot of snapshots) {
        // snapshots of any age
        await new Promise((resolve) => setTimeout(resolve, random.below(60)));
        try {
          assert.is(await snapshot.run('sum', arena.words), arena.sum);
          right += 1;
        } catch (error) {
          if (!(error instanceof RingzeroError) || error.code !== 'RZ_SNAPSHOT_LOST') throw error;
          lost += 1;
        }
        await snapshot.release();
      }
    }
    const rounds = (await arena.stop()) as number[];
    console.log(`${lost} lost, ${right} right, rounds ${rounds.join(' ')}`);
    assert.ok(lost > 0);
    for (const done of rounds) assert.ok(done > 0);
    assert.is(vm.stats().snapshotsActive, 0);
    await vm.close();
  },
);

hammer.run();
