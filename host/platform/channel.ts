// Messages between processes of one user on this machine, in order: structured clones over a socket. Node and
// Deno.
//
// Interface   serveChannels() listens at an address that it makes up; openChannel() connects to one.
// Security    The socket is in a directory that others may not enter. What connects is trusted.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { RingzeroError } from '../errors.ts';

const HEADER_BYTES = 4;

/** One end. */
export class Channel {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isEnded = false;
  onMessage: (message: unknown) => void = () => {};
  onEnd: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (part) => this.#receive(part));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#isEnded = true;
      this.onEnd();
    });
  }

  /** Fails with RZ_OPTION when the message cannot be cloned. */
  post(message: unknown): void {
    let body: Buffer;
    try {
      body = serialize(message);
    } catch (error) {
      throw new RingzeroError('RZ_OPTION', (error as Error).message);
    }
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(body.length);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** Whether the channel keeps the process alive. */
  hold(alive: boolean): void {
    if (alive) this.#socket.ref();
    else this.#socket.unref();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  end(): void {
    this.#socket.end();
  }

  #receive(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    while (this.#bytes >= HEADER_BYTES) {
      const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      const end = HEADER_BYTES + all.readUInt32LE();
      this.#parts = [all];
      if (all.length < end) return;
      this.#parts = [all.subarray(end)];
      this.#bytes -= end;
      this.onMessage(deserialize(all.subarray(HEADER_BYTES, end)));
    }
  }
}

interface ChannelServer {
  readonly address: string;
  close(): Promise<void>;
}

export async function serveChannels(accept: (channel: Channel) => void): Promise<ChannelServer> {
  const isWindows = process.platform === 'win32';
  const directory = isWindows ? undefined : mkdtempSync(join(tmpdir(), 'ringzero-'));
  const address =
    directory === undefined
      ? `\\\\.\\pipe\\ringzero-${crypto.randomUUID()}`
      : join(directory, 'socket');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    accept(new Channel(socket));
  });
  server.listen(address);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  return { address, close };
}

/** Fails with RZ_HOST when nothing listens there. */
export async function openChannel(address: string): Promise<Channel> {
  const socket = connect(address);
  const channel = new Channel(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) =>
      reject(new RingzeroError('RZ_HOST', `nothing listens at ${address}: ${error.message}`)),
    );
  });
  return channel;
}
