// `npm test [-- words]`: test files, each in a process of its own, one for each core at a time.
//
//   node dist/tests/run.js [--kind chromium] [--except PATTERN] [PATTERN ...]     files dist/tests/**/*.KIND.js (test) whose paths match
//
// A process of its own: what hangs or dies takes no other file's results with it, and none depends on what
// another has left. What a file prints is shown when it fails. The last lines are the sums, as uvu prints
// them for one process, and the files that failed.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** No file takes longer, unless something hangs; a hammer as many times as long as it is told to. */
const LIFE_MS = 300_000 + 10_000 * Number(process.env['RZ_HAMMER_SECONDS'] ?? 0);

interface TestProcess {
  readonly name: string;
  readonly command: readonly string[];
}

interface Outcome {
  readonly name: string;
  /** Undefined when all passed. */
  readonly failure?: string;
  readonly output: string;
  readonly seconds: number;
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
  readonly skippedLines: readonly string[];
}

/** Files that need the machine for themselves: one at a time, when the others are done. */
const ALONE = /^vm\/closed-memory/;
/** These take longest, and come first. */
const SLOW =
  /^(kv\/durable|level\/(suite|terminated)|vm\/(imports|glue|departed)|io\/log|redis\/differential)/;

const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');

function sum(output: string, what: string): number {
  const found = [...output.matchAll(new RegExp(`^ *${what}: +(\\d+)`, 'gm'))];
  return found.reduce((all, [, count]) => all + Number(count), 0);
}

function outcomeOf(name: string, output: string, end: string, seconds: number): Outcome {
  const total = sum(output, 'Total');
  const passed = sum(output, 'Passed');
  // What a file leaves out for want of something it says in a line; a file without tests has left out all.
  const lines = output.split('\n').filter((line) => line.includes('SKIPPED'));
  const skipped = Math.max(sum(output, 'Skipped'), lines.length, total === 0 ? 1 : 0);
  const common = { name, output, seconds, passed, skipped, skippedLines: lines };
  if (end === '0' && passed === total) return { ...common, total };
  const failure = passed < total ? `${total - passed} of ${total} failed` : `ended with ${end}`;
  return { ...common, total: Math.max(total, passed + 1), failure };
}

function run({ name, command }: TestProcess): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // a deadline
  const timer = setTimeout(() => child.kill('SIGKILL'), LIFE_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      // A program that a killed test has left behind may hold them open.
      setTimeout(
        () => [child.stdout, child.stderr].forEach((stream) => stream.destroy()),
        2000,
      ).unref();
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const seconds = (performance.now() - started) / 1000;
      resolve(outcomeOf(name, plain(output), signal ?? String(code), seconds));
    });
  });
}

function show({
  name,
  seconds,
  passed,
  total,
  skipped,
  skippedLines,
  failure,
  output,
}: Outcome): void {
  const line = `${name}  ${passed} / ${total}, ${seconds.toFixed(1)} s`;
  // The sums of a file that failed are not repeated: what adds up a run's output finds only those of all
  // files.
  if (failure !== undefined)
    console.log(
      `${output.replace(/^ *(Total|Passed|Skipped|Duration): .*\n/gm, '')}== ${line}: ${failure}`,
    );
  else console.log([line, ...skippedLines].join('\n'));
  if (skippedLines.length < skipped) console.log(`SKIPPED: ${skipped} in ${name}`);
}

function showSums(outcomes: readonly Outcome[], seconds: number): void {
  const all = (key: 'total' | 'passed' | 'skipped'): number =>
    outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
  console.log(
    `\n  Total:     ${all('total')}\n  Passed:    ${all('passed')}\n  Skipped:   ${all('skipped')}`,
  );
  console.log(`  Duration:  ${seconds.toFixed(1)} s`);
  const slowest = [...outcomes].sort((a, b) => b.seconds - a.seconds).slice(0, 5);
  console.log(
    `  Slowest:   ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}\n`,
  );
  for (const { name, failure } of outcomes)
    if (failure !== undefined) console.log(`failed: ${name}: ${failure}`);
}

/** Runs all, a few at a time, prints what came of them, and returns whether every test passed. */
export async function runAll(
  processes: readonly TestProcess[],
  atOnce = availableParallelism(),
): Promise<boolean> {
  const started = performance.now();
  const outcomes: Outcome[] = [];
  const runFrom = async (queue: TestProcess[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const outcome = await run(next);
      outcomes.push(outcome);
      show(outcome);
    }
  };
  const isAlone = ({ name }: TestProcess): boolean => ALONE.test(name);
  const together = processes.filter((process) => !isAlone(process));
  const isSlow = ({ name }: TestProcess): number => Number(SLOW.test(name));
  together.sort((a, b) => isSlow(b) - isSlow(a));
  await Promise.all(Array.from({ length: atOnce }, () => runFrom(together)));
  await runFrom(processes.filter(isAlone));
  showSums(outcomes, (performance.now() - started) / 1000);
  return outcomes.length > 0 && outcomes.every(({ failure }) => failure === undefined);
}

/** Test files below dist/tests, without `.js`, that match one of the patterns and not `except`. */
export function testFiles(kind: string, patterns: readonly string[], except?: string): string[] {
  const names = readdirSync(join(ROOT, 'dist/tests'), { recursive: true }) as string[];
  const wanted = patterns.length > 0 ? new RegExp(patterns.join('|')) : /^/;
  const unwanted = except === undefined ? /$^/ : new RegExp(except);
  return names
    .filter((name) => name.endsWith(`.${kind}.js`))
    .map((name) => name.slice(0, -'.js'.length))
    .filter((name) => wanted.test(name) && !unwanted.test(name))
    .sort();
}

export function testProcess(name: string, command = [process.execPath]): TestProcess {
  return { name, command: [...command, join(ROOT, 'dist/tests', `${name}.js`)] };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      kind: { type: 'string', default: 'test' },
      except: { type: 'string' },
    },
    allowPositionals: true,
  });
  const files = testFiles(values.kind, positionals, values.except);
  if (files.length === 0) console.log(`no file of dist/tests matches ${positionals.join(' ')}`);
  process.exitCode = (await runAll(files.map((file) => testProcess(file)))) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
