// The descriptors of one vCPU: what each refers to, and what may be done with it. A program can use only
// descriptors that it got from here.

import {
  descriptors as host,
  directoryOf,
  OPEN,
  openRoot,
  withoutWaiting,
} from '#platform/beneath';
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

export interface Descriptor {
  host: number;
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

export const asDirectory = (entry: Descriptor): Directory => directoryOf(entry.host, entry.path);

export const fileType = (kind: FileKind): number => FILETYPE[kind];

type NewDescriptor = Pick<Descriptor, 'host' | 'kind' | 'base' | 'inheriting'> &
  Partial<Omit<Descriptor, 'host' | 'kind' | 'base' | 'inheriting'>>;

function complete(entry: NewDescriptor): Descriptor {
  return {
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

  /** Standard streams at 0 to 2, preopened directories from 3. Fails with the host's error. */
  constructor(streams: readonly number[], preopens: readonly PreopenedDirectory[]) {
    for (const [index, stream] of streams.entries()) this.#entries[index] = openStream(stream);
    for (const { name, path, readOnly } of preopens) {
      const { descriptor } = openRoot(path);
      const kept = readOnly ? ~CHANGING_RIGHTS : -1;
      this.add({
        host: descriptor,
        kind: 'directory',
        path,
        preopen: name,
        base: DIRECTORY_RIGHTS & kept,
        inheriting: (DIRECTORY_RIGHTS | FILE_RIGHTS) & kept,
      });
    }
  }

  /** The lowest free number from 3. Fails with EMFILE. */
  add(entry: NewDescriptor): number {
    let number = STREAMS;
    while (this.#entries[number] !== undefined) number++;
    if (number >= DESCRIPTORS_MAX) {
      host.close(entry.host);
      throw new WasiError('MFILE');
    }
    this.#entries[number] = complete(entry);
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
    if (entry.owned) host.close(entry.host);
  }

  /** Moves descriptor `from` to `to`, and closes what was `to`. Both must be open. */
  renumber(from: number, to: number): void {
    const entry = this.get(from);
    this.get(to);
    if (from >>> 0 === to >>> 0) return;
    this.close(to);
    this.#entries[to >>> 0] = entry;
    this.#entries[from >>> 0] = undefined;
  }

  /** Replaces the host's descriptor of an entry. */
  replaceHost(entry: Descriptor, fresh: number): void {
    closeEndables(entry);
    host.close(entry.host);
    entry.host = fresh;
  }

  closeAll(): void {
    for (const [number, entry] of this.#entries.entries()) {
      if (entry !== undefined) this.close(number);
    }
  }
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
