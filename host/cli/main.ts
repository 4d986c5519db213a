#!/usr/bin/env node
// The `ringzero` command.

import { readFileSync } from 'node:fs';
import { UsageError } from './usage.ts';

const HELP = `ringzero: snapshots and fork() for WebAssembly, a store, and a Redis-compatible server

Usage: ringzero COMMAND [ARGUMENTS]

Commands:
  serve       run the Redis-compatible server
  run         run a WASI program in a micro-VM
  new         create a project: a guest with its own page-fault handler
  translate   compile the write checks into a WebAssembly module
  top         show live statistics of a server or a VM

Options:
  --help      print this text; COMMAND --help describes a command
  --version   print the version

Examples:
  ringzero serve --port 7777                 then: redis-cli -p 7777
  ringzero run --dir data::/data tool.wasm

Documentation: docs/README.md in the package.
`;

/** A command resolves with the exit status. It throws UsageError for wrong arguments. */
interface Command {
  readonly run: (argv: string[]) => Promise<number>;
  readonly help: string;
}

const COMMANDS = new Map<string, () => Promise<Command>>([
  ['serve', async () => (await import('./serve.ts')).SERVE],
  ['run', async () => (await import('./run.ts')).RUN],
  ['new', async () => (await import('./new.ts')).NEW],
  ['translate', async () => (await import('./translate.ts')).TRANSLATE],
  ['top', async () => (await import('./top.ts')).TOP],
]);

async function main(argv: readonly string[]): Promise<number> {
  const isHelp = argv[0] === 'help' || argv[0] === '--help' || argv[0] === '-h';
  const [name, ...given] = isHelp ? argv.slice(1) : argv;
  const rest = isHelp ? ['--help'] : given;
  if (name === undefined) return print(HELP, isHelp ? 0 : 2);
  if (name === '--version' || name === '-v') return print(`ringzero ${version()}\n`);
  const load = COMMANDS.get(name);
  if (load === undefined) {
    process.stderr.write(`ringzero: no command '${name}'; see ringzero --help\n`);
    return 2;
  }
  const { run, help } = await load();
  const own = name === 'run' ? rest.slice(0, 1) : rest; // what follows a program belongs to it
  if (own.includes('--help') || rest[0] === '-h') return print(help);
  try {
    return await run(rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`ringzero ${name}: ${error.message}; see ringzero ${name} --help\n`);
    return 2;
  }
}

function print(text: string, status = 0): number {
  process.stdout.write(text);
  return status;
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

process.exitCode = await main(process.argv.slice(2));
