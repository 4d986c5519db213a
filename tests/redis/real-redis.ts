// A real redis-server to compare with, and a small client for any server that speaks RESP.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasPeer } from '../peers.ts';
import { encode, ReplyReader, type Argument, type ReplyOf } from './resp.ts';

/** A reply: bulk strings are Buffers. */
export type Reply = ReplyOf<Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

export class RespClient {
  readonly #socket: Socket;
  #data: Buffer = Buffer.alloc(0);
  /** Why no more replies follow. */
  #failure: Error | undefined;
  readonly #waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('connection closed')));
  }

  static open(path: string | number): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket =
        typeof path === 'string' ? connect(path) : connect({ host: '127.0.0.1', port: path });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RespClient(socket)));
    });
  }

  /**
   * Sends one command; an error reply is returned, not thrown. Rejects when the connection ends first, or has
   * ended.
   */
  call(...words: Argument[]): Promise<Reply> {
    const reply = this.#expect();
    this.#socket.write(encode(...words));
    return reply;
  }

  pipeline(commands: Argument[][]): Promise<Reply[]> {
    const replies = commands.map(() => this.#expect());
    this.#socket.write(Buffer.concat(commands.map((words) => encode(...words))));
    return Promise.all(replies);
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #expect(): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #take(chunk: Buffer): void {
    const isAllRead = this.#data.length === 0;
    const reader = new ReplyReader(isAllRead ? chunk : Buffer.concat([this.#data, chunk]), asIs);
    for (let reply = reader.tryNext(); reply !== undefined; reply = reader.tryNext())
      this.#waiting.shift()?.resolve(reply);
    this.#data = reader.rest;
  }
}

export interface RealRedis {
  readonly dir: string;
  readonly pid: number;
  call(...words: Argument[]): Promise<Reply>;
  pipeline(commands: Argument[][]): Promise<Reply[]>;
  stop(): void;
}

/**
 * Starts redis-server on a socket in a new directory, or in `dir`, with options from a file where one is
 * named. Undefined, and the test is skipped, when it is not installed. Throws with its log when it does not
 * start.
 */
export async function startRedis(
  options: string[] = [],
  dir?: string,
  file?: string,
): Promise<RealRedis | undefined> {
  if (!hasPeer('redis-server', 'the comparison with redis-server')) return undefined;
  const home = dir ?? mkdtempSync(join(tmpdir(), 'ringzero-redis-'));
  const socket = join(home, 'real.sock');
  const child = spawn(
    'redis-server',
    [
      ...(file === undefined ? [] : [file]),
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--dir',
      home,
      '--save',
      '',
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const client = await connectWhenReady(child, socket);
  return {
    dir: home,
    pid: child.pid!,
    call: (...words) => client.call(...words),
    pipeline: (commands) => client.pipeline(commands),
    stop() {
      client.close();
      child.kill('SIGKILL');
      if (dir === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}

function connectWhenReady(child: ChildProcess, socket: string): Promise<RespClient> {
  return new Promise((resolve, reject) => {
    let log = '';
    let isReady = false;
    const read = (chunk: Buffer) => {
      log += chunk.toString();
      if (isReady || !log.includes('eady to accept connections')) return;
      isReady = true;
      resolve(RespClient.open(socket));
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.once('exit', () => reject(new Error(`redis-server did not start:\n${log}`)));
  });
}
