// Sockets of Node for servers: listening, and connections that receive into one buffer, reused for every read
// of every connection.

import { createServer, Socket, type AddressInfo } from 'node:net';
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Backlog } from './backlog.ts';
import { isGranted, listenError } from './deno.ts';

/** What a server does with the events of a connection. */
export interface ConnectionHandler {
  /** `bytes` is valid only during the call. */
  received(bytes: Uint8Array): void;
  /**
   * The backlog has changed: the number of bytes that wait for the socket, and of the memory blocks they are
   * in.
   */
  queued(bytes: number, blocks: number): void;
  closed(): void;
}

/** Whose sockets cannot be moved from one object to another. */
const isBun = 'Bun' in globalThis;
const READ_BYTES = 65536;
/** Bytes of a backlog that are handed to a socket in one call. */
const SEND_BYTES = 2 ** 20;
const NOTHING = Buffer.alloc(0);
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

// Replies wait here until the end of the turn of the event loop, and are then written one after the other.
// Most of a write's cost is waking a sleeping peer: in a burst, only the first write finds the peer asleep.
const OUTBOX_BYTES = 256 * 1024;
let outbox = Buffer.allocUnsafeSlow(OUTBOX_BYTES);
let outboxUsed = 0;
let isFlushDue = false;
/** A socket is still sending from the outbox, so it must not be overwritten. */
let isHeld = false;
const waiting: Connection[] = [];
/**
 * flushAll() runs: the outbox is not free until it ends. A handler that is told of a backlog may write to
 * other connections.
 */
let isFlushing = false;

function flushAll(): void {
  isFlushDue = false;
  isFlushing = true;
  for (const connection of waiting) connection.flush(); // those that are added meanwhile, too
  isFlushing = false;
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
  /** Bytes and blocks that the socket has and has not sent yet; more wait in the backlog. */
  #sendingBytes = 0;
  #sendingBlocks = 0;
  readonly #backlog = new Backlog();
  #afterAll: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('close', () => this.handler.closed());
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => this.#finish(() => socket.end()));
  }

  /** Sends a copy of `source` before the event loop waits again, or as soon as the peer reads. */
  write(source: Uint8Array): void {
    const bytes = source.length;
    if (this.#sendingBlocks > 0) return this.#keep(source);
    const isFull = outboxUsed + bytes > OUTBOX_BYTES;
    if (bytes > OUTBOX_BYTES / 2 || (isFull && isFlushing)) {
      this.flush();
      if (this.#sendingBlocks > 0) this.#keep(source);
      else this.#send([Buffer.from(source)]);
      return;
    }
    if (isFull) flushAll();
    if (this.#to !== outboxUsed || this.#from === this.#to) {
      this.flush();
      if (this.#sendingBlocks > 0) return this.#keep(source);
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

  #keep(source: Uint8Array): void {
    this.#backlog.push(source);
    this.#report();
  }

  /** Passes the outbox to the host. */
  flush(): void {
    const from = this.#from;
    const to = this.#to;
    if (from === to) return;
    this.#from = this.#to = 0;
    const bytes = outbox.subarray(from, to);
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) return;
    isHeld = true;
    this.#await(bytes.length, 1);
  }

  #send(blocks: Buffer[]): void {
    const socket = this.#socket;
    if (blocks.length > 1) socket.cork();
    for (const block of blocks) socket.write(block);
    if (blocks.length > 1) socket.uncork();
    if (socket.writableLength === 0) return;
    this.#await(
      blocks.reduce((sum, block) => sum + block.length, 0),
      blocks.length,
    );
  }

  /**
   * The socket did not take everything: continues when it has. An empty write completes after those in
   * progress.
   */
  #await(bytes: number, blocks: number): void {
    this.#sendingBytes = bytes;
    this.#sendingBlocks = blocks;
    this.#socket.write(NOTHING, this.#sent);
    this.#report();
  }

  readonly #sent = (): void => {
    this.#sendingBytes = this.#sendingBlocks = 0;
    if (this.#socket.destroyed) return;
    while (this.#backlog.blocks > 0 && this.#sendingBlocks === 0)
      this.#send(this.#backlog.take(SEND_BYTES));
    if (this.#sendingBlocks > 0) return;
    this.#report();
    this.#afterAll?.();
  };

  #report(): void {
    this.handler.queued(
      this.#sendingBytes + this.#backlog.bytes,
      this.#sendingBlocks + this.#backlog.blocks,
    );
  }

  /** True while the socket has not taken everything. */
  get isBacklogged(): boolean {
    return this.#sendingBlocks > 0;
  }

  /** Calls `then` when the socket has taken everything: now or later. */
  #finish(then: () => void): void {
    this.flush();
    if (this.#sendingBlocks > 0) this.#afterAll = then;
    else then();
  }

  /** Closes after everything written has been sent, without waiting for the peer to close its end. */
  end(): void {
    this.#finish(() => this.#socket.end(() => this.#socket.destroy()));
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

/**
 * A place to listen: an address with a port (0 = any free one), or the path of a Unix socket, whose file gets
 * the permissions `mode`, or those of the umask.
 */
export type ListenAt = ({ host: string; port: number } | { path: string; mode?: number }) & {
  /** Connections that may wait to be accepted, as in listen(2). */
  backlog?: number;
};

export interface Listener {
  /** The port in use; 0 for a Unix socket. */
  port: number;
  /** Stops listening immediately; connections stay open. */
  close(): void;
}

/**
 * Listens and passes each connection to `accept`, which sets its handler before it returns. Rejects with the
 * host's error, e.g. code EADDRINUSE.
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
    const { backlog = 511 } = at;
    const place = 'path' in at ? { path: at.path } : { host: at.host, port: at.port };
    server.listen({ ...place, backlog }, () => {
      server.off('error', failed);
      if ('path' in at && at.mode !== undefined) chmodSync(at.path, at.mode);
      const address = server.address();
      resolve({ port: isAddress(address) ? address.port : 0, close: () => void server.close() });
    });
  });
}

/** Node reports EACCES when a socket's directory does not exist. */
function missingDirectory(at: ListenAt): Error | undefined {
  const directory = 'path' in at ? dirname(resolve(at.path)) : undefined;
  if (directory === undefined || !isGranted({ name: 'read', path: directory })) return undefined;
  return existsSync(directory) ? undefined : new Error(`the directory ${directory} does not exist`);
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/**
 * Makes the accepted connection read into `readBuffer`. Node has the option `onread` for sockets that
 * connect, not for accepted ones, so the connection is moved to a socket with that option. Where that does
 * not work, the 'data' event does the same with an allocation per read.
 */
function withSharedBuffer(accepted: Socket, received: (bytes: Uint8Array) => void): Socket {
  const inner = accepted as unknown as { _handle?: object | null };
  const handle = inner._handle;
  if (handle === undefined || handle === null || isBun) {
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
