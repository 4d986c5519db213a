// `ringzero top`: live statistics of a VM in the terminal. It reads the metrics endpoint of a server, or of a
// program that serves a store's metrics(); that process may run anywhere.

import { setTimeout as sleep } from 'node:timers/promises';
import { frame, readScrape, type Scrape } from './top-frame.ts';
import { parse, UsageError } from './usage.ts';

const HELP = `Usage: ringzero top [OPTIONS]

Shows live statistics: commands, hit rate, keys, memory and saves of a server, and what its VM does
(write faults, system calls, snapshots, frames, buffer pool). It reads the metrics endpoint of
ringzero serve --metrics-port PORT, or of a program that serves a store's metrics(). Press q to quit.

Options:
  --url URL           the metrics endpoint            (http://127.0.0.1:9121/metrics)
  --interval SECONDS  refresh interval, 0.1 to 3600   (1)
  --once              print the statistics of one interval and exit

Example:
  ringzero serve --metrics-port 9121 &
  ringzero top --interval 2

More: docs/observing.md
`;

const PATIENCE_MS = 5000;

// ANSI: alternate screen without cursor, and back; home; erase the rest of the line, of the screen.
const OPEN = '\x1b[?1049h\x1b[?25l';
const CLOSE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

interface Request {
  readonly url: string;
  readonly intervalMs: number;
  readonly once: boolean;
}

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:9121/metrics' },
  interval: { type: 'string', default: '1' },
  once: { type: 'boolean', default: false },
} as const;

async function topCommand(argv: readonly string[]): Promise<number> {
  const request = readArguments(argv);
  try {
    if (request.once) await showOnce(request);
    else await showAll(request);
    return 0;
  } catch (error) {
    process.stderr.write(`ringzero top: ${(error as Error).message}\n`);
    return 1;
  }
}

export const TOP = { run: topCommand, help: HELP };

function readArguments(argv: readonly string[]): Request {
  const { values, positionals } = parse(argv, OPTIONS);
  const { url, interval, once } = values;
  if (positionals.length > 0) throw new UsageError(`unexpected argument ${positionals[0]}`);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError(`--url ${url}: not an http address`);
  const seconds = Number(interval);
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new UsageError(`--interval ${interval}: allowed are 0.1 to 3600 seconds`);
  return { url, intervalMs: seconds * 1000, once };
}

async function scrape(url: string): Promise<Scrape> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    text = await response.text();
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${url} does not answer: ${(cause as Error | undefined)?.message ?? message}`);
  }
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const result = readScrape(text, performance.now());
  if (result === undefined) throw new Error(`${url} does not serve ringzero metrics`);
  return result;
}

async function showOnce({ url, intervalMs }: Request): Promise<void> {
  const before = await scrape(url);
  await sleep(intervalMs);
  process.stdout.write(`${url}\n\n${frame(before, await scrape(url)).join('\n')}\n`);
}

/** Runs until q or a signal. An endpoint that fails later is retried; one that fails at first is an error. */
async function showAll({ url, intervalMs }: Request): Promise<void> {
  const enough = whenAsked();
  const draw = screen();
  try {
    let before = await scrape(url);
    while (await rest(intervalMs, enough)) {
      try {
        const now = await scrape(url);
        draw([`${url}   ${new Date().toLocaleTimeString()}`, '', ...frame(before, now)]);
        before = now;
      } catch (error) {
        draw([(error as Error).message]);
      }
    }
  } finally {
    if (process.stdout.isTTY) process.stdout.write(CLOSE);
    if (process.stdin.isTTY) process.stdin.setRawMode(false).pause();
  }
}

/** Waits. False when the user quits first. */
async function rest(ms: number, enough: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal: enough });
  } catch {
    return false;
  }
}

/** Redraws in place in a terminal; otherwise prints one frame after the other. */
function screen(): (lines: readonly string[]) => void {
  const { stdout } = process;
  if (!stdout.isTTY) return (lines) => void stdout.write(`${lines.join('\n')}\n\n`);
  stdout.write(OPEN);
  return (lines) => {
    const seen = lines.slice(0, stdout.rows - 1).map((line) => line.slice(0, stdout.columns));
    stdout.write(`${HOME}${seen.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_REST}`);
  };
}

/** Aborted by q, Ctrl-C, or a signal. */
function whenAsked(): AbortSignal {
  const enough = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => enough.abort());
  if (process.stdin.isTTY) {
    process.stdin.setRawMode(true).on('data', (keys) => {
      if (/[q\x03\x04]/.test(keys.toString())) enough.abort();
    });
  }
  return enough.signal;
}
