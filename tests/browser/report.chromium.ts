// Goal: the page of the benches shows every plot and figure, whatever their texts are. Method: a report of made-up results, opened as a file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeReport } from '../../bench/html.ts';
import type { Plot } from '../../bench/plot.ts';
import type { Result } from '../../bench/report.ts';
import { launch } from './chromium.ts';

const HOSTILE = '</script><img src=x onerror=throw(1)> & "quoted"';

const bars: Plot = {
  title: 'words make bars',
  values: 'things a second',
  points: ['one', HOSTILE].flatMap((group) => [
    { group, series: 'ours', samples: [3, 1, 2] },
    { group, series: 'theirs', samples: [4] },
  ]),
};
const lines: Plot = {
  title: HOSTILE,
  values: 'microseconds',
  groups: 'GiB',
  isLog: true,
  points: [0.25, 1, 3].map((group) => ({ group, series: 'ours', samples: [group, 2 * group] })),
  paper: 'what they saw',
};

function result(name: string, plots: readonly Plot[]): Result {
  const rows = [{ figure: `figure of ${name}`, value: '7 us', ratio: '2x', goal: HOSTILE }];
  return { name, date: 0, isSmoke: true, machine: { cores: 2 }, versions: { node: '1' }, rows, plots, data: {} }; // prettier-ignore
}

const test = suite('the report in Chromium');

test('every plot and every figure, with texts as they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-report-'));
  for (const [name, plots] of [
    ['first', [bars, lines]],
    ['second', []],
  ] as const)
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(result(name, plots)));
  writeFileSync(join(folder, 'older.json'), '{"name": "a result without plots"}');
  const browser = await launch();
  const said: string[] = [];
  const page = await browser.open(`file://${await writeReport(folder)}`, (text) => said.push(text));
  assert.equal(said, []);
  assert.is(await page.locator('section').count(), 2);
  assert.is(await page.locator('section > figure').count(), 2);
  assert.is(await page.locator('#first [aria-label="bar"] rect').count(), 4);
  assert.is(await page.locator('#first [aria-label="line"] path').count(), 1);
  assert.is(await page.locator('img').count(), 0);
  assert.match(await page.locator('section > figure > figcaption').innerText(), 'what they saw');
  assert.equal(await page.locator('#second td').allInnerTexts(), ['figure of second', '7 us', '2x', HOSTILE]); // prettier-ignore
  assert.is(await page.locator('#first h3').last().innerText(), HOSTILE);
  await browser.close();
  rmSync(folder, { recursive: true });
});

test.run();
