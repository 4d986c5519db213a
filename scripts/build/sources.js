// Files of folders, and dist/ kept in step with them.

import { existsSync, readdirSync, rmSync } from 'node:fs';

/** Files below the folders whose paths match, sorted. */
export function sources(folders, pattern) {
  const files = folders.filter(existsSync).flatMap((folder) => {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`); // prettier-ignore
  });
  return files.filter((file) => pattern.test(file)).sort();
}

const COMPILED = ['host', 'tests', 'bench', 'scripts'];
const sourceOf = (output) => output.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '.ts');

/** tsc believes that what it once wrote is still there. */
export function forgetMissing() {
  const modules = sources(COMPILED, /^(?!tests\/\w+\/guest\/).*(?<!\.d)\.ts$/);
  const outputs = modules.map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
  if (!outputs.every(existsSync)) rmSync('dist/.tsbuildinfo', { force: true });
}

/** What was made of a source that has moved would still be run as a test. */
export function removeStale() {
  const outputs = sources(
    [...COMPILED, 'assembly', 'guest'].map((folder) => `dist/${folder}`),
    /\.(js|d\.ts)$/,
  );
  for (const output of outputs) if (!existsSync(sourceOf(output))) rmSync(output);
}
