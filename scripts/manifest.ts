// The manifest that is published: what users of the package need of package.json, and nothing of its
// development.
//
//   node dist/scripts/manifest.js publish     puts it in place of package.json, before packing
//   node dist/scripts/manifest.js restore     puts package.json back
//
// npm calls the two around `npm pack` and `npm publish`. What development needs (scripts, its tools, the
// modules behind `#platform`, which are in the bundles) would only mislead: npm warns of an install script
// `prepare` that never runs.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEVELOPMENT = ['scripts', 'devDependencies', 'imports'];

export type Manifest = Record<string, unknown>;

export function publishedManifest(manifest: Manifest): Manifest {
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !DEVELOPMENT.includes(key)));
}

function main(command: string | undefined): void {
  const path = join(ROOT, 'package.json');
  const kept = join(ROOT, 'dist', 'package.json.kept');
  if (command === 'publish') {
    const text = readFileSync(path, 'utf8');
    writeFileSync(kept, text);
    const published = publishedManifest(JSON.parse(text) as Manifest);
    writeFileSync(path, `${JSON.stringify(published, null, 2)}\n`);
  } else if (command === 'restore') {
    if (existsSync(kept)) renameSync(kept, path);
  } else throw new Error('usage: manifest.js publish | restore');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
