// `ringzero new DIRECTORY`: a guest with its own page-fault handler, ready to build and run (docs/guest.md).

import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UsageError } from './usage.ts';

const HELP = `Usage: ringzero new DIRECTORY

Creates a project: a guest in AssemblyScript with its own page-fault handler, and a program that runs it.

Example:
  ringzero new my-engine && cd my-engine && npm install && npm start

More: docs/guest.md explains the project line by line.
`;

const TEMPLATE = new URL('../../../examples/pager/', import.meta.url);
const FILES = ['guest.ts', 'main.js', 'package.json', 'asconfig.json'];
const NAME = /^[a-z0-9][a-z0-9._-]*$/;

async function newCommand(argv: string[]): Promise<number> {
  const [directory, ...rest] = argv;
  if (directory === undefined || directory.startsWith('-') || rest.length > 0) {
    throw new UsageError('give one directory');
  }
  const target = resolve(directory);
  const name = basename(target);
  if (!NAME.test(name)) return refuse(`'${name}' is not a valid package name`);
  try {
    await mkdir(target, { recursive: true });
    if ((await readdir(target)).length > 0) return refuse(`${target} is not empty`);
    for (const file of FILES) await cp(new URL(file, TEMPLATE), join(target, file));
    await describe(target, name);
  } catch (error) {
    return refuse((error as Error).message);
  }
  process.stdout.write(
    `Created ${target}. Next:\n\n  cd ${directory}\n  npm install      # or, with a package that you packed: npm install FOLDER/ringzero-VERSION.tgz\n  npm start\n`,
  );
  return 0;
}

export const NEW = { run: newCommand, help: HELP };

function refuse(why: string): number {
  process.stderr.write(`ringzero new: ${why}\n`);
  return 1;
}

/** Writes the project's name and this version of ringzero into its package.json. */
async function describe(target: string, name: string): Promise<void> {
  const file = join(target, 'package.json');
  const json = async (path: string | URL): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const { version } = await json(new URL('../../../package.json', import.meta.url));
  const project = {
    ...(await json(file)),
    name,
    dependencies: { ringzero: `^${String(version)}` },
  };
  await writeFile(file, `${JSON.stringify(project, null, 2)}\n`);
}
