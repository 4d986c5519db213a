// Files of a VM for JavaScript, by path: `program.fs`, and `fork.fs` in a fork.

import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR } from '../../assembly/abi/errno.ts';
import * as abi from '../../guest/fs/abi.ts';
import { checkNames, checkObject, refuse } from '../errors.ts';
import { kindOf, type Attributes, type FileSystem, type Usage } from './file-system.ts';
import { fileError } from './guest.ts';
import { exportTo, importFrom } from './exchange.ts';
import { existing, find, placeOf } from './paths.ts';

/**
 * What `stat` reports. Times are in milliseconds since 1970.
 *
 * @category Files
 */
export interface FileStat {
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  /** Whether it is a regular file. */
  isFile(): boolean;
  /** Whether it is a directory. */
  isDirectory(): boolean;
  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean;
}

/**
 * An entry of a directory, with `withFileTypes`.
 *
 * @category Files
 */
export interface FileEntry {
  readonly name: string;
  /** Whether it is a regular file. */
  isFile(): boolean;
  /** Whether it is a directory. */
  isDirectory(): boolean;
  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MASK = 0o022; // of permissions, as a process usually has it

function contentOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === 'string') return encoder.encode(data);
  if (!ArrayBuffer.isView(data)) refuse('data', data, 'text or a Uint8Array');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Refuses options that have no effect. */
function checkOptions(options: object, names: Readonly<Record<string, true>>): void {
  checkObject(options);
  checkNames(options, names);
}

function checkWhole(name: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 0)
    refuse(name, value, 'a whole number from 0 on');
}

/**
 * The files in a VM. They are in its memory, so a snapshot has them as they are, and a fork changes its own.
 * Functions are those of `node:fs`, with and without `Sync`; errors have the same codes. Paths begin at the
 * file system's root.
 *
 * @category Files
 */
export class Files {
  /** @internal */
  readonly system: FileSystem;

  /** @internal */
  constructor(system: FileSystem) {
    this.system = system;
  }

  /** The file's content. */
  readFileSync(path: string): Uint8Array;
  /** The file's content as text. */
  readFileSync(path: string, encoding: 'utf8'): string;
  readFileSync(path: string, encoding?: 'utf8'): Uint8Array | string {
    if (encoding !== undefined && encoding !== 'utf8') refuse('encoding', encoding, "'utf8'");
    const ino = this.#file(path);
    const content = new Uint8Array(this.system.size(ino));
    const bytes = this.system.read(ino, 0, content);
    const whole = content.subarray(0, bytes);
    return encoding === undefined ? whole : decoder.decode(whole);
  }

  /** Replaces the file. `flag`: 'w' (default), 'wx' (must not exist), 'a' (append). */
  writeFileSync(
    path: string,
    data: string | Uint8Array,
    options: { mode?: number; flag?: 'w' | 'wx' | 'a' } = {},
  ): void {
    checkOptions(options, { mode: true, flag: true });
    const { mode = 0o666, flag = 'w' } = options;
    checkWhole('mode', mode);
    if (!['w', 'wx', 'a'].includes(flag)) refuse('flag', flag, "'w', 'wx' or 'a'");
    const content = contentOf(data);
    const place = placeOf(this.system, path, flag !== 'wx');
    if (place.ino !== 0 && flag === 'wx') throw fileError(EEXIST, path);
    const ino =
      place.ino === 0
        ? this.system.make(place.parent, place.name, abi.TYPE_FILE | (mode & ~MASK))
        : this.#checkedFile(place.ino, path);
    if (flag !== 'a') this.system.resize(ino, 0);
    this.system.write(ino, this.system.size(ino), content);
  }

  /** Adds to the end of the file, which is made if it is missing. */
  appendFileSync(path: string, data: string | Uint8Array): void {
    this.writeFileSync(path, data, { flag: 'a' });
  }

  /** The names in the directory, without `.` and `..`. */
  readdirSync(path: string): string[];
  /** The entries of the directory, without `.` and `..`. */
  readdirSync(path: string, options: { withFileTypes: true }): FileEntry[];
  readdirSync(path: string, options?: { withFileTypes?: boolean }): string[] | FileEntry[] {
    const ino = existing(this.system, path);
    const all: FileEntry[] = [];
    for (let cookie = 0; ;) {
      const some = this.system.list(ino, cookie);
      if (some.length === 0) break;
      for (const { name, type } of some) all.push({ name, ...kinds(type) });
      cookie = some.at(-1)!.cookie;
    }
    return options?.withFileTypes === true ? all : all.map(({ name }) => name);
  }

  /** What the file is; of a link, what it leads to. */
  statSync(path: string): FileStat {
    return statOf(this.system.attributes(existing(this.system, path)));
  }

  /** What the file is; of a link, the link itself. */
  lstatSync(path: string): FileStat {
    return statOf(this.system.attributes(existing(this.system, path, false)));
  }

  /** Whether a file of that path exists; false for a link that leads nowhere. */
  existsSync(path: string): boolean {
    try {
      return find(this.system, path, true).ino !== 0;
    } catch {
      return false;
    }
  }

  /** Makes a directory; with `recursive` those above it too, and it may exist. */
  mkdirSync(path: string, options: { recursive?: boolean; mode?: number } = {}): void {
    checkOptions(options, { recursive: true, mode: true });
    const { recursive = false, mode = 0o777 } = options;
    checkWhole('mode', mode);
    if (recursive) {
      this.#directory(path, mode & ~MASK);
      return;
    }
    const place = find(this.system, path, false);
    if (place.ino !== 0) throw fileError(EEXIST, path);
    this.system.make(place.parent, place.name, abi.TYPE_DIRECTORY | (mode & ~MASK));
  }

  /** Removes a file, or with `recursive` a directory. `force`: it need not exist. */
  rmSync(path: string, options: { recursive?: boolean; force?: boolean } = {}): void {
    checkOptions(options, { recursive: true, force: true });
    const { recursive = false, force = false } = options;
    const place = find(this.system, path, false);
    if (place.ino === 0) {
      if (force) return;
      throw fileError(ENOENT, path);
    }
    if (place.name === '') throw fileError(EINVAL, path);
    if (!this.system.isDirectory(place.ino)) this.system.unlink(place.parent, place.name);
    else if (recursive) this.#removeAll(place.parent, place.name, place.ino);
    else throw fileError(EISDIR, path);
  }

  /** Removes an empty directory. */
  rmdirSync(path: string): void {
    const { parent, name } = placeOf(this.system, path);
    this.system.removeDirectory(parent, name);
  }

  /** Removes a name of a file. The file ends with its last name and descriptor. */
  unlinkSync(path: string): void {
    const { parent, name } = placeOf(this.system, path);
    this.system.unlink(parent, name);
  }

  /** Gives a file another path, in place of a file that has it. */
  renameSync(from: string, to: string): void {
    const old = placeOf(this.system, from);
    const fresh = placeOf(this.system, to);
    this.system.rename(old.parent, old.name, fresh.parent, fresh.name);
  }

  /** Gives a file one more name. */
  linkSync(from: string, to: string): void {
    const ino = existing(this.system, from, false);
    const { parent, name } = placeOf(this.system, to);
    this.system.link(ino, parent, name);
  }

  /** Makes a symbolic link. */
  symlinkSync(target: string, path: string): void {
    if (typeof target !== 'string') refuse('target', target, 'text');
    if (target === '' || target.includes('\0')) throw fileError(EINVAL, target);
    const { parent, name, ino } = placeOf(this.system, path);
    if (ino !== 0) throw fileError(EEXIST, path);
    this.system.symlink(parent, name, target);
  }

  /** Where a symbolic link leads. */
  readlinkSync(path: string): string {
    const ino = existing(this.system, path, false);
    if (kindOf(this.system.mode(ino)) !== 'link') throw fileError(EINVAL, path);
    return this.system.readLink(ino);
  }

  /** Cuts the file to that many bytes, or fills it with zeros up to them. */
  truncateSync(path: string, bytes = 0): void {
    checkWhole('bytes', bytes);
    this.system.resize(this.#file(path), bytes);
  }

  /** Sets the permissions. */
  chmodSync(path: string, mode: number): void {
    checkWhole('mode', mode);
    const { ino, uid, gid } = this.system.attributes(existing(this.system, path));
    this.system.setMode(ino, mode, uid, gid);
  }

  /** Times in seconds since 1970. */
  utimesSync(path: string, atime: number, mtime: number): void {
    for (const time of [atime, mtime])
      if (!Number.isFinite(time)) refuse('time', time, 'seconds since 1970');
    const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1000n;
    this.system.setTimes(existing(this.system, path), ns(atime), ns(mtime));
  }

  /** Room and number of files. */
  usage(): Usage {
    return this.system.usage();
  }

  /** Copies the content of a directory of the host into a directory of the VM, which is made if missing. */
  importSync(directory: string, to = '/'): void {
    if (typeof directory !== 'string') refuse('directory', directory, 'a path of the host');
    importFrom(this.system, directory, this.#directory(to, 0o755));
  }

  /** Copies the content of a directory of the VM into an existing directory of the host. */
  exportSync(directory: string, from = '/'): void {
    if (typeof directory !== 'string') refuse('directory', directory, 'a path of the host');
    const ino = existing(this.system, from);
    if (!this.system.isDirectory(ino)) throw fileError(ENOTDIR, from);
    exportTo(this.system, ino, directory);
  }

  #file(path: string): number {
    return this.#checkedFile(existing(this.system, path), path);
  }

  #checkedFile(ino: number, path: string): number {
    if (this.system.isDirectory(ino)) throw fileError(EISDIR, path);
    return ino;
  }

  /** The directory of that path, which is made with those above it. */
  #directory(path: string, mode: number): number {
    let made = '';
    let ino: number = abi.ROOT_INODE;
    if (typeof path !== 'string') refuse('path', path, 'text');
    for (const name of path.split('/').filter((part) => part !== '')) {
      made += `/${name}`;
      const place = find(this.system, made, true);
      ino = place.ino;
      if (ino === 0) ino = this.system.make(place.parent, place.name, abi.TYPE_DIRECTORY | mode);
      else if (!this.system.isDirectory(ino)) throw fileError(EEXIST, path);
    }
    return ino;
  }

  #removeAll(parent: number, name: string, ino: number): void {
    for (let some; (some = this.system.list(ino, 0)).length > 0;) {
      for (const entry of some) {
        if (entry.type === abi.TYPE_DIRECTORY) this.#removeAll(ino, entry.name, entry.ino);
        else this.system.unlink(ino, entry.name);
      }
    }
    this.system.removeDirectory(parent, name);
  }

  // The same with promises, for code written for node:fs/promises.

  /** The file's content. */
  readFile(path: string): Promise<Uint8Array>;
  /** The file's content as text. */
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  async readFile(path: string, encoding?: 'utf8'): Promise<Uint8Array | string> {
    return encoding === undefined ? this.readFileSync(path) : this.readFileSync(path, encoding);
  }
  /** As writeFileSync(). */
  async writeFile(...args: Parameters<Files['writeFileSync']>): Promise<void> {
    this.writeFileSync(...args);
  }
  /** As appendFileSync(). */
  async appendFile(path: string, data: string | Uint8Array): Promise<void> {
    this.appendFileSync(path, data);
  }
  /** The names in the directory. */
  readdir(path: string): Promise<string[]>;
  /** The entries of the directory. */
  readdir(path: string, options: { withFileTypes: true }): Promise<FileEntry[]>;
  async readdir(path: string, options?: { withFileTypes: true }): Promise<string[] | FileEntry[]> {
    return options === undefined ? this.readdirSync(path) : this.readdirSync(path, options);
  }
  /** As statSync(). */
  async stat(path: string): Promise<FileStat> {
    return this.statSync(path);
  }
  /** As lstatSync(). */
  async lstat(path: string): Promise<FileStat> {
    return this.lstatSync(path);
  }
  /** As mkdirSync(). */
  async mkdir(...args: Parameters<Files['mkdirSync']>): Promise<void> {
    this.mkdirSync(...args);
  }
  /** As rmSync(). */
  async rm(...args: Parameters<Files['rmSync']>): Promise<void> {
    this.rmSync(...args);
  }
  /** As renameSync(). */
  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }
  /** As importSync(). */
  async import(directory: string, to = '/'): Promise<void> {
    this.importSync(directory, to);
  }
  /** As exportSync(). */
  async export(directory: string, from = '/'): Promise<void> {
    this.exportSync(directory, from);
  }
}

type Kinds = Pick<FileStat, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

function kinds(mode: number): Kinds {
  const kind = kindOf(mode);
  return {
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'directory',
    isSymbolicLink: () => kind === 'link',
  };
}

function statOf(of: Attributes): FileStat {
  const ms = (ns: bigint): number => Number(ns / 1000n) / 1000;
  const { ino, mode, links: nlink, uid, gid, size, blocks } = of;
  return {
    ...{ ino, mode, nlink, uid, gid, size, blocks: blocks * 8 },
    atimeMs: ms(of.atime),
    mtimeMs: ms(of.mtime),
    ctimeMs: ms(of.ctime),
    birthtimeMs: ms(of.birthtime),
    ...kinds(mode),
  };
}
