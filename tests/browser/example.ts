// The example page (examples/browser), from whatever folder a bundler has made of it.

import { join } from 'node:path';
import { launch } from './chromium.ts';
import { ROOT, serve } from './server.ts';

export const EXAMPLE = join(ROOT, 'examples/browser');

/** What the page of a folder says in the end. */
export async function answerOf(root: string): Promise<unknown> {
  const [browser, site] = await Promise.all([launch(), serve({ isolated: true, root })]);
  try {
    const page = await browser.open(`${site.origin}/index.html`);
    return await page.evaluate('answer');
  } finally {
    await browser.close();
    await site.close();
  }
}

export const EXPECTED = { ada: { born: 1815 }, fork: { there: 7, here: 8 } };
