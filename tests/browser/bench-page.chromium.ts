// Goal: each experiment of the bench page runs, shows what it measures, and can be stopped. Method:
// its buttons, pressed.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPage } from '../../bench/browser-page.ts';
import { launch, type Browser } from './chromium.ts';
import { serve, type Site } from './server.ts';

interface Saved {
  forks: {
    mib: number;
    part: number;
    samples: { medianUs: number }[];
    forks: { sum: number; copies: number }[];
    copierSamples: unknown[];
    copies: unknown[];
  };
  pool: { design: string; samples: { rate: number; faults: number; evictions: number }[] }[];
  stores: {
    keys: number;
    plots: { title: string; points: { series: string; samples: number[] }[] }[];
  };
}

const root = mkdtempSync(join(tmpdir(), 'ringzero-bench-page-'));
let browser: Browser | undefined;
let site: Site | undefined;
let page: Page | undefined;
const said: string[] = [];

const test = suite('the bench page in Chromium');
test.before(async () => {
  await buildPage(root);
  [browser, site] = await Promise.all([launch(), serve({ isolated: true, root })]);
  page = await browser.open(`${site.origin}/index.html`, (text) => said.push(text));
});
test.after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(root, { recursive: true });
});

const shows = (selector: string, pattern: RegExp): Promise<unknown> =>
  page!.locator(selector).filter({ hasText: pattern }).waitFor();
const press = (selector: string): Promise<void> => page!.locator(selector).click();

async function saved(): Promise<Saved> {
  const [download] = await Promise.all([page!.waitForEvent('download'), press('#save')]);
  return JSON.parse(readFileSync(await download.path(), 'utf8')) as Saved;
}

test('the page starts by forking a program that writes: each fork is one moment of it', async () => {
  await shows('#forks .proof', /^Fork \d+: .* words to 0 in /);
  const forks = page!.locator('#forks .proof').filter({ hasText: /^Fork/ });
  const before = Number(/\d+/.exec(await forks.innerText()));
  await press('#forks [name=fork]');
  await shows('#forks .proof', new RegExp(`^Fork (?!${before}:)\\d+: .* words to 0 in `));
  await shows('#forks .ratio strong', /\d× shorter$/);
  await press('#forks [name=run]');
  await shows('#forks [name=run]', /Run again/);
  assert.is(await page!.locator('#forks .detail svg [data-part="line"] path').count(), 1);
  assert.is(await page!.locator('#forks .lanes path.writes').count(), 2);
  const { forks: run } = await saved();
  assert.ok(run.forks.length >= 2 && run.copies.length >= 2);
  assert.ok(
    run.forks.every(({ sum, copies }) => sum === 0 && copies > 0),
    'pages were copied',
  );
  assert.ok(run.samples.length > 1 && run.copierSamples.length > 1);
});

test('a program of another size is forked after it', async () => {
  await page!.locator('#forks [name=mib]').selectOption('256');
  await page!.locator('#forks [name=part]').selectOption('1');
  await press('#forks [name=run]');
  await shows('#forks .proof', /^Fork \d+: .* words to 0 in /);
  await press('#forks [name=run]');
  await shows('#forks [name=run]', /Run again/);
  const { forks } = await saved();
  assert.equal([forks.mib, forks.part], [256, 1]);
  assert.ok(forks.forks[0]!.copies > 1024, 'more pages than a sixteenth of 64 MiB has');
});

/** Cells of a canvas that are not of one of these colours. */
const cellsBut = (id: string, colours: number[]): Promise<number> =>
  page!.evaluate(
    ([canvas, but]) => {
      const found = document.querySelector<HTMLCanvasElement>(canvas)!;
      const { data } = found.getContext('2d')!.getImageData(0, 0, found.width, found.height);
      return new Uint32Array(data.buffer).filter((colour) => !but.includes(colour)).length;
    },
    [`#${id}`, colours] as const,
  );

test('a pool smaller than its data faults and evicts, in every design, and its maps show it', async () => {
  await page!.locator('#pool [name=poolMib]').selectOption('4');
  await page!.locator('#pool [name=dataMib]').selectOption('8');
  const designs = ['ycsb.wasm', 'ycsb-eager.wasm', 'ycsb-hash.wasm', 'ycsb-swizzle.wasm'];
  for (const design of designs) {
    await page!.locator('#pool [name=design]').selectOption(design);
    await press('#pool [name=run]');
    await shows('#pool output', /operations\/s/);
    await press('#pool [name=run]');
    await shows('#pool [name=run]', /Run this design/);
    const [grey, black] = [0xff555555, 0xff000000];
    const resident = await cellsBut('pages', [grey, 0]);
    const held = await cellsBut('frames', [black, 0]);
    assert.ok(held > 256 && held <= 1024, `${design}: ${held} frames hold pages`);
    assert.ok(resident > 256 && resident <= 1024, `${design}: ${resident} pages are in memory`);
  }
  const { pool } = await saved();
  assert.equal(
    pool.map(({ design }) => design),
    designs,
  );
  assert.is(await page!.locator('#pool figure .legend').first().locator('span').count(), 4);
  for (const { samples } of pool)
    assert.ok(
      samples.some(({ rate, faults, evictions }) => rate > 0 && faults > 0 && evictions > 0),
    );
});

test('a pool that holds all of its data is refused', async () => {
  await page!.locator('#pool [name=poolMib]').selectOption('16');
  await shows('#pool output', /^A pool of 16 MiB holds all of 8 MiB/);
  await press('#pool [name=run]');
  assert.is(await page!.locator('#pool [name=run]').innerText(), 'Run this design');
});

test('the stores are compared', async () => {
  await page!.locator('#stores [name=keys]').selectOption('10000');
  await press('#stores [name=run]');
  await shows('#stores [name=run]', /Compare/);
  const { stores } = await saved();
  assert.is(stores.keys, 10_000);
  for (const { title, points } of stores.plots)
    assert.equal(
      points.map(({ series }) => series),
      ['ringzero', 'sqlite-wasm (OPFS)', 'IndexedDB'],
      title,
    );
  assert.is(await page!.locator('#stores figure svg').count(), stores.plots.length);
  assert.is(
    await page!.locator('#stores svg [data-part="bar"] rect').count(),
    3 * stores.plots.length,
  );
});

test('nothing went wrong on the way', async () => {
  assert.is(await page!.locator('#trouble').innerText(), '');
  assert.equal(
    said.filter((text) => !text.startsWith('Canvas2D')),
    [],
  ); // of the test's own look
});

test.run();
