// The runtimes that the tests run in besides the Node at hand, from their npm packages, in a folder that is
// no part of the package.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'runtimes');
const PACKAGES = join(CACHE, 'node_modules');

/** The lines of Node that are supported besides 20, the newest, Deno, and Bun. */
const BUN = `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
const NODE = `node-${process.platform}-${process.arch}`;
const DEPENDENCIES = {
  node22: `npm:${NODE}@22`,
  node24: `npm:${NODE}@24`,
  node26: `npm:${NODE}@26`,
  deno: '2',
  bun: `npm:${BUN}@1`,
};

export interface Runtime {
  name: string;
  /** Command that runs a program, which follows. */
  command: string[];
}

const MANIFEST = JSON.stringify({ private: true, dependencies: DEPENDENCIES });
const MANIFEST_PATH = join(CACHE, 'package.json');

/** Whether all of them are there; if not, runtimes() downloads them. */
export function isInstalled(): boolean {
  return (
    existsSync(PACKAGES) &&
    existsSync(MANIFEST_PATH) &&
    readFileSync(MANIFEST_PATH, 'utf8') === MANIFEST
  );
}

/** Installs what is missing. */
export function runtimes(): Runtime[] {
  if (!isInstalled()) {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(MANIFEST_PATH, MANIFEST);
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status } = spawnSync('npm', words, { cwd: CACHE, stdio: 'inherit' });
    if (status !== 0) throw new Error('cannot install the runtimes');
  }
  const nodes = ['node22', 'node24', 'node26'].map((name) => [join(PACKAGES, name, 'bin', 'node')]);
  const [platform] = readdirSync(join(PACKAGES, '@deno'));
  const deno = join(PACKAGES, '@deno', platform!, 'deno');
  const bun = join(PACKAGES, 'bun', 'bin', 'bun');
  return [...nodes, [deno, 'run', '-A', '--node-modules-dir=manual'], [bun]].map((command) => ({
    name: nameOf(command[0]!),
    command,
  }));
}

function nameOf(binary: string): string {
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  const [first] = stdout.split('\n');
  return first!
    .replace(/^v/, '')
    .replace(/^deno (\S+).*/, 'Deno $1')
    .replace(/^(?=\d)/, binary.endsWith('bun') ? 'Bun ' : 'Node ');
}
