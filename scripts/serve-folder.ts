// The command line of what builds a folder of pages and serves it: --port, --help, and what is wrong with
// them.

import { serve } from '../tests/browser/server.ts';

const PORT_MAX = 65535;

export interface Command {
  readonly usage: string;
  /** Undefined: it only builds when the command line names no port. */
  readonly port: number | undefined;
  /** Builds the folder, and gives its path. */
  build(): Promise<string>;
}

/** The port that the words name. Throws for anything else. */
function portOf(words: readonly string[], otherwise: number | undefined): number | undefined {
  let port = otherwise;
  for (let at = 0; at < words.length; at++) {
    const [option, inline] = words[at]!.split('=');
    if (option !== '--port') throw new Error(`no option ${option}; see --help`);
    const text = inline ?? words[++at] ?? '';
    port = Number(text);
    if (!/^\d+$/.test(text) || port > PORT_MAX)
      throw new Error(`--port ${text}: a number up to ${PORT_MAX}, 0 = any free port`);
  }
  return port;
}

/**
 * Runs the command: what it serves is there for as long as the process lives. A failure is a message and exit
 * code 1.
 */
export async function serveFolder(
  { usage, port: otherwise, build }: Command,
  words: readonly string[] = process.argv.slice(2),
): Promise<void> {
  if (words.includes('--help')) return void process.stdout.write(usage);
  try {
    const port = portOf(words, otherwise);
    const root = await build();
    console.log(root);
    if (port === undefined) return;
    const { origin } = await serve({ isolated: true, root, port });
    console.log(`${origin}/ (Ctrl+C ends it)`);
  } catch (error) {
    const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
    const isTaken = code === 'EADDRINUSE';
    console.error(
      isTaken ? `Port ${port} is in use: name another one with --port, 0 = any` : message,
    );
    process.exitCode = 1;
  }
}
