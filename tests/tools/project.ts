// A project of a user with one tool of theirs: the packed package is installed, the tool comes from the
// registry.
//
// Interface   toolProject(tools) makes the project; `file` writes into it, `run` runs a tool's command.
// Cost        One installation for all projects with the same tools, kept in node_modules/.cache; a project
//             links to it, or has a copy where the tool does not look outside its project.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, type Project } from '../packaging/installed.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'tools');
const DEADLINE_MS = 600_000;

interface Ran {
  readonly status: number | null;
  /** Standard output and error, one after the other. */
  readonly said: string;
}

export interface ToolProject extends Project {
  /** Runs a command of the tools, such as `webpack`. */
  tool(command: string, args: readonly string[], env?: Record<string, string>): Ran;
  /** Runs a program of Node in the project, whatever its status. */
  node(program: string, ...args: string[]): Ran;
}

/** Installs the tools once; the folder of their packages. */
function packagesOf(name: string, tools: Record<string, string>): string {
  const folder = join(CACHE, name);
  const manifest = JSON.stringify({ private: true, dependencies: tools });
  const path = join(folder, 'package.json');
  const packages = join(folder, 'node_modules');
  if (existsSync(packages) && readFileSync(path, 'utf8') === manifest) return packages;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, manifest);
  const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', words, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`cannot install ${Object.keys(tools).join(', ')}`);
  return packages;
}

/** A project in which the package and these tools are installed. */
export function toolProject(
  name: string,
  tools: Record<string, string>,
  copies = false,
): ToolProject {
  const packages = packagesOf(name, tools);
  const project = install();
  const modules = join(project.directory, 'node_modules');
  const link = (entry: string): void => {
    const [from, to] = [join(packages, entry), join(modules, entry)];
    if (existsSync(to)) return;
    if (copies) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  };
  for (const entry of readdirSync(packages)) {
    if (!entry.startsWith('@')) link(entry);
    else {
      mkdirSync(join(modules, entry), { recursive: true });
      for (const scoped of readdirSync(join(packages, entry))) link(`${entry}/${scoped}`);
    }
  }
  const ran = (command: string, args: readonly string[], env: Record<string, string> = {}): Ran => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: project.directory,
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, CI: '1', ...env },
    });
    return { status, said: stdout + stderr };
  };
  return {
    ...project,
    tool: (command, args, env) => ran(join(packages, '.bin', command), args, env),
    node: (program, ...args) => ran(process.execPath, [program, ...args]),
  };
}
