// A project of a reader of the documents: a directory that finds ringzero as an installed package, and what
// the documents say to put there.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export function project(): { directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-guest-'));
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}

/** What `npm install` would have put there. */
export function install(directory: string): void {
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(ROOT, join(directory, 'node_modules/ringzero'));
  symlinkSync(
    join(ROOT, 'node_modules/assemblyscript'),
    join(directory, 'node_modules/assemblyscript'),
  );
}

/** The code of one language in a document, in order. */
export function blocks(document: string, language: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1]!,
  );
}
