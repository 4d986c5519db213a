// Sockets of Node for the servers: listening, and connections whose bytes arrive in one buffer that is used again
// for every read of every connection.

import { createServer, Socket, type AddressInfo } from 'node:net';
import { existsSync, unlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isGranted, listenError } from './deno.ts';

/** What a server does with a connection. */
export interface ConnectionHandler {
  /** `bytes` is valid during the call only. */
  received(bytes: Uint8Array): void;
  /** Everything written has left, after write() returned false. */
  drained(): void;
  closed(): void;
}

const READ_BYTES = 65536;
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

// Replies wait here until the end of the turn of the event loop, and are then written one after the other. A write
// wakes a peer that sleeps, which is most of what it costs: in a burst only the first finds the peer asleep.
const OUTBOX_BYTES = 256 * 1024;
let outbox = Buffer.allocUnsafeSlow(OUTBOX_BYTES);
let outboxUsed = 0;
let isFlushDue = false;
/** Some socket still sends from the outbox, so it must not be written again. */
let isHeld = false;
const waiting: Connection[] = [];

function flushAll(): void {
  isFlushDue = false;
  for (const connection of waiting) connection.flush();
  waiting.length = 0;
  outboxUsed = 0;
  if (isHeld) outbox = Buffer.allocUnsafeSlow(OUTBOX_BYTES);
  isHeld = false;
}

/** One end of a connection. */
export class Connection {
  readonly #socket: Socket;
  handler!: ConnectionHandler;
  /** What waits in the outbox. */
  #from = 0;
  #to = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.handler.drained());
    socket.on('close', () => this.handler.closed());
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('end', () => {
      this.flush();
      socket.end();
    });
  }

  /** Sends a copy of `source` before the event loop waits again. */
  write(source: Uint8Array): void {
    const bytes = source.length;
    if (this.#socket.writableLength > 0 || bytes > OUTBOX_BYTES / 2) {
      this.flush();
      this.#socket.write(Buffer.from(source));
      return;
    }
    if (outboxUsed + bytes > OUTBOX_BYTES) flushAll();
    if (this.#to !== outboxUsed || this.#from === this.#to) {
      this.flush();
      this.#from = outboxUsed;
      waiting.push(this);
    }
    outbox.set(source, outboxUsed);
    outboxUsed += bytes;
    this.#to = outboxUsed;
    if (!isFlushDue) {
      isFlushDue = true;
      setImmediate(flushAll);
    }
  }

  /** Hands what waits in the outbox to the host. */
  flush(): void {
    const from = this.#from;
    const to = this.#to;
    if (from === to) return;
    this.#from = this.#to = 0;
    this.#socket.write(outbox.subarray(from, to));
    if (this.#socket.writableLength > 0) isHeld = true;
  }

  /** Bytes that the host has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength + this.#to - this.#from;
  }

  /** Stops and goes on reading: what the peer sends meanwhile waits in its own buffers. */
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }

  /** Closes after what was written has left, without waiting for the peer to close its end. */
  end(): void {
    this.flush();
    this.#socket.end(() => this.#socket.destroy());
  }
  destroy(): void {
    this.#from = this.#to = 0;
    this.#socket.destroy();
  }

  setKeepAlive(seconds: number): void {
    if (seconds > 0) this.#socket.setKeepAlive(true, seconds * 1000);
  }

  /** "address:port" of the peer and of this end; a Unix socket is "path:0". */
  describe(path: string | undefined): { peer: string; local: string } {
    const socket = this.#socket;
    if (path !== undefined) return { peer: `${path}:0`, local: `${path}:0` };
    return {
      peer: endpoint(socket.remoteAddress, socket.remotePort),
      local: endpoint(socket.localAddress, socket.localPort),
    };
  }
}

function endpoint(address: string | undefined, port: number | undefined): string {
  const plain = (address ?? '?').replace(/^::ffff:/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? 0}`;
}

/** A place to listen at: an address with a port (0 = any free one), or the path of a Unix socket. */
export type ListenAt = { host: string; port: number } | { path: string };

export interface Listener {
  /** The port that was taken; 0 for a Unix socket. */
  port: number;
  /** Stops listening, at once; connections stay. */
  close(): void;
}

/**
 * Listens and hands each connection to `accept`, which sets its handler before it returns.
 * Rejects with the host's error, e.g. code EADDRINUSE.
 */
export function listen(at: ListenAt, accept: (connection: Connection) => void): Promise<Listener> {
  const server = createServer(
    { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
    (socket) => {
      const connection = new Connection(
        withSharedBuffer(socket, (bytes) => connection.handler.received(bytes)),
      );
      accept(connection);
    },
  );
  if ('path' in at && existsSync(at.path)) unlinkSync(at.path);
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(missingDirectory(at) ?? listenError(error));
    server.once('error', failed);
    server.listen({ ...at, backlog: 511 }, () => {
      server.off('error', failed);
      const address = server.address();
      resolve({ port: isAddress(address) ? address.port : 0, close: () => void server.close() });
    });
  });
}

/** Node says EACCES when a socket's directory is not there. */
function missingDirectory(at: ListenAt): Error | undefined {
  const directory = 'path' in at ? dirname(resolve(at.path)) : undefined;
  if (directory === undefined || !isGranted({ name: 'read', path: directory })) return undefined;
  return existsSync(directory) ? undefined : new Error(`there is no directory ${directory}`);
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/**
 * Reads of the accepted connection land in `readBuffer`. Node has the option `onread` for sockets that connect, not
 * for accepted ones, so the connection is moved to a socket that has it; where that does not work, the ordinary
 * 'data' event does the same with an allocation per read.
 */
function withSharedBuffer(accepted: Socket, received: (bytes: Uint8Array) => void): Socket {
  const inner = accepted as unknown as { _handle?: object | null };
  const handle = inner._handle;
  if (handle === undefined || handle === null) {
    accepted.on('data', received);
    accepted.resume();
    return accepted;
  }
  inner._handle = null;
  const onread = {
    buffer: readBuffer,
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      received(bytes === READ_BYTES ? buffer : buffer.subarray(0, bytes));
      return true;
    },
  };
  const socket = new Socket({
    handle,
    onread,
    allowHalfOpen: true,
    readable: true,
    writable: true,
  } as object);
  socket.resume();
  return socket;
}
