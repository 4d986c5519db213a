// A worker that keeps a fixed number of SETs of 1 KB to random keys outstanding at a server and times each reply. It
// shares the cores with the server, so it allocates nothing per command: every connection owns one ring of commands
// in which only the keys change, and a command's place is written again only after its reply has come.

import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { LatencyHistogram } from './latency-histogram.ts';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  /** Keys are key:0 to key:N-1. */
  readonly keys: number;
}

/** What became of the replies of one phase. */
export interface PhaseResult {
  readonly count: number;
  readonly seconds: number;
  readonly maxMs: number;
  readonly p999Ms: number;
  readonly p99Ms: number;
}

const { port, connections, pipeline, keys } = workerData as LoadOptions;
const READ_BYTES = 65536;
const VALUE_BYTES = 1024;
const REPLY = Buffer.from('+OK\r\n');
const PREFIX = Buffer.from('*3\r\n$3\r\nSET\r\n$');
const AFTER_LENGTH = Buffer.from('\r\nkey:');
const HEADER_BYTES_MAX = 64;
const FILLER = 0x78;
/** All commands are equally long: a short key's value is some bytes longer. */
const COMMAND_BYTES = PREFIX.length + 2 + AFTER_LENGTH.length + 7 + 9 + VALUE_BYTES;

let histogram = new LatencyHistogram();
let phaseStart = performance.now();

class LoadConnection {
  readonly #socket: Socket;
  readonly #ring = Buffer.alloc(pipeline * COMMAND_BYTES, FILLER);
  readonly #sentAt = new Float64Array(pipeline);
  readonly #read = Buffer.alloc(READ_BYTES);
  #next = 0;
  /** Bytes of a reply that has come in part. */
  #partial = 0;

  constructor() {
    const onread = { buffer: this.#read, callback: (bytes: number) => this.#received(bytes) };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.once('connect', () => this.#send(pipeline, performance.now()));
    this.#socket.once('error', (error) => {
      throw error;
    });
    for (let i = 0; i < pipeline; i++) {
      PREFIX.copy(this.#ring, i * COMMAND_BYTES);
      this.#ring.write('\r\n', (i + 1) * COMMAND_BYTES - 2);
    }
  }

  #received(bytes: number): boolean {
    const now = performance.now();
    this.#check(bytes);
    const replies = Math.floor((this.#partial + bytes) / REPLY.length);
    this.#partial = (this.#partial + bytes) % REPLY.length;
    for (let i = 0; i < replies;) {
      const at = (this.#next + i) % pipeline;
      let same = 1;
      while (i + same < replies && this.#sentAt[(at + same) % pipeline] === this.#sentAt[at])
        same++;
      histogram.add((now - this.#sentAt[at]!) * 1000, same);
      i += same;
    }
    this.#send(replies, now);
    return true;
  }

  /** Only +OK is expected: the first byte of each chunk tells an error from it, as far as it starts a reply. */
  #check(bytes: number): void {
    if (this.#read[0] === REPLY[this.#partial % REPLY.length]) return;
    throw new Error(`reply to SET: ${this.#read.toString('latin1', 0, Math.min(bytes, 200))}`);
  }

  /** The oldest `count` commands of the ring have been answered: new ones take their places. */
  #send(count: number, now: number): void {
    const first = this.#next;
    for (let i = 0; i < count; i++) {
      this.#writeCommand(this.#next, Math.floor(Math.random() * keys));
      this.#sentAt[this.#next] = now;
      this.#next = (this.#next + 1) % pipeline;
    }
    const end = first + count;
    this.#write(first, Math.min(end, pipeline));
    if (end > pipeline) this.#write(0, end - pipeline);
  }

  #write(from: number, to: number): void {
    if (to > from)
      this.#socket.write(this.#ring.subarray(from * COMMAND_BYTES, to * COMMAND_BYTES));
  }

  #writeCommand(index: number, key: number): void {
    const ring = this.#ring;
    const start = index * COMMAND_BYTES;
    let digits = 1;
    for (let power = 10; key >= power; power *= 10) digits++;
    let at = decimal(ring, start + PREFIX.length, 4 + digits, digits < 6 ? 1 : 2);
    at += AFTER_LENGTH.copy(ring, at);
    at = decimal(ring, at, key, digits);
    const valueBytes = COMMAND_BYTES - 2 - (at - start) - 9;
    ring[at++] = 0x0d;
    ring[at++] = 0x0a;
    ring[at++] = 0x24;
    at = decimal(ring, at, valueBytes, 4);
    ring[at++] = 0x0d;
    ring[at++] = 0x0a;
    ring.fill(FILLER, at, start + HEADER_BYTES_MAX);
  }
}

function decimal(ring: Buffer, at: number, value: number, digits: number): number {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    ring[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}

for (let i = 0; i < connections; i++) new LoadConnection();

/** Every message ends a phase and is answered with its result. */
parentPort!.on('message', () => {
  const now = performance.now();
  const result: PhaseResult = {
    count: histogram.count,
    seconds: (now - phaseStart) / 1000,
    maxMs: histogram.maxUs / 1000,
    p999Ms: histogram.percentileUs(0.999) / 1000,
    p99Ms: histogram.percentileUs(0.99) / 1000,
  };
  histogram = new LatencyHistogram();
  phaseStart = now;
  parentPort!.postMessage(result);
});
