// An empty project into which the package was installed as a user gets it: from the tarball of `npm pack`.
//
// Interface: `install()` gives the project; `run` runs a program of Node there, `write` a file. `remove()`
// when done. Nothing comes from the network: what the package depends on is packed from this repository's
// node_modules and installed next to it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedManifest } from '../../scripts/manifest.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DEADLINE_MS = 120_000;

/** What `npm pack --json` says of a tarball. */
interface Packed {
  name: string;
  filename: string;
  files: { path: string; size: number }[];
}

export interface Manifest {
  dependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  imports?: Record<string, unknown>;
}

export interface Project {
  readonly directory: string;
  /** The files of the tarball, by their names in the package. */
  readonly files: ReadonlyMap<string, number>;
  /** Runs a program of Node in the project, and gives its output; throws with what it said when it fails. */
  run(program: string, ...args: string[]): string;
  write(file: string, text: string): void;
  /** Makes a development tool of this repository a package of the project. */
  lend(name: string): void;
  remove(): void;
}

export function manifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/** The names of the packages that must be there for `directory` to run, in node_modules of the repository. */
function needed(directory: string, names = new Set<string>()): Set<string> {
  for (const name of Object.keys(manifest(directory).dependencies ?? {})) {
    if (names.has(name)) continue;
    names.add(name);
    needed(join(ROOT, 'node_modules', name), names);
  }
  return names;
}

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    timeout: DEADLINE_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** As `npm pack` does, without building: the manifest in the tarball is the published one. */
function publish(tarballs: string, filename: string): void {
  execFileSync('tar', ['-xzf', filename], { cwd: tarballs });
  const path = join(tarballs, 'package', 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  npm(join(tarballs, 'package'), 'pack', '--ignore-scripts', '--pack-destination', tarballs);
  rmSync(join(tarballs, 'package'), { recursive: true });
}

/** Packs the repository as it is built, and installs it with the install scripts that it may have. */
export function install(): Project {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-package-'));
  const tarballs = join(directory, 'tarballs');
  mkdirSync(tarballs);
  const sources = ['.', ...[...needed(ROOT)].map((name) => `./node_modules/${name}`)];
  const pack = ['pack', ...sources, '--json', '--ignore-scripts', '--pack-destination', tarballs];
  const answer = JSON.parse(npm(ROOT, ...pack)) as Packed[] | Record<string, Packed>;
  const packed = Object.values(answer);
  const ours = packed.find(({ name }) => name === 'ringzero')!;
  publish(tarballs, ours.filename);
  writeFileSync(join(directory, 'package.json'), '{ "type": "module", "private": true }\n');
  npm(
    directory,
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    ...packed.map(({ filename }) => `./tarballs/${filename}`),
  );
  return {
    directory,
    files: new Map(ours.files.map(({ path, size }) => [path, size])),
    run: (program, ...args) => {
      const options = { cwd: directory, encoding: 'utf8', timeout: DEADLINE_MS } as const;
      const ran = spawnSync(process.execPath, [program, ...args], options);
      if (ran.status === 0) return ran.stdout;
      throw new Error(`${program} ended with ${ran.status}:\n${ran.stdout}${ran.stderr}`);
    },
    write: (file, text) => {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), text);
    },
    lend: (name) => {
      const target = join(directory, 'node_modules', name);
      mkdirSync(dirname(target), { recursive: true });
      rmSync(target, { force: true });
      symlinkSync(join(ROOT, 'node_modules', name), target);
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
