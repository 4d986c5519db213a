// A worker that keeps a fixed number of commands outstanding at a server, SETs of 1 KB and GETs, and times
// each reply. It shares the cores with the server, so it allocates nothing per command: every connection owns
// one ring of commands in which only the keys change, and a command's place is written again only after its
// reply has come.

import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { LatencyHistogram } from './latency-histogram.ts';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  /** Keys are key:0 to key:N-1. */
  readonly keys: number;
  /** GETs for each SET. */
  readonly readsPerWrite: number;
  /** Keys around the middle one, with a standard deviation of a sixth of all; else each as likely. */
  readonly isGaussian: boolean;
}

/** What became of the replies of one phase. */
export interface PhaseResult {
  readonly count: number;
  readonly seconds: number;
  readonly maxMs: number;
  readonly p999Ms: number;
  readonly p99Ms: number;
}

const { port, connections, pipeline, keys, readsPerWrite, isGaussian } = workerData as LoadOptions;
const READ_BYTES = 65536;
const VALUE_BYTES = 1024;
const [PLUS, DOLLAR, MINUS, ZERO, NEWLINE] = [0x2b, 0x24, 0x2d, 0x30, 0x0a] as const;
const PREFIX = Buffer.from('*3\r\n$3\r\nSET\r\n$');
const GET_PREFIX = Buffer.from('*2\r\n$3\r\nGET\r\n$');
const AFTER_LENGTH = Buffer.from('\r\nkey:');
const HEADER_BYTES_MAX = 64;
const FILLER = 0x78;
/** All SETs are equally long: a short key's value is some bytes longer. */
const COMMAND_BYTES = PREFIX.length + 2 + AFTER_LENGTH.length + 7 + 9 + VALUE_BYTES;

let histogram = new LatencyHistogram();
let phaseStart = performance.now();

function drawKey(): number {
  if (!isGaussian) return Math.floor(Math.random() * keys);
  for (;;) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const key = Math.floor(keys / 2 + (keys / 6) * radius * Math.cos(2 * Math.PI * Math.random()));
    if (key >= 0 && key < keys) return key;
  }
}

class LoadConnection {
  readonly #socket: Socket;
  readonly #ring = Buffer.alloc(pipeline * COMMAND_BYTES, FILLER);
  readonly #bytes = new Uint32Array(pipeline);
  readonly #sentAt = new Float64Array(pipeline);
  readonly #read = Buffer.alloc(READ_BYTES);
  #next = 0;
  /** First byte of the reply whose first line is under way, 0 before it. */
  #kind = 0;
  #length = 0;
  /** Bytes to come of a value. */
  #left = 0;

  constructor() {
    const onread = { buffer: this.#read, callback: (bytes: number) => this.#received(bytes) };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.once('connect', () => this.#send(pipeline, performance.now()));
    this.#socket.once('error', (error) => {
      throw error;
    });
  }

  #received(bytes: number): boolean {
    const now = performance.now();
    const replies = this.#replies(bytes);
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

  /** How many replies end in what was read. */
  #replies(bytes: number): number {
    let replies = 0;
    for (let at = 0; at < bytes;) {
      if (this.#left > 0) {
        const here = Math.min(this.#left, bytes - at);
        at += here;
        this.#left -= here;
        if (this.#left === 0) replies++;
        continue;
      }
      const byte = this.#read[at]!;
      if (this.#kind === 0) {
        if (byte !== PLUS && byte !== DOLLAR) this.#fail(at, bytes);
        this.#kind = byte;
        this.#length = 0;
      } else if (byte === NEWLINE) {
        if (this.#kind === DOLLAR) this.#left = this.#length + 2;
        else replies++;
        this.#kind = 0;
      } else if (this.#kind === DOLLAR && byte >= ZERO) {
        this.#length = this.#length * 10 + byte - ZERO;
      } else if (byte === MINUS) this.#fail(at, bytes);
      at++;
    }
    return replies;
  }

  /** Neither OK nor a value. */
  #fail(at: number, bytes: number): never {
    throw new Error(`reply: ${this.#read.toString('latin1', at, Math.min(bytes, at + 200))}`);
  }

  /** The oldest `count` commands of the ring have been answered: new ones take their places. */
  #send(count: number, now: number): void {
    const first = this.#next;
    for (let i = 0; i < count; i++) {
      const index = this.#next;
      if (Math.random() * (readsPerWrite + 1) < 1) this.#writeSet(index, drawKey());
      else this.#writeGet(index, drawKey());
      this.#sentAt[index] = now;
      this.#next = (index + 1) % pipeline;
    }
    this.#socket.cork();
    const end = first + count;
    this.#write(first, Math.min(end, pipeline));
    if (end > pipeline) this.#write(0, end - pipeline);
    this.#socket.uncork();
  }

  /** In one piece as far as the commands fill their places. */
  #write(from: number, to: number): void {
    for (let start = from; from < to; from++) {
      if (this.#bytes[from] === COMMAND_BYTES && from + 1 < to) continue;
      const end = from * COMMAND_BYTES + this.#bytes[from]!;
      this.#socket.write(this.#ring.subarray(start * COMMAND_BYTES, end));
      start = from + 1;
    }
  }

  #writeGet(index: number, key: number): void {
    const start = index * COMMAND_BYTES;
    this.#bytes[index] = this.#begin(start, GET_PREFIX, key) - start;
  }

  #writeSet(index: number, key: number): void {
    const ring = this.#ring;
    const start = index * COMMAND_BYTES;
    let at = this.#begin(start, PREFIX, key);
    ring[at++] = DOLLAR;
    at = decimal(ring, at, COMMAND_BYTES - 2 - (at - 3 - start) - 9, 4);
    ring[at++] = 0x0d;
    ring[at++] = NEWLINE;
    ring.fill(FILLER, at, start + HEADER_BYTES_MAX);
    ring.write('\r\n', start + COMMAND_BYTES - 2);
    this.#bytes[index] = COMMAND_BYTES;
  }

  /** A command as far as its key; where that ends. */
  #begin(start: number, prefix: Buffer, key: number): number {
    const ring = this.#ring;
    let digits = 1;
    for (let power = 10; key >= power; power *= 10) digits++;
    let at = start + prefix.copy(ring, start);
    at = decimal(ring, at, 4 + digits, digits < 6 ? 1 : 2);
    at += AFTER_LENGTH.copy(ring, at);
    at = decimal(ring, at, key, digits);
    ring[at++] = 0x0d;
    ring[at++] = NEWLINE;
    return at;
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
