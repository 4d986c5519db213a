// The command `ringzero serve` as a separate process in its own directory, for tests.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RespClient } from './real-redis.ts';

export const MAIN = fileURLToPath(new URL('../../node/host/main.js', import.meta.url));
/** The longest wait for a process. */
const LIFE_MS = 120_000;
/**
 * Connections that are opened at a time: less than the server's tcp-backlog. When its queue is full, the
 * kernel answers with SYN cookies and keeps nothing of a connection: a client that then sends nothing
 * believes for ever that it is connected, and the server never learns of it.
 */
const CONNECTING_MAX = 256;
const READY = /Ready to accept connections/;
const LISTENING = /Listening at \S+:(\d+)/;

interface ServerOptions {
  /** Where it saves; by default a new directory, removed by stop(). */
  dir?: string;
  /** Its standard input. */
  input?: string;
  /** A command that runs Node with the rest of its words. */
  through?: readonly string[];
  /** The command's program; by default the one that the build made. */
  main?: string;
}

/** How a process ended. */
interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const alive = new Set<ChildProcess>();
process.once('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

export class ServerProcess {
  readonly dir: string;
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  readonly #ownsDir: boolean;
  readonly #clients: RespClient[] = [];
  readonly #sockets: Socket[] = [];
  #output = '';
  #onOutput: () => void = () => {};

  private constructor(
    words: readonly string[],
    { dir, input, through = [], main = MAIN }: ServerOptions,
  ) {
    this.#ownsDir = dir === undefined;
    this.dir = dir ?? mkdtempSync(join(tmpdir(), 'ringzero-server-'));
    const [program, ...rest] = [...through, process.execPath, main, 'serve', ...words];
    this.#child = spawn(program!, rest, { cwd: this.dir });
    this.#child.stdin!.end(input ?? '');
    alive.add(this.#child);
    // A server that hangs ends, and with it the test's connections.
    setTimeout(() => this.#child.kill('SIGKILL'), LIFE_MS).unref();
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#onOutput();
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        alive.delete(this.#child);
        resolve({ code, signal });
        this.#onOutput();
      });
    });
  }

  /** Runs the command with only these words; it may end immediately. */
  static run(words: readonly string[], options: ServerOptions = {}): ServerProcess {
    return new ServerProcess(words, options);
  }

  /** A ready server on a free port; throws with its output if it ends instead. */
  static async start(
    words: readonly string[] = [],
    options: ServerOptions = {},
  ): Promise<ServerProcess> {
    const small = [
      '--memory',
      '256mb',
      '--save',
      '',
      '--port',
      '0',
      '--enable-debug-command',
      'local',
    ];
    const server = new ServerProcess([...small, ...words], options);
    await server.ready();
    return server;
  }

  ready(): Promise<void> {
    return this.said(READY);
  }

  /** It accepts connections, and may still be loading. */
  listening(): Promise<void> {
    return this.said(LISTENING);
  }

  /** Waits until its output matches; throws with the output if it ends first. */
  said(what: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (what.test(this.#output)) resolve();
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          const how = this.#child.signalCode ?? `status ${this.#child.exitCode}`;
          reject(new Error(`the server ended (${how}) without saying ${what}:\n${this.#output}`));
        }
      };
      this.#onOutput = look;
      look();
    });
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The port that it logged; 0 before, and with only a Unix socket. */
  get port(): number {
    return Number(LISTENING.exec(this.#output)?.[1] ?? 0);
  }

  async client(): Promise<RespClient> {
    const client = await RespClient.open(this.port);
    this.#clients.push(client);
    return client;
  }

  /** Clients that the server has accepted. */
  async clients(count: number): Promise<RespClient[]> {
    return (await this.sockets(count)).map((socket) => new RespClient(socket));
  }

  /** A bare connection; the test handles what it receives. stop() closes it. */
  socket(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: this.port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        socket.on('error', () => {});
        this.#sockets.push(socket);
        resolve(socket);
      });
    });
  }

  /** Bare connections that the server has accepted: each has been answered. */
  async sockets(count: number): Promise<Socket[]> {
    const sockets: Socket[] = [];
    while (sockets.length < count) {
      const length = Math.min(CONNECTING_MAX, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length }, () => this.#answered()))));
    }
    return sockets;
  }

  async #answered(): Promise<Socket> {
    const socket = await this.socket();
    const answer = new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve());
      socket.once('close', () => reject(new Error('closed without an answer')));
    });
    socket.write('PING\r\n');
    await answer;
    return socket;
  }

  /** Bytes of memory that the process has in use, as the kernel counts them. */
  residentBytes(): number {
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(this.pid)], {
      encoding: 'utf8',
    });
    return Number(stdout) * 1024;
  }

  signal(signal: NodeJS.Signals): Promise<End> {
    // Deno's child.kill() reports the signal as the child's exit reason.
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) process.kill(this.#child.pid!, signal);
    return this.ended;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.signal('SIGKILL');
    if (this.#ownsDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs `body` with a server, and always ends the server. */
export async function withServer(
  words: readonly string[],
  body: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start(words);
  try {
    await body(server);
  } catch (error) {
    console.log(`output of the server:\n${server.output}`);
    throw error;
  } finally {
    await server.stop();
  }
}

/** Asks until it is so; throws after ten seconds of waiting between the questions. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return;
    await sleep(10);
  }
  throw new Error(`it did not come about that ${what}`);
}
