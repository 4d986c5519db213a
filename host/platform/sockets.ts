// Sockets of Node for the servers: listening, and connections whose bytes arrive in one buffer that is used again
// for every read of every connection.

import { createServer, Socket, type AddressInfo } from 'node:net';
import { existsSync, unlinkSync } from 'node:fs';

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
const scratchBytes = 65536;
let scratch = Buffer.allocUnsafeSlow(scratchBytes);

/** One end of a connection. */
export class Connection {
  readonly #socket: Socket;
  handler!: ConnectionHandler;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.handler.drained());
    socket.on('close', () => this.handler.closed());
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('end', () => socket.end());
  }

  /**
   * Sends a copy of `source`. The copy is made in one buffer that all connections use: when the host takes all bytes
   * at once, as it nearly always does, nothing is allocated.
   */
  write(source: Uint8Array): void {
    const socket = this.#socket;
    if (source.length > scratchBytes) {
      socket.write(Buffer.from(source));
      return;
    }
    scratch.set(source);
    socket.write(scratch.subarray(0, source.length));
    if (socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(scratchBytes); // the old one is still being sent
  }

  /** Bytes that the host has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength;
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
    this.#socket.end(() => this.#socket.destroy());
  }
  destroy(): void {
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
    server.once('error', reject);
    server.listen({ ...at, backlog: 511 }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve({ port: isAddress(address) ? address.port : 0, close: () => void server.close() });
    });
  });
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
