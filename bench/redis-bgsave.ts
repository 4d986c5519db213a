// What clients feel of a BGSAVE: 1000 outstanding SETs of 1 KB to random keys of a full server, quiet and then during
// a BGSAVE; our server, and after it redis-server.
//
//   node dist/bench/redis-bgsave.js [--gb 2.5] [--rounds 3] [--smoke]

import { freemem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Plot, Point } from './plot.ts';
import { isSmoke, median, report, type Row } from './report.ts';
import { kinds, startServer, type Kind, type Server } from './servers.ts';
import type { LoadOptions, PhaseResult } from './set-load.ts';

const { values } = parseArgs({
  options: {
    gb: { type: 'string', default: isSmoke ? '0.05' : '2.5' },
    rounds: { type: 'string', default: isSmoke ? '1' : '3' },
    smoke: { type: 'boolean' },
  },
});
const DATA_BYTES = Number(values.gb) * 1e9;
const KEYS = Math.floor(DATA_BYTES / 1024);
const ROUNDS = Number(values.rounds);
const QUIET_MS = isSmoke ? 500 : 8000;
const REST_MS = isSmoke ? 200 : 3000;
const CONNECTIONS = 50;
const PIPELINE = 20;
/** redis-server's size for each byte of values, its child's copies, and the file's pages. */
const MEMORY_FACTOR = 2.5;

interface Round {
  readonly quiet: PhaseResult;
  readonly saving: PhaseResult;
  readonly after: PhaseResult;
}

class Load {
  readonly #worker: Worker;

  constructor(port: number) {
    const options: LoadOptions = { port, connections: CONNECTIONS, pipeline: PIPELINE, keys: KEYS };
    this.#worker = new Worker(new URL('./set-load.js', import.meta.url), { workerData: options });
    this.#worker.once('error', (error) => {
      throw error;
    });
  }

  /** Ends the phase and begins the next one. */
  endPhase(): Promise<PhaseResult> {
    return new Promise((resolve) => {
      this.#worker.once('message', resolve);
      this.#worker.postMessage('');
    });
  }

  stop(): Promise<unknown> {
    return this.#worker.terminate();
  }
}

async function fill(server: Server): Promise<void> {
  await server.call('DEBUG', 'POPULATE', KEYS, 'key', 1024);
  const [keys, used] = [await server.call('DBSIZE'), await server.info('memory', 'used_memory')];
  if (Number(keys) !== KEYS || used < DATA_BYTES) {
    throw new Error(`${server.kind} holds ${String(keys)} keys in ${used} B after ${KEYS} of 1 KB`);
  }
}

async function saved(server: Server): Promise<void> {
  for (;;) {
    await sleep(isSmoke ? 10 : 50);
    const text = String(await server.call('INFO', 'persistence'));
    if (text.includes('rdb_bgsave_in_progress:1')) continue;
    if (text.includes('rdb_last_bgsave_status:ok')) return;
    throw new Error(`${server.kind}: BGSAVE failed`);
  }
}

async function measure(kind: Kind): Promise<Round[]> {
  const options = kind === 'redis' ? ['--enable-debug-command', 'yes'] : [];
  const server = await startServer(kind, options);
  await fill(server);
  const load = new Load(server.port);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(REST_MS);
    await load.endPhase();
    await sleep(QUIET_MS);
    const quiet = await load.endPhase();
    await server.call('BGSAVE');
    await saved(server);
    const saving = await load.endPhase();
    await sleep(REST_MS);
    rounds.push({ quiet, saving, after: await load.endPhase() });
  }
  await load.stop();
  await server.stop();
  return rounds;
}

interface Figures {
  readonly maxMs: number;
  readonly maxRatio: number;
  readonly rateRatio: number;
}

const rate = ({ count, seconds }: PhaseResult): number => count / seconds;
const worst = ({ saving, after }: Round): number => Math.max(saving.maxMs, after.maxMs);

function phaseRow(kind: Kind, phase: 'quiet' | 'saving', rounds: readonly Round[]): Row {
  const of = (pick: (result: PhaseResult) => number): number =>
    median(rounds.map((round) => pick(round[phase])));
  const latency = [of((r) => r.maxMs), of((r) => r.p999Ms), of((r) => r.p99Ms)];
  const spans = phase === 'saving' ? ` in ${of((r) => r.seconds).toFixed(1)} s` : '';
  return {
    figure: `${kind}, ${phase}: max / p99.9 / p99`,
    value: `${latency.map((ms) => ms.toFixed(1)).join(' / ')} ms`,
    ratio: `${(of(rate) / 1000).toFixed(1)} K/s${spans}`,
  };
}

function figures(rounds: readonly Round[]): Figures {
  return {
    maxMs: median(rounds.map(worst)),
    maxRatio: median(rounds.map((round) => worst(round) / round.quiet.maxMs)),
    rateRatio: median(rounds.map(({ quiet, saving }) => rate(saving) / rate(quiet))),
  };
}

const rows: Row[] = [];
const data: Partial<Record<Kind, Round[]>> = {};
for (const kind of kinds()) {
  if (kind === 'redis' && freemem() < DATA_BYTES * MEMORY_FACTOR) {
    if (process.env['RZ_REQUIRE_PEERS']) throw new Error('not enough memory for redis-server');
    console.log('*** SKIPPED: redis-server; it needs more memory than is free');
    continue;
  }
  const rounds = await measure(kind);
  data[kind] = rounds;
  rows.push(phaseRow(kind, 'quiet', rounds), phaseRow(kind, 'saving', rounds));
}
const ours = figures(data.ringzero!);
const theirs = data.redis && figures(data.redis);
const x = (value: number): string => `${value.toFixed(2)}x`;
rows.push(
  {
    figure: 'max while saving and after, of max quiet',
    value: x(ours.maxRatio),
    goal: '1.5x',
    ...(theirs && { ratio: `redis ${x(theirs.maxRatio)}` }),
  },
  {
    figure: 'throughput while saving, of quiet',
    value: x(ours.rateRatio),
    goal: '0.8x',
    ...(theirs && { ratio: `redis ${x(theirs.rateRatio)}` }),
  },
);
if (theirs) {
  rows.push({
    figure: "max while saving and after, of redis-server's",
    value: x(ours.maxMs / theirs.maxMs),
    goal: '0.2x',
  });
}
const points = (pick: (result: PhaseResult) => number, group: string): Point[] =>
  Object.entries(data).flatMap(([kind, rounds]) =>
    (['quiet', 'saving'] as const).map((phase) => ({
      group,
      series: `${kind}, ${phase}`,
      samples: rounds.map((round) => pick(round[phase])),
    })),
  );
const plots: Plot[] = [
  {
    title: `SETs of 1 KB to random keys of ${values.gb} GB, 1000 outstanding, while a BGSAVE runs`,
    values: 'milliseconds',
    isLog: true,
    points: [
      ...points((r) => r.p99Ms, 'p99'),
      ...points((r) => r.p999Ms, 'p99.9'),
      ...points((r) => r.maxMs, 'greatest'),
    ],
    paper: 'figure 15: the greatest latency up to 15x below that with fork',
  },
  {
    title: 'Throughput of the same',
    values: 'thousand SETs a second',
    points: points((r) => rate(r) / 1000, 'SET'),
  },
];
report('redis-bgsave', rows, data, plots);
