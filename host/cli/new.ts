// `ringzero new my-guest`: a guest with its own page-fault handler, ready to build and run (docs/guest.md).

import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

export const NEW_HELP = `Usage: ringzero new DIRECTORY

Makes a project there: a guest in AssemblyScript with a page-fault handler of its own, and a program that runs it.
docs/guest.md explains it line by line.
`;

const TEMPLATE = new URL('../../../examples/pager/', import.meta.url);
const FILES = ['guest.ts', 'main.js', 'package.json', 'asconfig.json'];
const NAME = /^[a-z0-9][a-z0-9._-]*$/;

/** Runs the command; the result is the exit status of the process. */
export async function newCommand(argv: string[]): Promise<number> {
  const [directory, ...rest] = argv;
  if (directory === undefined || directory.startsWith('-') || rest.length > 0) {
    process.stderr.write(NEW_HELP);
    return 2;
  }
  const target = resolve(directory);
  const name = basename(target);
  if (!NAME.test(name)) return refuse(`'${name}' is no name for a package`);
  try {
    await mkdir(target, { recursive: true });
    if ((await readdir(target)).length > 0) return refuse(`${target} is not empty`);
    for (const file of FILES) await cp(new URL(file, TEMPLATE), join(target, file));
    await describe(target, name);
  } catch (error) {
    return refuse((error as Error).message);
  }
  process.stdout.write(
    `${target}: made. Next:\n\n  cd ${directory}\n  npm install      # with a package that you packed: npm install FOLDER/ringzero-VERSION.tgz\n  npm start\n`,
  );
  return 0;
}

function refuse(why: string): number {
  process.stderr.write(`ringzero new: ${why}\n`);
  return 1;
}

/** The project's own name, and this version of ringzero. */
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
