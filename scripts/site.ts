// The documents as a site: dist/site, a folder for any static server. One that sends the two headers of docs/browser.md can run its bench page.
//
//   npm run site [-- --port 8080]      builds it, and serves it here if there is a port
//
//   index.html          README.md          *.html      docs/*.md, CONTRIBUTING.md, CHANGELOG.md
//   examples/*.html     each example: its README, if it has one, and its files
//   api/                what typedoc says of `ringzero` and `ringzero/level`
//   bench/              the bench page
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
import { buildPage } from '../bench/browser-page.ts';
import { serveFolder } from './serve-folder.ts';
import { Site, titleOf, type Document } from './site-page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HEADERS = `/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
`;
/** What a reader needs before the rest; the others follow by name. */
const FIRST = [
  'README.md',
  'docs/programs.md',
  'docs/level.md',
  'docs/guest.md',
  'docs/browser.md',
  'docs/architecture.md',
];
const SOURCE = /\.(ts|js|html|json)$/;

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
    ...new Set([
      ...FIRST,
      ...docs.map((file) => `docs/${file}`),
      'CONTRIBUTING.md',
      'CHANGELOG.md',
    ]),
  ];
  const pages = files.map((file) =>
    documentOf(
      file,
      file === 'README.md' ? 'index.html' : file.replace(/^docs\//, '').replace(/md$/, 'html'),
    ),
  );
  const examples = readdirSync(join(ROOT, 'examples')).sort().map(example);
  return [...pages, ...examples];
}

/** Builds the folder, and gives its path. */
export async function buildSite(out = join(ROOT, 'dist/site')): Promise<string> {
  rmSync(out, { recursive: true, force: true });
  const site = new Site(documents());
  for (const document of site.documents) {
    const page = join(out, document.page);
    mkdirSync(dirname(page), { recursive: true });
    writeFileSync(page, site.render(document));
  }
  cpSync(join(ROOT, 'scripts/site.css'), join(out, 'site.css'));
  writeFileSync(join(out, '_headers'), HEADERS);
  execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', join(out, 'api')], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  await buildPage(join(out, 'bench'));
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const usage = `npm run site [-- --port PORT]

Builds the documents as a site, dist/site, and serves it at the port if there is one (0 = any free port).
`;
  await serveFolder({ usage, port: undefined, build: buildSite });
}
