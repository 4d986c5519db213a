// A page written without a bundler: an import map, a worker, the folder dist/browser.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VECTOR_TIMER } from '../../assembly/abi/vector.ts';
import { launch, type Browser } from './chromium.ts';
import { serve, type Site } from './server.ts';

const test = suite('a static page');
const PAGE = '/tests/browser/page/static.html';
const WORKER = '/tests/browser/page/static-worker.js';
const GIB = 2 ** 30;

interface Answer {
  onPage: string;
  translated: boolean;
  inWorker: Record<string, unknown>;
}

let browser: Browser;
let isolated: Site;
let open: Site;
test.before(async () => {
  [browser, isolated, open] = await Promise.all([
    launch(),
    serve({ isolated: true }),
    serve({ isolated: false }),
  ]);
});
test.after(async () => {
  await browser.close();
  await Promise.all([isolated.close(), open.close()]);
});

async function answerOf(site: Site): Promise<Answer> {
  const page = await browser.open(site.origin + PAGE);
  try {
    return (await page.evaluate(`run('${WORKER}')`)) as Answer;
  } finally {
    await page.close();
  }
}

test('runs a guest, a snapshot of it, a timer and a store in a worker; its main thread is refused', async () => {
  const { onPage, translated, inWorker } = await answerOf(isolated);
  assert.match(onPage, /^RZ_MAIN_THREAD: .*worker/);
  assert.ok(translated, 'translating needs no guest to run');
  assert.equal(inWorker, {
    before: 2,
    now: 3,
    bytes: 4 * GIB,
    trace: 'RZ_HOST',
    interrupts: [VECTOR_TIMER],
    person: { born: 1815 },
  });
});

test('one without isolation is told which headers it lacks', async () => {
  const { onPage, inWorker } = await answerOf(open);
  for (const message of [onPage, inWorker['failure'] as string]) {
    assert.match(message, /^RZ_HOST: /);
    assert.match(message, /Cross-Origin-Opener-Policy: same-origin/);
    assert.match(message, /Cross-Origin-Embedder-Policy: require-corp/);
  }
});

test.run();
