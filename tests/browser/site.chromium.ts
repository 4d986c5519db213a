// Goal: each page of the site can be read on a phone, a tablet and a desktop, in light and in dark,
// by eye, keyboard and screen reader; the demo of the home page shows its figures, and the search
// finds. Method: axe-core, the width of what can be scrolled, and a visitor's keys.

import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildSite } from '../../scripts/site.ts';
import { launch, type Browser } from './chromium.ts';
import { serve, type Site } from './server.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Each width with a scheme is looked at by axe-core; all widths are in both schemes. */
const LOOKS = [
  { width: 360, height: 740, colorScheme: 'light' },
  { width: 768, height: 1024, colorScheme: 'dark' },
  { width: 1280, height: 800, colorScheme: 'light' },
  { width: 1280, height: 800, colorScheme: 'dark' },
] as const;

const root = mkdtempSync(join(tmpdir(), 'ringzero-site-'));
let browser: Browser | undefined;
let site: Site | undefined;
let plain: Site | undefined;

const test = suite('the site in Chromium');
test.before(async () => {
  await buildSite(root);
  browser = await launch();
  site = await serve({ isolated: true, root });
  plain = await serve({ isolated: false, root });
});
test.after(async () => {
  await browser?.close();
  await Promise.all([site?.close(), plain?.close()]);
  rmSync(root, { recursive: true });
});

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe-core objects to, also to targets that are too small and to what is only good practice. */
async function objections(page: Page, path: string): Promise<string[]> {
  // The tree of names that typedoc's own program builds has links in its controls.
  const rules = {
    'target-size': { enabled: true },
    'nested-interactive': { enabled: !path.startsWith('api/') },
  };
  const call = `axe.run({ rules: ${JSON.stringify(rules)} }).then(({ violations }) => violations)`;
  const violations = (await page.evaluate(call)) as Violation[];
  return violations.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 3)
      .map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/** What is wrong with a page, for each width and scheme. */
async function faults(path: string): Promise<string[]> {
  const found: string[] = [];
  const page = await browser!.open(`${site!.origin}/${path}`, (text) =>
    found.push(`says: ${text}`),
  );
  const has = (await page.evaluate(`({
    mode: document.compatMode,
    charset: document.characterSet,
    description: document.querySelector('meta[name=description]')?.content ?? '',
    title: document.title,
  })`)) as Record<'mode' | 'charset' | 'description' | 'title', string>;
  if (has.mode !== 'CSS1Compat' || has.charset !== 'UTF-8')
    found.push(`${has.mode}, ${has.charset}`);
  if (!/ringzero/.test(has.title)) found.push(`title '${has.title}'`);
  if (!path.startsWith('api/') && has.description.length < 20)
    found.push(`description '${has.description}'`);
  await page.evaluate(AXE);
  for (const { width, height, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'));
    if (scrolled > width) found.push(`${width}: ${scrolled} pixels wide`);
    for (const text of await objections(page, path))
      found.push(`${width}, ${colorScheme}: ${text}`);
  }
  await page.close();
  return found;
}

const pages = (): string[] =>
  (readdirSync(root, { recursive: true }) as string[]).filter(
    (file) => file.endsWith('.html') && !file.startsWith('api/'),
  );

test('no page scrolls sideways, says anything on the console, or has what axe-core objects to', async () => {
  const all = pages();
  assert.ok(all.length > 30, `${all.length} pages`);
  const wrong: string[] = [];
  for (const path of all) for (const text of await faults(path)) wrong.push(`${path}: ${text}`);
  assert.equal(wrong, []);
});

test('the API reference as well', async () => {
  const wrong: string[] = [];
  for (const path of ['api/index.html', 'api/classes/ringzero.MicroVM.html'])
    for (const text of await faults(path)) wrong.push(`${path}: ${text}`);
  assert.equal(wrong, []);
});

test('the home page forks a program by itself, and compares that with a copy', async () => {
  const page = await browser!.open(`${site!.origin}/`);
  await page
    .locator('.ratio strong')
    .filter({ hasText: /^(at least )?[\d,]+× shorter$/ })
    .waitFor();
  await page
    .locator('.proof')
    .filter({ hasText: /^Fork \d+: .* words to 0 in / })
    .waitFor();
  assert.match(await page.locator('.pauses .ours output').innerText(), /µs$/);
  assert.is(await page.locator('.note').innerText(), '');
  await page.locator('.demo [name=run]').click();
  await page.locator('.demo [name=run]').filter({ hasText: 'Run again' }).waitFor();
  await page.close();
});

test('without shared memory it shows a recorded run, and says so', async () => {
  const page = await browser!.open(`${plain!.origin}/`);
  await page
    .locator('.note')
    .filter({ hasText: /Cross-Origin-Opener-Policy.* This run was recorded in Chromium/ })
    .waitFor();
  await page
    .locator('.ratio strong')
    .filter({ hasText: /× shorter$/ })
    .waitFor();
  assert.is(await page.locator('#demo-title').innerText(), 'A recorded run');
  assert.ok(await page.locator('.demo [name=fork]').isDisabled());
  await page.close();
});

test('without shared memory the bench page says why, and its buttons are off', async () => {
  const page = await browser!.open(`${plain!.origin}/bench/`);
  assert.match(await page.locator('#trouble').innerText(), /Cross-Origin-Embedder-Policy/);
  for (const button of await page.locator('#pool button[name], #stores button[name]').all())
    assert.ok(await button.isDisabled());
  await page.close();
});

test('search by keyboard: a term is found, and Enter goes to its section', async () => {
  const page = await browser!.open(`${site!.origin}/documents.html`);
  await page.keyboard.press('/');
  await page.keyboard.type('BGSAVE');
  await page.locator('dialog li a').first().waitFor();
  assert.match(await page.locator('dialog [role=status]').innerText(), /\d+ results?$/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/[a-z-]+\.html/i);
  assert.match(await page.locator('main').innerText(), /BGSAVE/);
  await page.keyboard.press('/');
  await page.keyboard.type('xyzzyplugh');
  await page.locator('dialog [role=status]').filter({ hasText: '0 results' }).waitFor();
  await page.keyboard.press('Escape');
  assert.not.ok(await page.locator('dialog').isVisible());
  await page.close();
});

test('a document: its menu opens on a phone, its contents follow, its code can be copied', async () => {
  const page = await browser!.open(`${site!.origin}/level.html`);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.not.ok(await page.locator('#menu').isVisible());
  await page.locator('.menu-open').press('Enter');
  assert.ok(await page.locator('#menu').isVisible());
  assert.is(await page.locator('.menu-open').getAttribute('aria-expanded'), 'true');
  await page.keyboard.press('Escape');
  assert.not.ok(await page.locator('#menu').isVisible());
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.ok(await page.locator('#menu [aria-current=page]').isVisible());
  const last = page.locator('.contents a').last();
  await last.click();
  await page.locator('.contents [aria-current=location]').waitFor();
  const groups = await page.locator('#menu p').allTextContents();
  assert.equal(groups.slice(0, 4), ['Start', 'Guides', 'Reference', 'Internals']);
  assert.is(await page.locator('.steps a[rel=next]').count(), 1);
  const code = page.locator('.code').first();
  const text = await code.locator('pre').innerText();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await code.locator('button').press('Enter');
  await code.locator('button', { hasText: 'Copied' }).waitFor();
  assert.is(await page.evaluate('navigator.clipboard.readText()'), text);
  await page.close();
});

test.run();
