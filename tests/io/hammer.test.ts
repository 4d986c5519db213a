// Two vCPUs and one service under faults of every kind. RZ_SEED repeats a run, RZ_HAMMER_SECONDS makes it
// longer.
// Invariants: RING-1, RING-3, RING-4, RING-5.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Faults } from '../../host/index.ts';
import { runThread } from '../thread.ts';
import { createRings } from './machine.ts';
import { runStress } from './stress.ts';

const SEED = Number(process.env['RZ_SEED'] ?? (Date.now() % 100_000) + 1);
const MS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 4) * 250;

const hammer = suite('rings under faults');

for (const [name, rates] of [
  ['none', {}],
  ['late and reordered', { delay: 0.3, delayMs: 3 }],
  ['errors', { error: 0.05, full: 0.05, short: 0.1 }],
  ['everything', { error: 0.02, full: 0.02, short: 0.05, delay: 0.1, delayMs: 2 }],
] as const) {
  hammer(`faults: ${name} (seed ${SEED})`, async () => {
    const faults = new Faults({ seed: SEED });
    const at = await createRings({ faults });
    faults.set(rates);
    const file = at.call('ringFile', at.open('blocks'));
    const common = { file, count: 32, ms: MS };
    const other = runThread(new URL('./stress-thread.js', import.meta.url), {
      handle: at.vm.handle,
      buffers: at.buffers,
      stress: { ...common, seed: SEED + 1, first: 32 },
    });
    await new Promise((resolve) => setTimeout(resolve, 100)); // its thread starts
    const ours = runStress(at, { ...common, seed: SEED, first: 0 });
    const theirs = (await other) as [number, number];
    const failed = ours[1] + theirs[1];
    assert.ok(ours[0] > 100 && theirs[0] > 100, `${ours} ${theirs}`);
    assert.is(failed > 0, 'error' in rates, `${failed} failed`);
    await at.close();
  });
}

hammer.run();
