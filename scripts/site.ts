// The documents as a site: dist/site, a folder for any static server. One that sends the two
// headers of docs/browser.md can run its demo and its bench page.
//
//   npm run site [-- --port 8080]      builds it, and serves it here if there is a port
//
//   index.html          the home page      overview.html   README.md
//   *.html              docs/*.md, CONTRIBUTING.md, CHANGELOG.md
//   examples/*.html     each example: its README, if it has one, and its files
//   api/                what typedoc says of the package's entries
//   bench/              the bench page, and the demo of the home page
//   search.json         the index of the search
//   _headers            the two headers, for hosts that take them from a file of that name

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPage } from '../bench/browser-page.ts';
import { serveFolder } from './serve-folder.ts';
import { Highlighter } from './site/code.ts';
import { FOOTER, header } from './site/frame.ts';
import { homePage } from './site/home.ts';
import { menuOf } from './site/menu.ts';
import { Site, titleOf, type Document } from './site/page.ts';
import { SearchIndex } from './site/search-index.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INDEX = 'docs/README.md';
const HEADERS = `/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
`;
const SOURCE = /\.(ts|js|html|json)$/;
const OTHER_PAGES: Record<string, string> = {
  'README.md': 'overview.html',
  [INDEX]: 'documents.html',
};

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function documentOf(file: string, page: string, markdown = read(file)): Document {
  return { file, page, markdown, title: titleOf(markdown, file) };
}

/** An example: what it says of itself, and its files. */
function example(name: string): Document {
  const folder = `examples/${name}`;
  const files = readdirSync(join(ROOT, folder))
    .filter((file) => SOURCE.test(file))
    .sort();
  const readme = `${folder}/README.md`;
  const intro = existsSync(join(ROOT, readme)) ? read(readme) : `# Example: ${name}\n`;
  const listing = files.map((file) => {
    const text = read(`${folder}/${file}`);
    return `\n## ${file}\n\n~~~~${extname(file).slice(1)}\n${text.trimEnd()}\n~~~~\n`;
  });
  return documentOf(readme, `${folder}.html`, intro + listing.join(''));
}

function documents(): Document[] {
  const docs = readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .sort();
  const files = [
    'README.md',
    ...docs.map((file) => `docs/${file}`),
    'CONTRIBUTING.md',
    'CHANGELOG.md',
  ];
  const pages = files.map((file) =>
    documentOf(file, OTHER_PAGES[file] ?? file.replace(/^docs\//, '').replace(/md$/, 'html')),
  );
  const examples = readdirSync(join(ROOT, 'examples')).sort().map(example);
  return [...pages, ...examples];
}

/** The pages of the documents, the index of the search, and what all pages share. */
async function buildDocuments(out: string): Promise<void> {
  const all = documents();
  const menu = menuOf(all, INDEX);
  const colours = await Highlighter.create();
  const site = new Site(all, menu, (code, language) => colours.render(code, language));
  const search = new SearchIndex();
  for (const document of all) {
    const { html, sections } = site.render(document);
    search.add(document, sections);
    const page = join(out, document.page);
    mkdirSync(dirname(page), { recursive: true });
    writeFileSync(page, html);
  }
  writeFileSync(
    join(out, 'index.html'),
    homePage((code, language) => colours.render(code, language)),
  );
  writeFileSync(join(out, 'code.css'), colours.styles);
  writeFileSync(join(out, 'search.json'), search.json);
  for (const file of ['style.css', 'home.css', 'icon.svg'])
    cpSync(join(ROOT, 'scripts/site', file), join(out, file));
  await build({
    absWorkingDir: ROOT,
    entryPoints: { site: 'dist/scripts/site/client/main.js' },
    outdir: out,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
  });
  writeFileSync(join(out, '_headers'), HEADERS);
}

/** Builds the folder, and gives its path. */
export async function buildSite(out = join(ROOT, 'dist/site')): Promise<string> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await buildDocuments(out);
  execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', join(out, 'api')], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const page = 'bench/index.html';
  await buildPage(join(out, 'bench'), {
    header: header(page, { current: page }),
    footer: FOOTER,
    root: '../',
  });
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const usage = `npm run site [-- --port PORT]

Builds the documents as a site, dist/site, and serves it at the port if there is one (0 = any free port).
`;
  await serveFolder({ usage, port: undefined, build: buildSite });
}
