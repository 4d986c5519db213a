// Random calls of WASI by the program of tests/wasi/reactor.ts: the same seed makes the same calls, so that
// two kinds of directories can be compared.

import { DIRENT_BYTES, RIGHT, type WasiFunction } from '../../host/wasi/abi.ts';
import type { Random } from '../random.ts';

/** Calls functions of a program, and reads and writes its memory. */
export interface Caller {
  call(name: WasiFunction, ...args: (number | bigint)[]): number;
  write(address: number, bytes: Uint8Array): void;
  read(address: number, bytes: number): Uint8Array;
}

const ROOT = 3;
const DESCRIPTORS = 10;
const PATH = 1024;
const SECOND = 8192;
const VECTORS = 16384;
const RESULT = 16640;
const BUFFER = 20480;
const BUFFER_BYTES = 32768;
const ALL = (1n << 30n) - 1n;

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export class RandomCalls {
  readonly trace: string[] = [];
  readonly #on: Caller;
  readonly #random: Random;

  constructor(on: Caller, random: Random) {
    this.#on = on;
    this.#random = random;
  }

  /** Closes everything but the root. */
  closeAll(): void {
    for (let fd = ROOT + 1; fd < ROOT + 60; fd++) this.#on.call('fd_close', fd);
  }

  step(): void {
    const acts = [
      () => this.#open(),
      () => this.#open(),
      () => this.#open(),
      () => this.#write(),
      () => this.#write(),
      () => this.#read(),
      () => this.#seek(),
      () => this.#paths(),
      () => this.#paths(),
      () => this.#paths(),
      () => this.#links(),
      () => this.#descriptor(),
      () => this.#stat(),
      () => this.#list(),
    ];
    acts[this.#random.below(acts.length)]!();
  }

  #say(what: string, ...values: unknown[]): void {
    this.trace.push(`${what} ${values.map(String).join(' ')}`);
  }

  #name(): string {
    const random = this.#random;
    const rare = ['.', '..', '', 'x'.repeat(255), 'x'.repeat(256), 'é', 'a\0b', 'a/', './'];
    return random.chance(0.12) ? random.pick(rare) : random.pick(['a', 'b', 'c', 'd', 'e']);
  }

  #path(): string {
    const depth = this.#random.chance(0.6) ? 1 : 1 + this.#random.below(3);
    const parts = Array.from({ length: depth }, () => this.#name());
    const path = parts.join('/');
    if (this.#random.chance(0.02)) return `/${path}`;
    return this.#random.chance(0.08) ? `${path}/` : path;
  }

  #put(text: string, address = PATH): [number, number] {
    const bytes = new TextEncoder().encode(text);
    this.#on.write(address, bytes);
    return [address, bytes.length];
  }

  #fd(): number {
    return ROOT + this.#random.below(DESCRIPTORS);
  }

  #directory(): number {
    return this.#random.chance(0.75) ? ROOT : this.#fd();
  }

  #u32(address: number): number {
    return view(this.#on.read(address, 4)).getUint32(0, true);
  }

  #open(): void {
    const random = this.#random;
    const [fd, path] = [this.#directory(), this.#path()];
    const oflags = random.pick([0, 0, 1, 1, 1, 2, 5, 8, 9, 3, 13, 15]);
    const rights = random.pick([ALL, ALL, ALL, BigInt(RIGHT.FD_READ), BigInt(RIGHT.FD_WRITE), 0n]);
    const fdflags = random.pick([0, 0, 0, 1, 4]);
    const follow = random.below(2);
    const base = oflags & 2 ? rights & ~BigInt(RIGHT.FD_WRITE) : rights;
    const args = [fd, follow, ...this.#put(path), oflags, base, ALL, fdflags, RESULT] as const;
    const result = this.#on.call('path_open', ...args);
    const opened = result === 0 ? this.#u32(RESULT) : -1;
    this.#say('open', fd, path, oflags, base, fdflags, follow, '=', result, opened);
    if (opened >= ROOT + DESCRIPTORS) this.#on.call('fd_close', opened);
  }

  /** Two buffers of a vectored call. */
  #vectors(bytes: number): void {
    const words = new Uint8Array(16);
    const first = this.#random.below(bytes + 1);
    view(words).setUint32(0, BUFFER, true);
    view(words).setUint32(4, first, true);
    view(words).setUint32(8, BUFFER + first, true);
    view(words).setUint32(12, bytes - first, true);
    this.#on.write(VECTORS, words);
  }

  #length(): number {
    return this.#random.below(this.#random.chance(0.2) ? 20000 : 200);
  }

  #write(): void {
    const [fd, bytes, at] = [this.#fd(), this.#length(), BigInt(this.#random.below(60000))];
    this.#on.write(BUFFER, new Uint8Array(bytes).fill(this.#random.below(255) + 1));
    this.#vectors(bytes);
    const result = this.#random.chance(0.5)
      ? this.#on.call('fd_write', fd, VECTORS, 2, RESULT)
      : this.#on.call('fd_pwrite', fd, VECTORS, 2, at, RESULT);
    this.#say('write', fd, bytes, at, '=', result, result === 0 ? this.#u32(RESULT) : '');
  }

  #read(): void {
    const [fd, bytes, at] = [this.#fd(), this.#length(), BigInt(this.#random.below(60000))];
    this.#vectors(bytes);
    const result = this.#random.chance(0.5)
      ? this.#on.call('fd_read', fd, VECTORS, 2, RESULT)
      : this.#on.call('fd_pread', fd, VECTORS, 2, at, RESULT);
    const got = result === 0 ? this.#u32(RESULT) : 0;
    this.#say('read', fd, bytes, at, '=', result, got, summed(this.#on.read(BUFFER, got)));
  }

  #seek(): void {
    const [fd, whence] = [this.#fd(), this.#random.below(4)];
    const by = BigInt(this.#random.below(70000) - 20000);
    const result = this.#random.chance(0.3)
      ? this.#on.call('fd_tell', fd, RESULT)
      : this.#on.call('fd_seek', fd, by, whence, RESULT);
    this.#say('seek', fd, by, whence, '=', result, result === 0 ? this.#u32(RESULT) : '');
  }

  #paths(): void {
    const random = this.#random;
    const [fd, path] = [this.#directory(), this.#path()];
    const act = random.below(5);
    const at = this.#put(path);
    if (act === 0) this.#say('mkdir', fd, path, this.#on.call('path_create_directory', fd, ...at));
    if (act === 1) this.#say('rmdir', fd, path, this.#on.call('path_remove_directory', fd, ...at));
    if (act === 2) this.#say('unlink', fd, path, this.#on.call('path_unlink_file', fd, ...at));
    if (act < 3) return;
    const [toFd, to] = [this.#directory(), this.#path()];
    const second = this.#put(to, SECOND);
    const result =
      act === 3
        ? this.#on.call('path_rename', fd, ...at, toFd, ...second)
        : this.#on.call('path_link', fd, 0, ...at, toFd, ...second);
    this.#say(act === 3 ? 'rename' : 'link', fd, path, toFd, to, '=', result);
  }

  #links(): void {
    const [fd, path, text] = [this.#directory(), this.#path(), this.#path()];
    if (this.#random.chance(0.6)) {
      const result = this.#on.call(
        'path_symlink',
        ...this.#put(text, SECOND),
        fd,
        ...this.#put(path),
      );
      return this.#say('symlink', text, fd, path, '=', result);
    }
    const bytes = this.#random.below(40);
    const args = [fd, ...this.#put(path), BUFFER, bytes, RESULT] as const;
    const result = this.#on.call('path_readlink', ...args);
    const got = result === 0 ? this.#u32(RESULT) : 0;
    this.#say('readlink', fd, path, '=', result, summed(this.#on.read(BUFFER, got)));
  }

  #descriptor(): void {
    const random = this.#random;
    const [fd, other] = [ROOT + 1 + random.below(DESCRIPTORS), this.#fd()];
    const size = BigInt(random.below(50000));
    const time = BigInt(random.below(2 ** 31)) * 1000000000n;
    const acts: [string, () => number][] = [
      ['close', () => this.#on.call('fd_close', fd)],
      ['size', () => this.#on.call('fd_filestat_set_size', fd, size)],
      ['allocate', () => this.#on.call('fd_allocate', fd, size, 100n)],
      ['flags', () => this.#on.call('fd_fdstat_set_flags', fd, random.pick([0, 1, 4, 5]))],
      ['renumber', () => this.#on.call('fd_renumber', fd, other === ROOT ? fd : other)],
      ['sync', () => this.#on.call('fd_sync', fd)],
      ['datasync', () => this.#on.call('fd_datasync', fd)],
      ['advise', () => this.#on.call('fd_advise', fd, 0n, 0n, random.below(7))],
      ['times', () => this.#on.call('fd_filestat_set_times', fd, time, time + 7000n, 5)],
      [
        'rights',
        () => this.#on.call('fd_fdstat_set_rights', fd, ALL >> BigInt(random.below(30)), ALL),
      ],
      ['fdstat', () => this.#on.call('fd_fdstat_get', fd, RESULT)],
    ];
    const [what, act] = acts[random.below(acts.length)]!;
    const result = act();
    const stat = what === 'fdstat' && result === 0 ? summed(this.#on.read(RESULT, 24)) : '';
    this.#say(what, fd, other, size, time, '=', result, stat);
  }

  /** Size, links and times of directories depend on the kind of file system. */
  #stat(): void {
    const [fd, path, follow] = [this.#directory(), this.#path(), this.#random.below(2)];
    const own = this.#fd();
    const result = this.#random.chance(0.5)
      ? this.#on.call('path_filestat_get', fd, follow, ...this.#put(path), RESULT)
      : this.#on.call('fd_filestat_get', own, RESULT);
    const stat = view(this.#on.read(RESULT, 64));
    const type = result === 0 ? stat.getUint8(16) : 0;
    const isFile = type === 4 || type === 7;
    const numbers = isFile ? [stat.getBigUint64(24, true), stat.getBigUint64(32, true)] : [];
    this.#say('stat', fd, path, follow, own, '=', result, type, ...numbers);
  }

  /** The whole directory, by parts of a random size. */
  #list(): void {
    const fd = this.#random.chance(0.5) ? ROOT : this.#fd();
    const bytes = 300 + this.#random.below(BUFFER_BYTES - 300);
    const names: string[] = [];
    let cookie = 0n;
    let result: number;
    for (;;) {
      result = this.#on.call('fd_readdir', fd, BUFFER, bytes, cookie, RESULT);
      if (result !== 0) break;
      const used = this.#u32(RESULT);
      const part = this.#on.read(BUFFER, used);
      let at = 0;
      for (; at + DIRENT_BYTES <= used;) {
        const length = view(part).getUint32(at + 16, true);
        if (at + DIRENT_BYTES + length > used) break;
        const name = part.slice(at + DIRENT_BYTES, at + DIRENT_BYTES + length);
        names.push(`${new TextDecoder().decode(name)}:${part[at + 20]}`);
        cookie = view(part).getBigUint64(at, true);
        at += DIRENT_BYTES + length;
      }
      if (used < bytes) break;
    }
    this.#say('list', fd, '=', result, names.sort().join(','));
  }
}

/** A short form of bytes. */
function summed(bytes: Uint8Array): string {
  let sum = bytes.length;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return sum.toString(16);
}
