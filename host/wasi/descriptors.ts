// The descriptors of one vCPU: what each refers to, and what may be done with it. A program can use only
// descriptors that it got from here.

import { descriptors as host, OPEN, openRoot, withoutWaiting } from '#platform/beneath';
import { HOST, type Backend } from './backend.ts';
import { adoptPreopens, MemoryDescriptor, openPreopen } from './memory-descriptors.ts';
import type { MemoryFiles } from './memory-files.ts';
import type { Directory, FileKind } from '../platform/file-facts.ts';
import {
  CHANGING_RIGHTS,
  DIRECTORY_RIGHTS,
  FILE_RIGHTS,
  FILETYPE,
  RIGHT,
  STREAM_RIGHTS,
  WasiError,
} from './abi.ts';
import type { PreopenedDirectory } from './options.ts';

const DESCRIPTORS_MAX = 1024;
const STREAMS = 3;
/** Holds a number while descriptors are made. */
const RESERVED = {} as Descriptor;

export interface Descriptor {
  /** The backend's descriptor. */
  host: number;
  readonly backend: Backend;
  readonly kind: FileKind;
  /** The path where it was found, for hosts that cannot name a descriptor. */
  readonly path: string;
  /** Whether closing it closes the host's descriptor; a standard stream stays open. */
  readonly owned: boolean;
  /** Rights, and the most that a descriptor opened through it can have. */
  base: number;
  inheriting: number;
  flags: number;
  /** Of files: the position of the next read or write. */
  position: number;
  /** Name of a preopened directory. */
  readonly preopen: string | undefined;
  /** Of directories: the names when the listing began. */
  listing: readonly string[] | undefined;
  /** Of streams: bytes that poll_oneoff read to find out whether there are any. */
  peeked: Uint8Array | undefined;
  /**
   * Of streams: non-blocking descriptors to read and write; undefined = not asked for yet, `host` = there is
   * none.
   */
  reader: number | undefined;
  writer: number | undefined;
}

/** Descriptor for reading a stream: a non-blocking one, so that the thread can be ended during the wait. */
export function readerOf(entry: Descriptor): number {
  return (entry.reader ??= endable(entry, OPEN.read));
}

export function writerOf(entry: Descriptor): number {
  return (entry.writer ??= endable(entry, OPEN.write));
}

const endable = (entry: Descriptor, flags: number): number =>
  (isSeekable(entry) ? undefined : withoutWaiting(entry.host, flags)) ?? entry.host;

function closeEndables(entry: Descriptor): void {
  for (const descriptor of [entry.reader, entry.writer])
    if (descriptor !== undefined && descriptor !== entry.host) host.close(descriptor);
  entry.reader = entry.writer = undefined;
}

/** The position of a file is kept here; other kinds have their own, or none. */
export const isSeekable = ({ kind }: Descriptor): boolean => kind === 'file' || kind === 'block';

export const asDirectory = ({ backend, host: descriptor, path }: Descriptor): Directory =>
  backend.directoryOf(descriptor, path);

export const fileType = (kind: FileKind): number => FILETYPE[kind];

export type NewDescriptor = Pick<Descriptor, 'host' | 'kind' | 'base' | 'inheriting'> &
  Partial<Omit<Descriptor, 'host' | 'kind' | 'base' | 'inheriting'>>;

function complete(entry: NewDescriptor): Descriptor {
  return {
    backend: HOST,
    path: '',
    owned: true,
    flags: 0,
    position: 0,
    preopen: undefined,
    listing: undefined,
    peeked: undefined,
    reader: undefined,
    writer: undefined,
    ...entry,
  };
}

export class Descriptors {
  readonly #entries: (Descriptor | undefined)[] = [];

  /**
   * Standard streams at 0 to 2, preopened directories from 3. `adopts`: descriptors of files in the VM are
   * those that their owner has open there, with their numbers. Fails with the host's error.
   */
  constructor(
    streams: readonly number[],
    preopens: readonly PreopenedDirectory[],
    memory: MemoryFiles | undefined,
    adopts: boolean,
  ) {
    for (const [index, stream] of streams.entries()) this.#entries[index] = openStream(stream);
    for (const [index, preopen] of preopens.entries()) {
      const entry = preopen.memory ? undefined : openDirectory(preopen);
      if (entry !== undefined) this.add(entry);
      else if (!adopts) this.add(openPreopen(memory!, preopen, index, rightsOf(preopen)));
      else this.#entries[STREAMS + index] = RESERVED; // its number is taken, unless it was closed
    }
    if (memory === undefined) return;
    if (adopts) this.#adopt(memory, preopens);
  }

  #adopt(memory: MemoryFiles, preopens: readonly PreopenedDirectory[]): void {
    for (const [number, entry] of this.#entries.entries())
      if (entry === RESERVED) this.#entries[number] = undefined;
    for (const entry of adoptPreopens(memory, preopens)) {
      if (entry.number >= DESCRIPTORS_MAX) continue; // the program has damaged it
      const taken = this.#entries[entry.number];
      if (taken?.owned === true) taken.backend.descriptors.close(taken.host);
      this.#entries[entry.number] = entry;
    }
  }

  /** The lowest free number from 3. Fails with EMFILE. */
  add(entry: NewDescriptor): number {
    let number = STREAMS;
    while (this.#entries[number] !== undefined) number++;
    const { backend = HOST } = entry;
    if (number >= DESCRIPTORS_MAX) {
      backend.descriptors.close(entry.host);
      throw new WasiError('MFILE');
    }
    const whole = complete(entry);
    this.#entries[number] =
      backend.memory === undefined ? whole : new MemoryDescriptor(backend.memory, whole, number);
    return number;
  }

  /** Fails with EBADF when it does not exist, with ENOTCAPABLE when it lacks a right. */
  get(number: number, rights = 0): Descriptor {
    const entry = this.#entries[number >>> 0];
    if (entry === undefined) throw new WasiError('BADF');
    if ((entry.base & rights) !== rights) throw new WasiError('NOTCAPABLE');
    return entry;
  }

  /** A directory to look up a path in. */
  directory(number: number, rights: number): Descriptor {
    const entry = this.get(number);
    if (entry.kind !== 'directory') throw new WasiError('NOTDIR');
    return this.get(number, rights);
  }

  /** A file to read or write: never a directory. */
  file(number: number, rights = 0): Descriptor {
    const entry = this.get(number);
    if (entry.kind === 'directory') throw new WasiError('BADF');
    return this.get(number, rights);
  }

  close(number: number): void {
    const entry = this.get(number);
    this.#entries[number >>> 0] = undefined;
    closeEndables(entry);
    if (entry.owned) entry.backend.descriptors.close(entry.host);
  }

  /** Moves descriptor `from` to `to`, and closes what was `to`. Both must be open. */
  renumber(from: number, to: number): void {
    const entry = this.get(from);
    this.get(to);
    if (from >>> 0 === to >>> 0) return;
    this.close(to);
    this.#entries[to >>> 0] = entry;
    this.#entries[from >>> 0] = undefined;
    if (entry instanceof MemoryDescriptor) entry.number = to >>> 0;
  }

  /** Replaces the host's descriptor of an entry. */
  replaceHost(entry: Descriptor, fresh: number): void {
    closeEndables(entry);
    const old = entry.host;
    entry.host = fresh;
    entry.backend.descriptors.close(old);
  }

  /** `keeps`: what is open in the VM stays so, for the next call on a snapshot. */
  closeAll(keeps: boolean): void {
    for (const [number, entry] of this.#entries.entries()) {
      if (entry === undefined || (keeps && entry instanceof MemoryDescriptor)) continue;
      this.close(number);
    }
  }
}

const rightsOf = ({ readOnly }: PreopenedDirectory): { base: number; inheriting: number } => {
  const kept = readOnly ? ~CHANGING_RIGHTS : -1;
  return { base: DIRECTORY_RIGHTS & kept, inheriting: (DIRECTORY_RIGHTS | FILE_RIGHTS) & kept };
};

function openDirectory(preopen: PreopenedDirectory): NewDescriptor {
  const { name, path } = preopen;
  const { descriptor } = openRoot(path);
  return { host: descriptor, kind: 'directory', path, preopen: name, ...rightsOf(preopen) };
}

function openStream(stream: number): Descriptor | undefined {
  let kind: FileKind;
  try {
    kind = host.facts(stream).kind;
  } catch {
    return undefined; // closed for the program too
  }
  const isPlain = kind === 'file' || (kind === 'character' && !host.isTerminal(stream));
  const base = isPlain
    ? FILE_RIGHTS
    : STREAM_RIGHTS | (kind === 'socket' ? RIGHT.SOCK_SHUTDOWN : 0);
  return complete({
    host: stream,
    kind: kind === 'file' ? 'unknown' : kind,
    owned: false,
    base,
    inheriting: 0,
  });
}
