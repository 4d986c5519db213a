#!/usr/bin/env node
// The `ringzero` command.

import { readFileSync } from 'node:fs';

const HELP = `ringzero: a micro-VM for databases, in WebAssembly

Usage: ringzero COMMAND [ARGUMENTS]

  serve       run the Redis-compatible server
  run         run a WASI program
  new         start a guest of your own
  translate   make the images of a WebAssembly module
  top         what a VM does, by the second
  --help      this text; COMMAND --help for a command's own
  --version
`;

type Command = (argv: string[]) => Promise<number>;

const COMMANDS: Record<string, () => Promise<{ run: Command; help: string }>> = {
  serve: async () => {
    const { serveCommand, SERVE_HELP } = await import('./serve.ts');
    return { run: serveCommand, help: SERVE_HELP };
  },
  run: async () => {
    const { runCommand, RUN_HELP } = await import('./run.ts');
    return { run: runCommand, help: RUN_HELP };
  },
  new: async () => {
    const { newCommand, NEW_HELP } = await import('./new.ts');
    return { run: newCommand, help: NEW_HELP };
  },
  translate: async () => {
    const { translateCommand, TRANSLATE_HELP } = await import('./translate.ts');
    return { run: translateCommand, help: TRANSLATE_HELP };
  },
  top: async () => {
    const { topCommand, TOP_HELP } = await import('./top.ts');
    return { run: topCommand, help: TOP_HELP };
  },
};

async function main([name, ...rest]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    const file = new URL('../../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    process.stdout.write(`ringzero ${version}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    process.stderr.write(`ringzero: no command '${name}'; see ringzero --help\n`);
    return 2;
  }
  const { run, help } = await load();
  const asked = name === 'run' ? rest.slice(0, 1) : rest; // what follows a program's name is the program's
  if (asked.includes('--help') || rest[0] === '-h') {
    process.stdout.write(help);
    return 0;
  }
  return run(rest);
}

process.exitCode = await main(process.argv.slice(2));
