// Records the demo of the home page, for browsers that cannot run it: bench/browser/recording.json.
// On a quiet machine with four cores or more, or the programs take turns on a core.
//
//   node dist/bench/browser-record.js

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../tests/browser/chromium.ts';
import { serve } from '../tests/browser/server.ts';
import { buildPage } from './browser-page.ts';
import type { Lane, Recording } from './browser/fork-feed.ts';
import type { ForkEvent, WriterSample } from './browser/writers.ts';

const WARM_MS = 6500;
const LENGTH_MS = 8000;
const OUT = fileURLToPath(new URL('../../bench/browser/recording.json', import.meta.url));

interface Saved {
  forks: Record<'samples' | 'copierSamples', WriterSample[]> &
    Record<'forks' | 'copies', ForkEvent[]> & { mib: number; part: number };
}

/** Times since the start of the recording, in tenths of milliseconds. */
function since<T extends WriterSample | ForkEvent>(start: number, event: T): T {
  const times = ['fromMs', 'atMs', 'beganMs', 'endedMs'];
  const entries = Object.entries(event).map(([name, value]: [string, number]) => {
    const digits = times.includes(name) ? 1 : name === 'pausedMs' ? 4 : 0;
    return [name, Number((times.includes(name) ? value - start : value).toFixed(digits))];
  });
  return Object.fromEntries(entries) as T;
}

const root = mkdtempSync(join(tmpdir(), 'ringzero-record-'));
await buildPage(root);
const [browser, site] = await Promise.all([launch(), serve({ isolated: true, root })]);
const page = await browser.open(`${site.origin}/index.html`);
await page.waitForTimeout(WARM_MS + LENGTH_MS);
await page.locator('#forks [name=run]').click();
await page.locator('#forks [name=run]', { hasText: 'Run again' }).waitFor();
await page.waitForTimeout(500);
const [download] = await Promise.all([
  page.waitForEvent('download'),
  page.locator('#save').click(),
]);
const { forks } = JSON.parse(readFileSync(await download.path(), 'utf8')) as Saved;
const version = /Chrome\/(\d+)/.exec(await page.evaluate('navigator.userAgent'))?.[1];
await browser.close();
await site.close();
rmSync(root, { recursive: true });

const start = forks.samples.at(-1)!.atMs - LENGTH_MS;
const cut = <T extends WriterSample | ForkEvent>(
  events: readonly T[],
  at: (event: T) => number,
): T[] => events.filter((event) => at(event) > start).map((event) => since(start, event));
const both = <T>(ours: T, theirs: T): Record<Lane, T> => ({ ours, theirs });
const recording: Recording = {
  where: `Chromium ${version} on ${cpus().length} cores of an ${cpus()[0]!.model.trim()}`,
  mib: forks.mib,
  part: forks.part,
  samples: both(
    cut(forks.samples, ({ fromMs }) => fromMs),
    cut(forks.copierSamples, ({ fromMs }) => fromMs),
  ),
  forks: both(
    cut(forks.forks, ({ beganMs }) => beganMs),
    cut(forks.copies, ({ beganMs }) => beganMs),
  ),
};
writeFileSync(OUT, `${JSON.stringify(recording)}\n`);
console.log(`${OUT}: ${recording.forks.ours.length} forks`);
