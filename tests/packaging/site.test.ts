// The site: every link in it that stays in it leads to a page, and to the place in the page that it names.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Site } from '../../scripts/site/page.ts';
import { slug } from '../../scripts/site/text.ts';
import { buildSite } from '../../scripts/site.ts';

const root = await buildSite(mkdtempSync(join(tmpdir(), 'ringzero-site-')));
const tests = suite('the site');

const pages = (readdirSync(root, { recursive: true }) as string[]).filter((file) =>
  file.endsWith('.html'),
);
const texts = new Map<string, string>();
const textOf = (file: string): string => {
  const text = texts.get(file) ?? readFileSync(file, 'utf8');
  texts.set(file, text);
  return text;
};

/** What of a page's references leads nowhere. */
function broken(page: string): string[] {
  const file = join(root, page);
  // Pages of typedoc have programs in them.
  const markup = textOf(file).replace(/<script>[^]*?<\/script>/g, '');
  const links = [...markup.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^(https?|data|mailto|javascript):/.test(link)) return false;
    const [path, anchor] = link.split('#') as [string, string?];
    const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path));
    if (!target.startsWith(root) || !statSync(target, { throwIfNoEntry: false })?.isFile())
      return true;
    return anchor !== undefined && anchor !== '' && !textOf(target).includes(`id="${anchor}"`);
  });
}

tests('every link leads somewhere', () => {
  assert.ok(pages.length > 40, `${pages.length} pages`);
  for (const page of pages) assert.equal(broken(page), [], page);
});

tests('it has a page for each document, the classes, and the bench', () => {
  const documents = readdirSync('docs').filter((file) => file.endsWith('.md'));
  for (const file of documents)
    assert.ok(pages.includes(file.replace('README', 'documents').replace('.md', '.html')), file);
  for (const page of [
    'index.html',
    'overview.html',
    'CHANGELOG.html',
    'examples/pager.html',
    'api/classes/ringzero.MicroVM.html',
    'api/classes/ringzero_level.RingzeroLevel.html',
    'bench/index.html',
  ])
    assert.ok(pages.includes(page), page);
});

tests('a link to no document is refused, and one to a heading keeps it', () => {
  const page = (file: string, markdown: string): ConstructorParameters<typeof Site>[0][number] => ({
    file,
    page: file.replace(/^docs\//, '').replace('.md', '.html'),
    title: file,
    markdown,
  });
  const there = page('docs/there.md', '# A `heading`, here\n');
  const right = page('right.md', '[there](docs/there.md#a-heading-here), <a> & "b"\n');
  const wrong = page('docs/wrong.md', '[nowhere](../host/index.ts)\n');
  const site = new Site([there, right, wrong]);
  assert.match(site.render(right).html, 'href="there.html#a-heading-here"');
  assert.match(site.render(there).html, `id="${slug('A `heading`, here')}"`);
  assert.throws(() => site.render(wrong), /docs\/wrong\.md: nothing in the site is \.\.\/host/);
});

tests.after(() => rmSync(root, { recursive: true }));
tests.run();
