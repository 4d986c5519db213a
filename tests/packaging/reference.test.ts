// The documents are complete: what they list is what the sources have.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from '../examples/project.ts';

const test = suite('documents are complete');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const DOCUMENTS = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));

test('docs/errors.md has a row for each code of host/errors.ts', () => {
  const codes = [...read('host/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(
    ([, code]) => code!,
  );
  assert.ok(codes.length > 25, `${codes.length} codes`);
  const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (.+?) \|/gm)];
  const listed = rows.map(([, code]) => code!);
  assert.equal(new Set(listed).size, listed.length, 'each once');
  for (const code of codes) assert.ok(listed.includes(code), code);
  for (const code of listed.filter((name) => name.startsWith('RZ_')))
    assert.ok(codes.includes(code), code);
});

test('docs/README.md lists every document once', () => {
  const links = [...read('docs/README.md').matchAll(/\]\(([a-z-]+\.md)\)/g)].map(
    ([, file]) => file!,
  );
  const others = DOCUMENTS.filter((file) => file !== 'README.md');
  assert.equal(links.sort(), others.sort());
});

test('microseconds are written µs', () => {
  for (const file of ['README.md', 'CHANGELOG.md', ...DOCUMENTS.map((name) => `docs/${name}`)]) {
    const prose = read(file).replace(/^```[^]*?^```$/gm, '');
    assert.equal(/\d us\b/.exec(prose)?.[0], undefined, file);
  }
});

test.run();
