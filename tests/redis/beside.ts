// redis-server and the guest side by side: the same bytes to both, and the replies compared byte for byte.
//
// Interface Pair.start() starts both; connect() opens a client of each; Twin.run() sends commands and returns
// both replies.

import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { FileGuest } from './guest-files.ts';
import type { Client, GuestOptions, RedisGuest } from './harness.ts';
import { startRedis, type RealRedis } from './real-redis.ts';
import { encode, ReplyReader, textOf } from './resp.ts';

export type Words = readonly (string | number)[];

/** One command's replies, as Latin-1. */
export interface Both {
  words: Words;
  redis: string;
  guest: string;
}

/** A connection to the real server whose replies are read as bytes. */
class RawConnection {
  readonly #socket: Socket;
  #data: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#data = this.#data.length === 0 ? chunk : Buffer.concat([this.#data, chunk]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static open(path: string): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends bytes and waits for this many replies; fewer if the server closes the connection. */
  async send(bytes: Uint8Array, replies: number): Promise<string[]> {
    this.#socket.write(bytes);
    const texts: string[] = [];
    while (texts.length < replies) {
      const reader = new ReplyReader(this.#data, textOf);
      for (let at = 0; texts.length < replies && reader.tryNext() !== undefined; at = reader.at)
        texts.push(this.#data.toString('latin1', at, reader.at));
      this.#data = reader.rest;
      if (texts.length === replies || this.#closed) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return texts;
  }

  /** Sends bytes after which the server closes; returns all received bytes. */
  async last(bytes: Uint8Array): Promise<string> {
    this.#socket.write(bytes);
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#data.toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** One client of each server. */
export class Twin {
  readonly ours: Client;
  readonly #theirs: RawConnection;

  constructor(ours: Client, theirs: RawConnection) {
    this.ours = ours;
    this.#theirs = theirs;
  }

  /** Runs commands, each of which gets one reply. */
  async run(commands: readonly Words[]): Promise<Both[]> {
    const encoded = commands.map((words) => encode(...words));
    const redis = await this.#theirs.send(Buffer.concat(encoded), commands.length);
    this.ours.guest.now = Date.now();
    return commands.map((words, i) => ({
      words,
      redis: redis[i] ?? 'closed',
      guest: this.ours.raw(encoded[i]!) || 'closed',
    }));
  }

  async one(...words: Words): Promise<Both> {
    return (await this.run([words]))[0]!;
  }

  /** Sends bytes that end the connection of both. */
  async last(bytes: string): Promise<Both> {
    const redis = await this.#theirs.last(Buffer.from(bytes, 'latin1'));
    return { words: [bytes], redis, guest: this.ours.raw(bytes) };
  }

  close(): void {
    this.ours.close();
    this.#theirs.close();
  }
}

export class Pair {
  readonly guest: RedisGuest;
  readonly files: FileGuest;
  readonly real: RealRedis;

  private constructor(files: FileGuest, real: RealRedis) {
    this.guest = files.guest;
    this.files = files;
    this.real = real;
  }

  /** Undefined where redis-server is not installed; fails there when peers are required. */
  static async start(options: string[] = [], guest?: GuestOptions): Promise<Pair | undefined> {
    const real = await startRedis(['--enable-debug-command', 'yes', ...options]);
    if (real) {
      const pair = new Pair(new FileGuest(undefined, guest), real);
      pair.guest.setOption('enable-debug-command', 'yes');
      return pair;
    }
    return undefined;
  }

  async connect(): Promise<Twin> {
    return new Twin(
      this.guest.connect(),
      await RawConnection.open(join(this.real.dir, 'real.sock')),
    );
  }

  stop(): void {
    this.files.remove();
    this.real.stop();
  }
}
