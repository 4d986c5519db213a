// Code of the documents, run as a reader would: in a project that has ringzero as an installed package.

import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { blocks, ROOT } from './project.ts';

/** The block of a document that contains this text. */
export function block(document: string, language: string, text: string): string {
  const found = blocks(document, language).filter((code) => code.includes(text));
  assert.is(found.length, 1, `${document}: ${text}`);
  return found[0]!;
}

/** Another package of the repository, installed. */
export function lend(directory: string, name: string): void {
  symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
}

/**
 * Runs the code in the project and returns what it printed. A statement whose comment begins with a value
 * must have that value:
 * `exports.get(1); // 200`.
 */
export function runCode(directory: string, code: string): string {
  let values = 0;
  const checked = code.replace(
    /^([^=\n]+); \/\/ (\d+|\{.*\}|\[.*\])(?=,|$)/gm,
    (_, expression, value) => {
      values += 1;
      return `deepEqual(${expression}, ${value}); //`;
    },
  );
  const commented = code.match(/; \/\/ [\d{[]/g)?.length ?? 0;
  assert.is(values, commented, 'every value in a comment is compared');
  const main = `import { deepEqual } from 'node:assert/strict';\n${checked}`;
  writeFileSync(join(directory, 'main.mjs'), main);
  const env = { ...process.env, FORCE_COLOR: '0' };
  const options = { cwd: directory, encoding: 'utf8', timeout: 60_000, env } as const;
  return execFileSync(process.execPath, ['main.mjs'], options);
}
