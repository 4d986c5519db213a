// Goal: each experiment of the bench page runs, shows what it measures, and can be stopped. Method: its buttons, pressed.

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
    samples: { medianUs: number }[];
    forks: { sum: number; takenUs: number; copies: number }[];
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

test('a fork of a program that writes is one moment of it', async () => {
  await page!.locator('#forks [name=mib]').selectOption('64');
  await press('#forks [name=run]');
  await press('#forks [name=fork]');
  await shows('#forks output', /^Fork 1: .* to 0;/);
  await press('#forks [name=fork]');
  await shows('#forks output', /^Fork 2: .* to 0;/);
  await press('#forks [name=run]');
  await shows('#forks [name=run]', /Start/);
  assert.is(await page!.locator('#forks figure svg [aria-label="line"] path').count(), 1);
  const { forks } = await saved();
  assert.is(forks.forks.length, 2);
  assert.ok(
    forks.forks.every(({ copies }) => copies > 0),
    'pages were copied',
  );
  assert.ok(forks.samples.length > 1);
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
    await shows('#pool [name=run]', /Start/);
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
  for (const { samples } of pool)
    assert.ok(samples.some(({ rate, faults, evictions }) => rate > 0 && faults > 0 && evictions > 0)); // prettier-ignore
});

test('the stores are compared', async () => {
  await page!.locator('#stores [name=keys]').selectOption('10000');
  await press('#stores [name=run]');
  await shows('#stores [name=run]', /Start/);
  const { stores } = await saved();
  assert.is(stores.keys, 10_000);
  for (const { title, points } of stores.plots)
    assert.equal(points.map(({ series }) => series), ['ringzero', 'sqlite-wasm (OPFS)', 'IndexedDB'], title); // prettier-ignore
  assert.is(
    await page!.locator('#stores figure svg [aria-label="x-axis tick"]').count(),
    stores.plots.length,
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
