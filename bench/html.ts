// The results of the benches as one page that needs nothing else: bench/results/report.html.
//
//   npm run bench:report

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Result } from './report.ts';

const RESULTS = 'bench/results';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STYLES = ['scripts/site/style.css', 'bench/html/report.css'];
const DESCRIPTION = 'Figures of ringzero, each with its peer or its goal, measured in one run.';

/** Writes report.html to the folder of the results; returns its path. */
export async function writeReport(folder = RESULTS): Promise<string> {
  const results = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Result)
    .filter(({ plots }) => Array.isArray(plots))
    .map((result): Result => ({ ...result, data: undefined }));
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('./html/page.js', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  const style = STYLES.map((file) => readFileSync(`${ROOT}${file}`, 'utf8')).join('');
  const icon = readFileSync(`${ROOT}scripts/site/icon.svg`, 'utf8').replace(/\s*\n\s*/g, '');
  // None may end the element that it is in.
  const [json, script] = [JSON.stringify(results), bundle.outputFiles[0]!.text].map((text) =>
    text.replaceAll('</', '<\\/'),
  );
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figures · ringzero</title>
<meta name="description" content="${DESCRIPTION}">
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${style}</style>
</head>
<body>
<header class="top"><span class="brand">ringzero</span></header>
<main id="main" class="report"></main>
<script type="application/json" id="results">${json}</script>
<script>${script}</script>
</body>
</html>
`;
  const out = `${folder}/report.html`;
  writeFileSync(out, page);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await writeReport());
