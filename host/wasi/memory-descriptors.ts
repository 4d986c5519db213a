// Descriptors of files in the VM. Their state is in the records of guest/fs: a fork begins with the
// descriptors that its parent had.

import * as abi from '../../guest/fs/abi.ts';
import { kindOf } from '../files/file-system.ts';
import { find } from '../files/paths.ts';
import type { FileKind } from '../platform/file-facts.ts';
import type { Descriptor, NewDescriptor } from './descriptors.ts';
import type { MemoryFiles } from './memory-files.ts';
import type { PreopenedDirectory } from './options.ts';

const DIRECTORY_MODE = 0o755;

export class MemoryDescriptor implements Descriptor {
  readonly backend: MemoryFiles;
  readonly kind: FileKind;
  readonly path = '';
  readonly owned = true;
  readonly preopen: string | undefined;
  listing: undefined;
  peeked: undefined;
  reader: undefined;
  writer: undefined;
  #record: number;
  #number: number;
  #base: number;
  #inheriting: number;
  #flags: number;

  constructor(
    backend: MemoryFiles,
    state: Pick<Descriptor, 'host' | 'kind' | 'base' | 'inheriting' | 'flags' | 'preopen'>,
    number: number,
  ) {
    this.backend = backend;
    this.kind = state.kind;
    this.preopen = state.preopen;
    this.#record = state.host;
    this.#number = number;
    this.#base = state.base;
    this.#inheriting = state.inheriting;
    this.#flags = state.flags;
    this.#save();
  }

  #save(): void {
    const [number, flags, base, inheriting] = [
      this.#number,
      this.#flags,
      this.#base,
      this.#inheriting,
    ];
    this.backend.describe(this.#record, number, flags, base, inheriting);
  }

  /** The record; another one takes over the state. */
  get host(): number {
    return this.#record;
  }
  set host(record: number) {
    const { position } = this;
    this.#record = record;
    this.position = position;
    this.#save();
  }

  get position(): number {
    return this.backend.files.guest.calls.position(this.#record);
  }
  set position(to: number) {
    this.backend.files.guest.calls.seek(this.#record, to);
  }

  get number(): number {
    return this.#number;
  }
  set number(value: number) {
    this.#number = value;
    this.#save();
  }

  get base(): number {
    return this.#base;
  }
  set base(value: number) {
    this.#base = value;
    this.#save();
  }

  get inheriting(): number {
    return this.#inheriting;
  }
  set inheriting(value: number) {
    this.#inheriting = value;
    this.#save();
  }

  get flags(): number {
    return this.#flags;
  }
  set flags(value: number) {
    this.#flags = value;
    this.#save();
  }
}

/** The directory of a preopened name, made with those above it. */
export function directoryOfName({ files }: Pick<MemoryFiles, 'files'>, name: string): number {
  let ino: number = abi.ROOT_INODE;
  let path = '';
  for (const part of name.split('/').filter((word) => word !== '' && word !== '.')) {
    path += `/${part}`;
    const found = find(files, path, true);
    const mode = abi.TYPE_DIRECTORY | DIRECTORY_MODE;
    ino = found.ino === 0 ? files.make(found.parent, found.name, mode) : found.ino;
  }
  return ino;
}

export function openPreopen(
  memory: MemoryFiles,
  { name }: PreopenedDirectory,
  index: number,
  rights: { base: number; inheriting: number },
): NewDescriptor {
  const record = memory.open(directoryOfName(memory, name), 0);
  memory.setWord(record, abi.OPEN_PREOPEN, index + 1);
  return { backend: memory, host: record, kind: 'directory', preopen: name, ...rights };
}

/** The descriptors that the owner has. */
export function adoptPreopens(
  memory: MemoryFiles,
  preopens: readonly PreopenedDirectory[],
): MemoryDescriptor[] {
  return [...memory.owned()].map((record) => {
    const word = (field: number): number => memory.word(record, field);
    const state = {
      host: record,
      kind: kindOf(memory.files.mode(memory.ino(record))),
      base: word(abi.OPEN_BASE),
      inheriting: word(abi.OPEN_INHERITING),
      flags: word(abi.OPEN_FLAGS),
      preopen: preopens[word(abi.OPEN_PREOPEN) - 1]?.name,
    };
    return new MemoryDescriptor(memory, state, word(abi.OPEN_NUMBER));
  });
}
