// What every bench shares: order statistics, and a report as text with the same numbers as JSON.

import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { Plot } from './plot.ts';
import { percentile } from './statistics.ts';

export { median, percentile, signed } from './statistics.ts';

export interface Summary {
  mean: number;
  median: number;
  p99: number;
  p999: number;
  max: number;
}

export function summarise(samples: Float64Array): Summary {
  const sorted = samples.slice().sort();
  return {
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    median: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: sorted[sorted.length - 1]!,
  };
}

/**
 * One line of a report: a figure, the ratio to its peer or baseline in the same run, and the goal
 * if it has one.
 */
export interface Row {
  figure: string;
  value: string;
  ratio?: string;
  goal?: string;
  /** Whether the goal is met. */
  isMet?: boolean;
}

type Goal = Pick<Row, 'goal' | 'isMet'>;

/** A goal for a row; none without a goal, or without a peer. */
export const atLeast = (is: number | undefined, goal: number | undefined, unit: string): Goal =>
  is === undefined || goal === undefined
    ? {}
    : { goal: `at least ${goal}${unit}`, isMet: is >= goal };
export const atMost = (is: number | undefined, goal: number | undefined, unit: string): Goal =>
  is === undefined || goal === undefined
    ? {}
    : { goal: `at most ${goal}${unit}`, isMet: is <= goal };

/** What bench/results/NAME.json holds. */
export interface Result {
  name: string;
  /** Milliseconds since 1970. */
  date: number;
  isSmoke: boolean;
  machine: Record<string, string | number>;
  versions: Record<string, string>;
  rows: readonly Row[];
  plots: readonly Plot[];
  data: unknown;
}

/** A quick run is too short to compare anything: its figures stand alone. */
export function shownRows(rows: readonly Row[], isQuick: boolean): readonly Row[] {
  return isQuick ? rows.map(({ figure, value }) => ({ figure, value })) : rows;
}

/** Prints the rows and writes them, with the plots and `data`, to bench/results/NAME.json. */
export function report(
  name: string,
  measured: readonly Row[],
  data: unknown,
  plots: readonly Plot[] = [],
): void {
  const rows = shownRows(measured, isSmoke);
  const width = Math.max(...rows.map(({ figure }) => figure.length));
  for (const { figure, value, ratio, goal, isMet } of rows) {
    const parts = [
      figure.padEnd(width),
      value,
      ratio ?? '',
      goal === undefined ? '' : `(goal: ${goal}, ${isMet ? 'met' : 'MISSED'})`,
    ];
    console.log(parts.filter((part) => part !== '').join('  '));
  }
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    'memory, GiB': Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}, ${arch()}`,
  };
  const versions = { node: process.versions.node, v8: process.versions.v8 };
  const result: Result = { name, date: Date.now(), isSmoke, machine, versions, rows, plots, data };
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(`bench/results/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** Whether the command line asks for a run that only shows that the bench works. */
export const isSmoke = process.argv.includes('--smoke');

/** The number after `--name` on the command line. */
export function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? Number(process.argv[at + 1]) : otherwise;
}
