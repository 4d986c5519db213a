// A real redis-server to compare with, and a small client for any server that speaks RESP.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasPeer } from '../peers.ts';

/**
 * A reply: bulk strings are Buffers, simple strings are strings, errors are Errors with the text after the
 * dash.
 */
export type Reply = Buffer | string | number | bigint | null | Error | Reply[] | Map<Reply, Reply>;
export type Argument = string | number | Buffer;

export class RespClient {
  readonly #socket: Socket;
  #data: Buffer = Buffer.alloc(0);
  #at = 0;
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

  /** Sends one command; an error reply is returned, not thrown. */
  call(...words: Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encode(words));
    });
  }

  pipeline(commands: Argument[][]): Promise<Reply[]> {
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#socket.write(Buffer.concat(commands.map(encode)));
    return Promise.all(replies);
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #take(chunk: Buffer): void {
    this.#data =
      this.#at === this.#data.length
        ? chunk
        : Buffer.concat([this.#data.subarray(this.#at), chunk]);
    this.#at = 0;
    for (;;) {
      const start = this.#at;
      const reply = this.#read();
      if (reply === undefined) {
        this.#at = start;
        return;
      }
      this.#waiting.shift()?.resolve(reply);
    }
  }

  #read(): Reply | undefined {
    const end = this.#data.indexOf('\r\n', this.#at);
    if (end < 0) return undefined;
    const type = String.fromCharCode(this.#data[this.#at]!);
    const line = this.#data.toString('latin1', this.#at + 1, end);
    this.#at = end + 2;
    if (type === '+') return line;
    if (type === '-') return new Error(line);
    if (type === ':') return Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line);
    if (type === '_') return null;
    if (type === '$') return this.#bulk(Number(line));
    if (type === '*' || type === '~' || type === '%') return this.#aggregate(type, Number(line));
    return line;
  }

  #bulk(bytes: number): Reply | undefined {
    if (bytes < 0) return null;
    if (this.#data.length < this.#at + bytes + 2) return undefined;
    const value = this.#data.subarray(this.#at, this.#at + bytes);
    this.#at += bytes + 2;
    return value;
  }

  #aggregate(type: string, count: number): Reply | undefined {
    if (count < 0) return null;
    const items: Reply[] = [];
    for (let i = 0; i < (type === '%' ? count * 2 : count); i++) {
      const item = this.#read();
      if (item === undefined) return undefined;
      items.push(item);
    }
    if (type !== '%') return items;
    const map = new Map<Reply, Reply>();
    for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
    return map;
  }
}

function encode(words: Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word), 'latin1');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
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
