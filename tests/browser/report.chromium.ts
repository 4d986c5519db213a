// Goal: the page of the benches shows every plot and figure, whatever their texts are. Method: a
// report of made-up results, opened as a file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeReport } from '../../bench/html.ts';
import type { Plot } from '../../bench/plot.ts';
import { atMost, type Result, type Row } from '../../bench/report.ts';
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
  return {
    name,
    date: 0,
    isSmoke: true,
    machine: { cores: 2 },
    versions: { node: '1' },
    rows,
    plots,
    data: {},
  };
}

const test = suite('the report in Chromium');

/** The report of these results, opened; `look` sees the page, and nothing is said on the console. */
async function opened(
  results: readonly object[],
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-report-'));
  for (const [i, result] of results.entries())
    writeFileSync(join(folder, `${i}.json`), JSON.stringify(result));
  const browser = await launch();
  const said: string[] = [];
  try {
    const page = await browser.open(`file://${await writeReport(folder)}`, (text) =>
      said.push(text),
    );
    await look(page);
    assert.equal(said, []);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

test('every plot and every figure, with texts as they are', async () => {
  const older = { name: 'a result without plots' };
  await opened([result('first', [bars, lines]), result('second', []), older], async (page) => {
    assert.is(await page.locator('section').count(), 2);
    assert.is(await page.locator('section > figure').count(), 2);
    assert.is(await page.locator('#first [data-part="bar"] rect').count(), 4);
    assert.is(await page.locator('#first [data-part="line"] path').count(), 1);
    assert.is(await page.locator('img').count(), 0);
    assert.match(await page.locator('section > figure > figcaption').innerText(), 'what they saw');
    assert.equal(await page.locator('#second td').allInnerTexts(), [
      'figure of second',
      '7 us',
      '2x',
      HOSTILE,
    ]);
    assert.is(await page.locator('#first h3').last().innerText(), HOSTILE);
    assert.match(await page.locator('.quick').innerText(), /^A quick run/);
    assert.equal(await page.locator('figure > .axis').allInnerTexts(), [
      'Things a second; higher is better',
      'Microseconds; lower is better',
    ]);
  });
});

test('the summary has each goal, met or missed, and benches have their groups', async () => {
  const row = (figure: string, is: number): Row => ({
    figure,
    value: `${is} µs`,
    ...atMost(is, 2, ' µs'),
  });
  const rows = [row('fast', 1), row('slow', 3), { figure: 'free', value: '4 µs' }];
  const full = { ...result('snapshot', []), isSmoke: false, rows };
  await opened([result('zzz', []), full], async (page) => {
    assert.is(await page.locator('.score').innerText(), '1 of 2 goals are met.');
    const summary = page.locator('main > .scroll tbody tr');
    assert.equal(await summary.nth(1).locator('td').allInnerTexts(), [
      '✓ met',
      'fast',
      '1 µs',
      'at most 2 µs',
      '',
    ]);
    assert.equal(await summary.nth(2).locator('td').allInnerTexts(), [
      '✗ missed',
      'slow',
      '3 µs',
      'at most 2 µs',
      '',
    ]);
    assert.is(await summary.count(), 3);
    assert.equal(await page.locator('.group').allTextContents(), ['Snapshots and forks', 'Others']);
    assert.equal(await page.locator('section').evaluateAll((all) => all.map(({ id }) => id)), [
      'snapshot',
      'zzz',
    ]);
  });
});

test.run();
