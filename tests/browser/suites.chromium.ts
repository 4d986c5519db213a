// Test files that are not about Node, in a browser's worker: each is one test here, with as many in it as the
// file has.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle } from './bundle.ts';
import { launch, type Browser } from './chromium.ts';
import { serve, type Site } from './server.ts';

const test = suite('test files in Chromium');
const PAGE = '/tests/browser/page/empty.html';
const DEADLINE_MS = 120_000;

const FILES = [
  'tests/browser/text.test.js',
  'tests/translator/access.test.js',
  'tests/translator/differential.test.js',
  'tests/translator/image.test.js',
  'tests/translator/refusal.test.js',
  'tests/translator/snapshot.test.js',
  'tests/translator/sqljs.test.js',
  'tests/snappy/protocol.test.js',
  'tests/snappy/hammer.test.js',
  'tests/scheduler/timer.test.js',
  'tests/io/hammer.test.js',
  'tests/io/rings.test.js',
  'tests/level/ranges.test.js',
  'tests/vm/drive.test.js',
  'tests/vm/linked.test.js',
  'tests/vm/micro-vm.test.js',
  'tests/vm/program.test.js',
  'tests/vm/sqljs.test.js',
  'tests/vm/state.test.js',
];

let browser: Browser | undefined;
let site: Site | undefined;
let urls: string[];
test.before(async () => {
  urls = await bundle(FILES);
  [browser, site] = await Promise.all([launch(), serve({ isolated: true })]);
});
test.after(async () => {
  await browser?.close();
  await site?.close();
});

/** What uvu prints when the file is run in a worker, to its end. */
async function outputOf(url: string): Promise<string> {
  let output = '';
  let finish: (() => void) | undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const page = await browser!.open(site!.origin + PAGE, (text) => {
    output += `${text}\n`;
    if (/Duration:|uncaught:/.test(text)) finish!();
  });
  // a deadline
  const timer = setTimeout(() => finish!(), DEADLINE_MS);
  await page.evaluate((file) => {
    const worker = new Worker(file, { type: 'module' });
    worker.onerror = ({ message }) => console.log(`uncaught: ${message} in ${file}`);
  }, url);
  await finished;
  clearTimeout(timer);
  await page.close();
  return output;
}

const wanted = process.env['RZ_BROWSER_FILES'] ?? '';

for (const [index, file] of FILES.entries()) {
  if (!file.includes(wanted)) continue;
  test(file, async () => {
    const output = await outputOf(urls[index]!);
    const [total, passed] = ['Total', 'Passed'].map((what) =>
      Number(new RegExp(`${what}: +(\\d+)`).exec(output)?.[1] ?? -1),
    );
    assert.ok(total! > 0 && passed === total, `${passed} of ${total} passed\n${output}`);
  });
}

test.run();
