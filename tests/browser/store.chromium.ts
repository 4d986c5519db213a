// Goal: the store keeps what it is given in a browser's files, and says what it finds there. Method: workers
// of real tabs, told what to do.

import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launch, type Browser } from './chromium.ts';
import { serve, type Site } from './server.ts';

const test = suite('the store in Chromium');
const MIB = 2 ** 20;
const KEYS = 30_000;

interface Failed {
  failed: string;
  message: string;
}

let browser: Browser | undefined;
let site: Site | undefined;
test.before(async () => {
  [browser, site] = await Promise.all([launch(), serve({ isolated: true })]);
});
test.after(async () => {
  await browser?.close();
  await site?.close();
});

const tab = (): Promise<Page> => browser!.open(`${site!.origin}/tests/browser/page/store.html`);

function ask<T = unknown>(page: Page, ...request: unknown[]): Promise<T> {
  return page.evaluate(`ask(${request.map((part) => JSON.stringify(part)).join()})`) as Promise<T>;
}

async function fails(asked: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const answer = ((await asked) ?? {}) as Partial<Failed>;
  assert.is(answer.failed, code, JSON.stringify(answer));
  assert.match(answer.message!, message);
}

/** Runs `body` with as many tabs as it takes, which are closed afterwards. */
async function withTabs(count: number, body: (...tabs: Page[]) => Promise<void>): Promise<void> {
  const tabs: Page[] = [];
  for (let i = 0; i < count; i++) tabs.push(await tab());
  try {
    await body(...tabs);
  } finally {
    for (const page of tabs) await page.close();
  }
}

test('keeps several times what its pool holds, and has it after it was closed', () =>
  withTabs(1, async (page) => {
    await ask(page, 'a', 'open', 'large');
    const stats = await ask<Record<string, number>>(page, 'a', 'fill', 0, KEYS);
    assert.is(stats['entries'], KEYS);
    assert.ok(stats['evictions']! > stats['poolPages']!, 'pages have left the pool');
    assert.is(await ask(page, 'a', 'wrong', 0, KEYS), 0);
    await ask(page, 'a', 'close');
    assert.is(await ask(page, 'b', 'open', 'large'), KEYS, 'another worker finds them');
    assert.is(await ask(page, 'b', 'wrong', 0, KEYS), 0);
    assert.is(await ask(page, 'b', 'verify'), true);
    await ask(page, 'b', 'close');
    await ask(page, 'b', 'destroy', 'large');
    await fails(
      ask(page, 'b', 'open', 'large', { createIfMissing: false }),
      'LEVEL_DATABASE_NOT_OPEN',
      /does not exist/,
    );
  }));

test('text of every kind, bytes, JSON and long values come back as they were', () =>
  withTabs(1, async (page) => {
    await ask(page, 'a', 'open', 'kinds/of/values');
    assert.equal(await ask(page, 'a', 'kinds'), {
      text: true,
      keys: 'buffer,bytes',
      bytes: true,
      short: '0,31,62,93,124,155,186,217,248,23',
    });
    await ask(page, 'a', 'close');
  }));

test('OPFS-1: another worker uses the open store by its handle', () =>
  withTabs(1, async (page) => {
    await ask(page, 'a', 'open', 'shared');
    await ask(page, 'a', 'fill', 0, 1000);
    assert.equal(await ask(page, 'a', 'inThread'), { there: true, here: 'hello' });
    await ask(page, 'a', 'close');
  }));

test('LOCK-6: a second tab, or a second worker, is told that the store is in use', () =>
  withTabs(2, async (one, two) => {
    await ask(one, 'a', 'open', 'locked');
    await ask(one, 'a', 'fill', 0, 100);
    await fails(ask(one, 'b', 'open', 'locked'), 'LEVEL_LOCKED', /another tab or worker/);
    await fails(ask(two, 'a', 'open', 'locked'), 'LEVEL_LOCKED', /another tab or worker/);
    await fails(ask(two, 'a', 'destroy', 'locked'), 'LEVEL_LOCKED', /another tab or worker/);
    await ask(one, 'a', 'close');
    assert.is(await ask(two, 'a', 'open', 'locked'), 100);
    await ask(two, 'a', 'close');
  }));

for (const [what, end] of [
  ['worker', (page: Page): Promise<unknown> => page.evaluate(`kill('a')`)],
  ['tab', (page: Page): Promise<unknown> => page.close()],
] as const) {
  test(`a ${what} killed while it writes leaves no lock, and the next open says that the store was not closed`, () =>
    withTabs(2, async (one, two) => {
      const location = `killed ${what}`;
      await ask(one, 'a', 'open', location, { durable: false });
      await one.evaluate(`start('a', 'endless')`);
      // it writes all the while
      await new Promise((resolve) => setTimeout(resolve, 300));
      await end(one);
      let answer: Failed | undefined;
      for (let i = 0; i < 50 && (i === 0 || answer?.failed === 'LEVEL_LOCKED'); i++) {
        await new Promise((resolve) => setTimeout(resolve, 100)); // the browser ends threads in its own time
        answer = await ask<Failed>(two, 'b', 'open', location);
      }
      assert.is(answer?.failed, 'RZ_NOT_CLEAN', JSON.stringify(answer));
      assert.match(answer!.message, /was not closed.*durable.*destroy/);
      await ask(two, 'b', 'destroy', location);
      assert.is(await ask(two, 'b', 'open', location), 0, 'and it can be made again');
      await ask(two, 'b', 'close');
    }));

  test(`a ${what} killed while it writes to a durable store: what was synced is there`, () =>
    withTabs(2, async (one, two) => {
      const location = `durable ${what}`;
      await two.evaluate(
        `new BroadcastChannel('durable').onmessage = ({ data }) => (window.durable = data)`,
      );
      await ask(one, 'a', 'open', location, { durable: true });
      await one.evaluate(`start('a', 'grow')`);
      await two.waitForFunction('window.durable > 1000', undefined, { polling: 50 });
      await end(one);
      let entries: number | Failed = 0;
      for (let i = 0; i < 50 && (i === 0 || (entries as Failed).failed === 'LEVEL_LOCKED'); i++) {
        // the browser ends threads in its own time
        await new Promise((resolve) => setTimeout(resolve, 100));
        entries = await ask(two, 'b', 'open', location, { durable: true });
      }
      const durable = (await two.evaluate('window.durable')) as number;
      assert.ok(durable > 0);
      assert.ok(
        [durable, durable + 100].includes(entries as number),
        `${JSON.stringify(entries)} after ${durable}`,
      );
      assert.is(await ask(two, 'b', 'wrong', 0, entries), 0);
      assert.is(await ask(two, 'b', 'verify'), true);
      await ask(two, 'b', 'close');
      await ask(two, 'b', 'destroy', location);
    }));
}

test('a full quota fails the operation that met it; with room again the store goes on', () =>
  withTabs(1, async (page) => {
    await ask(page, 'a', 'open', 'full');
    await ask(page, 'a', 'fill', 0, 10_000);
    const session = await page.context().newCDPSession(page);
    const { origin } = site!;
    const usage = (await session.send('Storage.getUsageAndQuota', { origin })).usage;
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + MIB });
    await fails(ask(page, 'a', 'fill', 10_000, 60_000), 'LEVEL_IO_ERROR', /ENOSPC/);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    assert.is(await ask(page, 'a', 'wrong', 0, 10_000), 0);
    await ask(page, 'a', 'fill', 10_000, 60_000);
    await ask(page, 'a', 'close');
    assert.is(await ask(page, 'b', 'open', 'full'), 60_000);
    assert.is(await ask(page, 'b', 'wrong', 0, 60_000), 0);
    await ask(page, 'b', 'close');
  }));

test.run();
