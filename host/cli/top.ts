// `ringzero top`: the numbers of a VM in the terminal, by the second.
//
// Interface   topCommand(). It asks the metrics endpoint of a server or of a program that serves a store's metrics(): which process
//             that is, and where it runs, does not matter.

import { setTimeout as sleep } from 'node:timers/promises';
import { frame, readScrape, type Scrape } from './top-frame.ts';

export const TOP_HELP = `Usage: ringzero top [OPTIONS]

Shows what a server or a VM does, by the second: commands, hit rate, keys, memory, saves; faults, system calls,
snapshots, frames, its pool. q ends it. It reads the metrics that ringzero serve --metrics-port PORT serves, or
a program that serves a store's metrics().

  --url URL           where                       (http://127.0.0.1:9121/metrics)
  --interval SECONDS  between two looks, 0.1 to 3600                          (1)
  --once              one look and an end

Example:
  ringzero serve --metrics-port 9121 &
  ringzero top --url http://127.0.0.1:9121/metrics --interval 2
`;

const URL_DEFAULT = 'http://127.0.0.1:9121/metrics';
const PATIENCE_MS = 5000;

// ANSI: the other screen without a cursor, and back; to the top; the rest of a line, of the screen.
const OPEN = '\x1b[?1049h\x1b[?25l';
const CLOSE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

interface Request {
  url: string;
  intervalMs: number;
  once: boolean;
}

class UsageError extends Error {}

/** Runs the command; resolves with the exit code. */
export async function topCommand(argv: readonly string[]): Promise<number> {
  let request: Request;
  try {
    request = readArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`ringzero top: ${error.message}\n`);
    return 2;
  }
  try {
    if (request.once) await showOnce(request);
    else await showAll(request);
    return 0;
  } catch (error) {
    process.stderr.write(`ringzero top: ${(error as Error).message}\n`);
    return 1;
  }
}

function readArguments(argv: readonly string[]): Request {
  const request: Request = { url: URL_DEFAULT, intervalMs: 1000, once: false };
  for (let at = 0; at < argv.length; at++) {
    const [option, ...inline] = argv[at]!.split('=');
    if (option === '--once') {
      request.once = true;
      continue;
    }
    const isKnown = option === '--url' || option === '--interval';
    if (!isKnown) throw new UsageError(`no option ${option}; see ringzero top --help`);
    const value = inline.length > 0 ? inline.join('=') : argv[++at];
    if (value === undefined) throw new UsageError(`${option} wants a value`);
    if (option === '--interval') request.intervalMs = intervalOf(value);
    else if (!/^https?:\/\//.test(value) || !URL.canParse(value))
      throw new UsageError(`--url ${value}: an http address`); // prettier-ignore
    else request.url = value;
  }
  return request;
}

function intervalOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new UsageError(`--interval ${text}: 0.1 to 3600 seconds`);
  return seconds * 1000;
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
  if (result === undefined) throw new Error(`${url} has no numbers of ringzero's`);
  return result;
}

async function showOnce({ url, intervalMs }: Request): Promise<void> {
  const before = await scrape(url);
  await sleep(intervalMs);
  process.stdout.write(`${url}\n\n${frame(before, await scrape(url)).join('\n')}\n`);
}

/** Until q or a signal; an endpoint that goes is waited for, one that was never there is an error. */
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

/** False when the user has had enough before the time is over. */
async function rest(ms: number, enough: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal: enough });
  } catch {
    return false;
  }
}

/** Draws over what was there; elsewhere than in a terminal, one frame after the other. */
function screen(): (lines: readonly string[]) => void {
  const { stdout } = process;
  if (!stdout.isTTY) return (lines) => void stdout.write(`${lines.join('\n')}\n\n`);
  stdout.write(OPEN);
  return (lines) => {
    const seen = lines.slice(0, stdout.rows - 1).map((line) => line.slice(0, stdout.columns));
    stdout.write(`${HOME}${seen.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_REST}`);
  };
}

/** q, Ctrl-C, or a signal. */
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
