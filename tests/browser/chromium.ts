// Debian's Chromium, headless, with a profile that is thrown away: an ordinary one, as files in a private one
// are slow.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** No test waits longer for a page. */
const PATIENCE_MS = 120_000;
const PROGRAM = process.env['RZ_CHROMIUM'] ?? '/usr/bin/chromium';

export interface Browser {
  /** A page, with what it and its workers say on the console going to `says`. */
  open(url: string, says?: (text: string) => void): Promise<Page>;
  close(): Promise<void>;
}

export async function launch(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'ringzero-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: PROGRAM,
    headless: true,
    args: ['--no-sandbox'], // it refuses to run as root with one
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    open: async (url, says) => {
      const page = await context.newPage();
      page.on('console', (message) => says?.(message.text()));
      page.on('pageerror', (error) => says?.(`uncaught: ${error.message}`));
      await page.goto(url);
      return page;
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
