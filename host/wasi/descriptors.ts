// The descriptors of one vCPU: what each stands for and what may be done with it. A descriptor that a program did not get
// from here does not exist, whatever number it tries.

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
  /** Where it was found, for hosts that cannot name a descriptor. */
  readonly path: string;
  /** Closing it closes the host's; a standard stream stays open. */
  readonly owned: boolean;
  /** Rights, and those that what is opened through it can have at most. */
  base: number;
  inheriting: number;
  flags: number;
  /** Of files: where the next read or write happens. */
  position: number;
  /** Name of a preopened directory. */
  readonly preopen: string | undefined;
  /** Of directories: the names as they were when reading them began. */
  listing: readonly string[] | undefined;
  /** Of streams: bytes that poll_oneoff has read in order to see whether there are any. */
  peeked: Uint8Array | undefined;
  /** Of streams: descriptors that read and write without waiting; undefined = not asked for yet, `host` = there is none. */
  reader: number | undefined;
  writer: number | undefined;
}

/** Descriptor to read a stream by: one that does not wait, where the thread may have to be ended while it does. */
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

/** Files keep their position here; everything else has one of its own, or none. */
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

  /** Standard streams at 0 to 2, preopened directories from 3 on. Fails with the host's error. */
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

  /** The lowest free number from 3 on. Fails with EMFILE. */
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

  /** Fails with EBADF when there is none, with ENOTCAPABLE when it lacks a right. */
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

  /** What was `from` is `to` from now on; what was `to` is closed. Both must be open. */
  renumber(from: number, to: number): void {
    const entry = this.get(from);
    this.get(to);
    if (from >>> 0 === to >>> 0) return;
    this.close(to);
    this.#entries[to >>> 0] = entry;
    this.#entries[from >>> 0] = undefined;
  }

  /** The host's descriptor of an entry is another from now on. */
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
    return undefined; // closed: so it is for the program
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
