// The two servers that the benches compare, each a process on a free port with a temporary directory of its
// own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../tests/free-port.ts';
import { hasPeer } from '../tests/peers.ts';
import { RespClient, type Reply } from '../tests/redis/real-redis.ts';
import { type Argument } from '../tests/redis/resp.ts';

export type Kind = 'ringzero' | 'redis';

export interface Server {
  readonly kind: Kind;
  readonly port: number;
  readonly dir: string;
  /** From the start of the process to its first PONG. */
  readonly startMs: number;
  /** Throws when the server answers with an error. */
  call(...words: Argument[]): Promise<Reply>;
  pipeline(commands: Argument[][]): Promise<Reply[]>;
  /** A number from a section of INFO. */
  info(section: string, field: string): Promise<number>;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

const START_MS_MAX = 20_000;
const RETRY_MS = 1;
const MAIN = fileURLToPath(new URL('../node/host/main.js', import.meta.url));

/** Ours, and redis-server if there is one. */
export function kinds(): Kind[] {
  return hasPeer('redis-server', 'the comparison with redis-server')
    ? ['ringzero', 'redis']
    : ['ringzero'];
}

/** `runtime` is the command that ours runs in. */
export async function startServer(
  kind: Kind,
  options: readonly string[] = [],
  runtime: readonly string[] = [process.execPath],
): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), `ringzero-bench-${kind}-`));
  const port = await freePort();
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const [program, ...first] = kind === 'redis' ? ['redis-server'] : [...runtime, MAIN, 'serve'];
  const started = performance.now();
  const child = spawn(program!, [...first, ...common, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    await firstPong(child, port, started);
  } catch (error) {
    child.kill('SIGKILL');
    remove();
    throw error;
  }
  const startMs = performance.now() - started;
  const client = await RespClient.open(port);
  const call = async (...words: Argument[]): Promise<Reply> => {
    const reply = await client.call(...words);
    if (reply instanceof Error) throw new Error(`${kind}: ${words[0]}: ${reply.message}`);
    return reply;
  };
  return {
    kind,
    port,
    dir,
    startMs,
    call,
    pipeline: (commands) => client.pipeline(commands),
    async info(section, field) {
      const text = String(await call('INFO', section));
      const value = new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1];
      if (value === undefined) throw new Error(`${kind}: INFO ${section} has no ${field}`);
      return Number.parseFloat(value);
    },
    async stop() {
      client.close();
      process.off('exit', kill);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.kill('SIGKILL')) await ended;
      remove();
    },
  };
}

/**
 * Commands a second of SET and of GET, of redis-benchmark with 50 connections, 100 B and 100,000 random keys.
 */
export function throughput(
  port: number,
  pipeline: number,
  requests: number,
): Record<'SET' | 'GET', number> {
  const options = `-p ${port} -c 50 -d 100 -r 100000 -t set,get -P ${pipeline} -n ${requests} --csv`;
  const { status, stdout, error } = spawnSync('redis-benchmark', options.split(' '), {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`redis-benchmark failed: ${error?.message ?? stdout}`);
  const rate = (test: string): number =>
    Number(new RegExp(`^"${test}","([\\d.]+)"`, 'm').exec(stdout)?.[1]);
  return { SET: rate('SET'), GET: rate('GET') };
}

async function firstPong(child: ChildProcess, port: number, started: number): Promise<void> {
  while (!(await ping(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended: ${child.exitCode}`);
    if (performance.now() - started > START_MS_MAX) {
      throw new Error(`${child.spawnfile} does not answer at port ${port}`);
    }
    // the server listens soon
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => settle(bytes.toString().startsWith('+PONG')));
    socket.once('error', () => settle(false));
  });
}
