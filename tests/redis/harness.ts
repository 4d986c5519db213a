/**
 * The Redis guest without a VM: dist/wasm/redis.wasm on a plain shared memory, libdbos and the front end as
 * stubs.
 *
 * Covers effects and replies of commands; snapshots and sockets are tested elsewhere.
 */
import { readFileSync } from 'node:fs';

import { FLAG_CLOSE, FLAG_EVENTS, FLAG_MORE } from '../../guest/redis/abi.ts';
import { Random } from '../random.ts';
import { encode, ReplyReader, textOf, type Argument, type ReplyOf } from './resp.ts';

/** What guests get from the system: hash seeds, the choices of RANDOMKEY and of evictions. */
const random = Random.forTest('the guest');

const WINDOW_BYTES = 65536;

/** A module of the build that RZ_WASM names. */
function built(name: string): URL {
  return new URL(`../../${process.env['RZ_WASM'] ?? 'wasm'}/${name}`, import.meta.url);
}

export type Reply = ReplyOf<string>;

export interface GuestOptions {
  /** Pages of 64 KiB beyond which memory.grow is refused; default 65536. */
  pages?: number;
  databases?: number;
  /** Unix time in ms; default the real time, which stands still. Move it with `guest.now`. */
  now?: number;
  /** Replaces or adds imports of libdbos: `syscall` and so on. */
  libdbos?: Record<string, (...args: number[]) => number | void>;
}

interface GuestExports {
  init(rx: number, rxBytes: number, databases: number, nowMs: number): number;
  connect(infoBytes: number, isUnix: number, nowMs: number): number;
  receive(slot: number, bytes: number, nowMs: number, nowUs: number): number;
  resume(slot: number, nowMs: number, nowUs: number): number;
  queued(slot: number, bytes: number, blocks: number, nowMs: number): number;
  output(slot: number): void;
  disconnect(slot: number): void;
  cron(nowMs: number, nowUs: number): number;
  hz(): number;
  ioBlock(): number;
  nextEvent(): number;
  setOption(nameBytes: number, valueBytes: number): number;
  composedAddress(): number;
  composedBytes(): number;
}

export class Client {
  readonly guest: RedisGuest;
  readonly slot: number;
  isClosed = false;

  constructor(guest: RedisGuest, slot: number) {
    this.guest = guest;
    this.slot = slot;
  }

  /** Sends bytes, in chunks no longer than the window; returns the bytes that came back. */
  send(bytes: Uint8Array | string, chunkBytes = WINDOW_BYTES): Uint8Array {
    const input = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    const replies: Uint8Array[] = [];
    for (let at = 0; at < input.length && !this.isClosed; at += chunkBytes) {
      const chunk = input.subarray(at, at + chunkBytes);
      this.guest.write(chunk);
      this.#settle(this.guest.call('receive', this.slot, chunk.length), replies);
    }
    return Buffer.concat(replies);
  }

  #settle(first: number, replies: Uint8Array[]): void {
    let flags = first;
    replies.push(this.guest.takeReply());
    while (flags & FLAG_MORE) {
      flags = this.guest.call('resume', this.slot);
      replies.push(this.guest.takeReply());
    }
    if (flags & FLAG_EVENTS) this.guest.drainEvents();
    if (flags & FLAG_CLOSE) this.close();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.guest.exports.disconnect(this.slot);
  }

  /** Sends one command and returns its reply. */
  command(...args: Argument[]): Reply {
    return new ReplyReader(this.send(encode(...args)), textOf).next();
  }

  /** Sends one line as typed by a person: words between blanks, no quotes. */
  line(text: string): Reply {
    return this.command(...text.split(' '));
  }

  /** Sends raw bytes and returns the reply as text. */
  raw(bytes: Uint8Array | string, chunkBytes = WINDOW_BYTES): string {
    return Buffer.from(this.send(bytes, chunkBytes)).toString('latin1');
  }

  /** Sends commands at once and returns their replies. */
  pipeline(commands: readonly (readonly Argument[])[]): Reply[] {
    const input = Buffer.concat(commands.map((args) => encode(...args)));
    const reader = new ReplyReader(this.send(input), textOf);
    const replies: Reply[] = [];
    while (!reader.isAtEnd) replies.push(reader.next());
    return replies;
  }
}

export class RedisGuest {
  readonly memory: WebAssembly.Memory;
  readonly exports: GuestExports;
  /** Unix time in ms that the guest is told. */
  now: number;
  /** Events that the guest has posted: kind << 24 | argument. */
  readonly events: number[] = [];
  readonly #window: number;

  constructor(options: GuestOptions = {}) {
    const module = new WebAssembly.Module(readFileSync(built('redis.wasm')));
    this.memory = new WebAssembly.Memory({
      initial: 8,
      maximum: options.pages ?? 65536,
      shared: true,
    });
    this.now = options.now ?? Date.now();
    const memory = this.memory;
    const libdbos: Record<string, (...args: number[]) => number | void> = {
      syscall: (number, address, bytes) => {
        if (number !== 10) return -38;
        const view = new Uint8Array(memory.buffer);
        for (let i = 0; i < bytes!; i++) view[address! + i] = random.below(256);
        return bytes!;
      },
      spawn: () => -38,
      childStatus: () => -11,
      killChild: () => {},
      setHandler: () => {},
      forget: () => {},
      fetch: (address, bytes, target) =>
        void new Uint8Array(memory.buffer).copyWithin(
          target! >>> 0,
          address! >>> 0,
          (address! >>> 0) + bytes!,
        ),
      counter: () => 0,
      safepoint: () => {},
      ...options.libdbos,
    };
    const encoder = new WebAssembly.Instance(
      new WebAssembly.Module(readFileSync(built('redis-encoder.wasm'))),
      { env: { memory }, libdbos },
    ).exports as WebAssembly.ModuleImports;
    const instance = new WebAssembly.Instance(module, {
      env: { memory, abort: () => {} },
      libdbos,
      encoder,
      redis: {
        hostInfo: () => 0,
        clockUs: () => performance.now() * 1000,
        udfLoad: () => 0,
        udfCall: () => 0,
        udfAnswer: () => 0,
        udfPart: () => 0,
        rewriteConfig: () => 0,
      },
    });
    this.exports = instance.exports as unknown as GuestExports;
    this.exports.init(0, WINDOW_BYTES, options.databases ?? 16, this.now);
    this.#window = new Uint32Array(this.memory.buffer, this.exports.ioBlock(), 3)[2]!;
    this.setOption('enable-debug-command', 'local');
  }

  write(bytes: Uint8Array): void {
    new Uint8Array(this.memory.buffer).set(bytes, this.#window);
  }

  call(name: 'receive', slot: number, bytes: number): number;
  call(name: 'resume', slot: number): number;
  call(name: 'receive' | 'resume', slot: number, bytes = 0): number {
    const us = performance.now() * 1000;
    if (name === 'receive') return this.exports.receive(slot, bytes, this.now, us);
    return this.exports.resume(slot, this.now, us);
  }

  /** The reply of the last call. */
  takeReply(): Uint8Array {
    const [address, bytes] = new Uint32Array(this.memory.buffer, this.exports.ioBlock(), 2);
    return new Uint8Array(this.memory.buffer).slice(address, address! + bytes!);
  }

  /** Output for a client that was not running; the guest frees it. */
  output(slot: number): string {
    let text = '';
    for (;;) {
      this.exports.output(slot);
      const part = this.takeReply();
      if (part.length === 0) return text;
      text += Buffer.from(part).toString('latin1');
    }
  }

  /** A client from an address, or over the Unix socket of a path. */
  connect(from = '127.0.0.1:50000', isUnix = false): Client {
    const info = Buffer.from(`${from}\x00127.0.0.1:6379`);
    this.write(info);
    const slot = this.exports.connect(info.length, isUnix ? 1 : 0, this.now);
    if (slot < 0) throw new Error(Buffer.from(this.takeReply()).toString('latin1').trim());
    return new Client(this, slot);
  }

  cron(): void {
    const flags = this.exports.cron(this.now, performance.now() * 1000);
    if (flags & FLAG_EVENTS) this.drainEvents();
  }

  drainEvents(): void {
    for (let event = this.exports.nextEvent(); event !== 0; event = this.exports.nextEvent())
      this.events.push(event);
  }

  /** Sets an option as the command line does. */
  setOption(name: string, value: string): number {
    this.write(Buffer.from(name + value, 'latin1'));
    return this.exports.setOption(name.length, value.length);
  }

  /** Why the last setOption() failed. */
  failure(): string {
    const start = this.exports.composedAddress() >>> 0;
    const bytes = new Uint8Array(this.memory.buffer).slice(
      start,
      start + this.exports.composedBytes(),
    );
    return Buffer.from(bytes).toString('latin1');
  }
}
