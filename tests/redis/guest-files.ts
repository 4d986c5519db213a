// Files and children for a guest without a VM: system calls on a real directory, and a spawn that runs the
// child at once.

import * as fs from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as nr from '../../assembly/abi/syscall.ts';
import { EAGAIN, EBADF, EINVAL, EIO, ENOENT } from '../../assembly/abi/errno.ts';
import { RedisGuest, type GuestOptions } from './harness.ts';

type Call = (...args: number[]) => number;

/** A guest with its files in `dir`. */
export class FileGuest {
  readonly guest: RedisGuest;
  readonly dir: string;
  readonly logs: string[] = [];
  readonly forgotten: [number, number][] = [];
  /** Set to make a system call fail: returns a negative errno, or undefined to let it happen. */
  interfere: ((number: number, args: number[]) => number | undefined) | undefined;
  /** What childStatus() returns while this is set, instead of the child's result. */
  childIs: number | undefined;
  #memory: WebAssembly.Memory | undefined;
  #results: number[] = [];
  readonly #open = new Map<number, number>();

  constructor(dir?: string, options: GuestOptions = {}) {
    this.dir = dir ?? mkdtempSync(join(tmpdir(), 'ringzero-rdb-'));
    this.guest = new RedisGuest({
      ...options,
      libdbos: {
        syscall: (number, a, b, c, d) => this.#syscall(number!, [a!, b!, c!, d!]),
        spawn: (fn) => {
          const table = (this.guest.exports as unknown as { table: WebAssembly.Table }).table;
          this.#results.push((table.get(fn!) as Call)(0));
          return 7;
        },
        childStatus: () => this.childIs ?? this.#results.pop() ?? -EAGAIN,
        forget: (address, bytes) => void this.forgotten.push([address! >>> 0, bytes! >>> 0]),
        ...options.libdbos,
      },
    });
    this.#memory = this.guest.memory;
  }

  /** Loads a file of the directory. */
  load(name: string): number {
    this.guest.setOption('dbfilename', name);
    let result = this.startLoad();
    while (result > 0) result = this.loadMore(2 ** 32 - 1);
    this.guest.setOption('dbfilename', 'dump.rdb');
    return result;
  }

  startLoad(): number {
    return (this.guest.exports as unknown as { startLoad(): number }).startLoad();
  }

  loadMore(bytes: number): number {
    interface Calls {
      loadMore(bytes: number, nowMs: number, nowUs: number): number;
    }
    const { loadMore } = this.guest.exports as unknown as Calls;
    return loadMore(bytes, this.guest.now, 0);
  }

  remove(): void {
    for (const host of this.#open.values()) fs.closeSync(host);
    rmSync(this.dir, { recursive: true, force: true });
  }

  #bytes(at: number, count: number): Uint8Array {
    return new Uint8Array(this.#memory!.buffer, at >>> 0, count);
  }

  #path(at: number, bytes: number): string {
    return join(this.dir, Buffer.from(this.#bytes(at, bytes)).toString());
  }

  #syscall(number: number, args: number[]): number {
    const [a, b, c, d] = args as [number, number, number, number];
    if (this.#memory === undefined) return number === nr.SYS_RANDOM ? b : -EINVAL;
    const forced = this.interfere?.(number, args);
    if (forced !== undefined) return forced;
    try {
      return this.#run(number, a, b, c, d);
    } catch (error) {
      return (error as { code?: string }).code === 'ENOENT' ? -ENOENT : -EIO;
    }
  }

  #run(number: number, a: number, b: number, c: number, d: number): number {
    switch (number) {
      case nr.SYS_OPEN: {
        const host = fs.openSync(this.#path(a, b), c & nr.OPEN_WRITE ? 'w' : 'r');
        this.#open.set(host, host);
        return host;
      }
      case nr.SYS_CLOSE:
        if (!this.#open.delete(a)) return -EBADF;
        fs.closeSync(a);
        return 0;
      case nr.SYS_READ: {
        // Short reads, as from the host's staging.
        const chunk = new Uint8Array(Math.min(c, 65536));
        const got = fs.readSync(a, chunk);
        this.#bytes(b, got).set(chunk.subarray(0, got));
        return got;
      }
      case nr.SYS_WRITE:
        return fs.writeSync(a, this.#bytes(b, Math.min(c, 65536)).slice());
      case nr.SYS_SYNC:
        fs.fsyncSync(a);
        return 0;
      case nr.SYS_RENAME:
        fs.renameSync(this.#path(a, b), this.#path(c, d));
        return 0;
      case nr.SYS_UNLINK:
        fs.unlinkSync(this.#path(a, b));
        return 0;
      case nr.SYS_SIZE:
        new DataView(this.#memory!.buffer).setBigUint64(b, BigInt(fs.fstatSync(a).size), true);
        return 0;
      case nr.SYS_LOG:
        this.logs.push(Buffer.from(this.#bytes(b, c)).toString());
        return 0;
      default:
        return 0;
    }
  }
}

/** Makes guests, in new directories or in given ones, that are removed after a suite. */
export function guestsOf(suite: { after(hook: () => void): void }): (dir?: string) => FileGuest {
  const guests: FileGuest[] = [];
  suite.after(() => guests.forEach((guest) => guest.remove()));
  return (dir) => {
    const guest = new FileGuest(dir);
    guests.push(guest);
    return guest;
  };
}
