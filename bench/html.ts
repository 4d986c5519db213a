// The results of the benches as one page that needs nothing else: bench/results/report.html.
//
//   npm run bench:report

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Result } from './report.ts';

const RESULTS = 'bench/results';

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
  body { max-width: 860px; margin: 2rem auto; padding: 0 1rem; }
  nav a { margin-right: .6em; white-space: nowrap; }
  section { border-top: 1px solid #8888; margin-top: 2rem; }
  figure { margin: 1rem 0; max-width: none; } figure h3 { font-size: 1rem; margin: 0 0 .4rem; }
  figcaption, small { color: #888; }
  table { border-collapse: collapse; margin: 1rem 0; } td, th { text-align: left; padding: .1rem .9rem .1rem 0; vertical-align: top; }
  section > strong { display: block; padding: .3rem .6rem; border: 1px solid; }
  td { font-variant-numeric: tabular-nums; }
`;

/** Writes report.html beside the results that are in a folder, and gives its path. */
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
  // Neither may end the element that it is in.
  const [json, script] = [JSON.stringify(results), bundle.outputFiles[0]!.text].map((text) =>
    text.replaceAll('</', '<\\/'),
  );
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ringzero: figures</title>
<style>${STYLE}</style>
<main>
<h1>ringzero: figures</h1>
<p>Plots show medians of rounds in which the contestants take turns, in one run on one machine; the thin line is the range of the rounds. A table says so where a value is another than a median.</p>
</main>
<script type="application/json" id="results">${json}</script>
<script>${script}</script>
</html>
`;
  const out = `${folder}/report.html`;
  writeFileSync(out, page);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await writeReport());
