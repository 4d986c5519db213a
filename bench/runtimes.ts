// The same figures in each runtime that is supported, by turns, against the Node at hand.
//
//   node dist/bench/runtimes.js [--smoke]

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runtimes, type Runtime } from '../tests/runtimes/binaries.ts';
import type { Plot } from './plot.ts';
import { atLeast, isSmoke, median, report, type Row } from './report.ts';
import { startServer, throughput } from './servers.ts';

const ROUNDS = isSmoke ? 1 : 5;
const REQUESTS = isSmoke ? 16_000 : 300_000;
const GOAL = 0.9;
const PROGRAM = fileURLToPath(new URL('./runtime-figures.js', import.meta.url));

type Rates = Record<string, number>;

async function measureOnce({ name, command }: Runtime): Promise<Rates> {
  const [binary, ...words] = [...command, PROGRAM, ...(isSmoke ? ['--smoke'] : [])];
  const { status, stdout } = spawnSync(binary!, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${name}: ended with ${status}`);
  const server = await startServer('ringzero', [], command);
  throughput(server.port, 16, REQUESTS); // fills the keys and lets the compilers warm up
  const { SET, GET } = throughput(server.port, 16, REQUESTS);
  const startMs = server.startMs;
  await server.stop();
  const own = JSON.parse(stdout) as Rates;
  return {
    ...own,
    'server: SET P=16': SET,
    'server: GET P=16': GET,
    'server: start': 1000 / startMs,
  };
}

const here: Runtime = { name: `Node ${process.versions.node}`, command: [process.execPath] };
const all = [here, ...runtimes().filter(({ name }) => !name.startsWith('Bun'))];
const samples = new Map<string, Map<string, number[]>>(); // by figure and runtime
for (let round = 0; round < ROUNDS; round++) {
  for (const runtime of all) {
    for (const [figure, rate] of Object.entries(await measureOnce(runtime))) {
      if (!samples.has(figure)) samples.set(figure, new Map(all.map(({ name }) => [name, []])));
      samples.get(figure)!.get(runtime.name)!.push(rate);
    }
  }
}

function rateText(figure: string, rate: number): string {
  if (/boot|start$/.test(figure)) return `${(1000 / rate).toFixed(1)} ms`;
  if (figure.endsWith('bytes')) return `${(rate / 1e6).toFixed(1)} MB/s`;
  return rate < 1e6 ? `${(rate / 1000).toFixed(1)} K/s` : `${(rate / 1e6).toFixed(2)} M/s`;
}

const rows: Row[] = [];
for (const [figure, byRuntime] of samples) {
  const base = median(byRuntime.get(here.name)!);
  for (const [name, rates] of byRuntime) {
    const rate = median(rates);
    rows.push({
      figure: `${figure}, ${name}`,
      value: rateText(figure, rate),
      ...(name === here.name
        ? {}
        : {
            ratio: `${(rate / base).toFixed(2)}x of ${here.name}`,
            ...atLeast(rate / base, GOAL, 'x'),
          }),
    });
  }
}
const points = [...samples].flatMap(([group, byRuntime]) => {
  const base = median(byRuntime.get(here.name)!);
  return [...byRuntime].map(([series, rates]) => ({
    group,
    series,
    samples: rates.map((rate) => rate / base),
  }));
});
const plots: Plot[] = [{ title: 'Runtimes', values: `speed, ${here.name} = 1`, points }];
report(
  'runtimes',
  rows,
  Object.fromEntries([...samples].map(([figure, rates]) => [figure, Object.fromEntries(rates)])),
  plots,
);
