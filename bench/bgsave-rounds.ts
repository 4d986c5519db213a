// What clients feel of a BGSAVE: a server full of values of 1 KB under a load that keeps 1000 commands
// outstanding, quiet, while a BGSAVE runs, and after it.

import { freemem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { skip } from '../tests/peers.ts';
import type { LoadOptions, PhaseResult } from './redis-load.ts';
import { isSmoke, median } from './report.ts';
import { kinds, startServer, type Kind, type Server } from './servers.ts';

type Mix = Pick<LoadOptions, 'readsPerWrite' | 'isGaussian'>;

export interface Round {
  readonly quiet: PhaseResult;
  readonly saving: PhaseResult;
  readonly after: PhaseResult;
}

const REST_MS = isSmoke ? 200 : 3000;
const CONNECTIONS = 50;
const PIPELINE = 20;
/** redis-server's size for each byte of values, its child's copies, and the file's pages. */
const MEMORY_FACTOR = 2.5;

class Load {
  readonly #worker: Worker;

  constructor(options: LoadOptions) {
    this.#worker = new Worker(new URL('./redis-load.js', import.meta.url), { workerData: options });
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

const keysOf = (dataBytes: number): number => Math.floor(dataBytes / 1024);

/** Ours, and redis-server where there is one and the memory that it needs. */
export function kindsFor(dataBytes: number): Kind[] {
  return kinds().filter((kind) => {
    if (kind !== 'redis' || freemem() >= dataBytes * MEMORY_FACTOR) return true;
    skip('the comparison with redis-server', 'memory, which is in use,');
    return false;
  });
}

export async function startFull(kind: Kind, dataBytes: number): Promise<Server> {
  const server = await startServer(kind, ['--enable-debug-command', 'yes']);
  const keys = keysOf(dataBytes);
  await server.call('DEBUG', 'POPULATE', keys, 'key', 1024);
  const [size, used] = [await server.call('DBSIZE'), await server.info('memory', 'used_memory')];
  if (Number(size) !== keys || used < dataBytes) {
    throw new Error(`${kind} holds ${String(size)} keys in ${used} B after ${keys} of 1 KB`);
  }
  return server;
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

/** Rounds with a BGSAVE each, of a server that startFull() has filled. */
export async function measure(
  server: Server,
  dataBytes: number,
  mix: Mix,
  { rounds, quietMs }: { rounds: number; quietMs: number },
): Promise<Round[]> {
  const { port } = server;
  const load = new Load({
    port,
    connections: CONNECTIONS,
    pipeline: PIPELINE,
    keys: keysOf(dataBytes),
    ...mix,
  });
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    await sleep(REST_MS);
    await load.endPhase();
    await sleep(quietMs);
    const quiet = await load.endPhase();
    await server.call('BGSAVE');
    await saved(server);
    const saving = await load.endPhase();
    await sleep(REST_MS);
    results.push({ quiet, saving, after: await load.endPhase() });
  }
  await load.stop();
  return results;
}

const rate = ({ count, seconds }: PhaseResult): number => count / seconds;

/** The median of the rounds' figures. */
export const middle = (rounds: readonly Round[], of: (round: Round) => number): number =>
  median(rounds.map(of));

/** Commands a second. */
export const rateOf = (rounds: readonly Round[], phase: 'quiet' | 'saving'): number =>
  middle(rounds, (round) => rate(round[phase]));

/** Throughput while saving, of that when it was quiet. */
export const rateRatio = (rounds: readonly Round[]): number =>
  middle(rounds, ({ quiet, saving }) => rate(saving) / rate(quiet));
