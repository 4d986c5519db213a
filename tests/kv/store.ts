// A store for tests: a VM with the guest of guest/kv on a file, its exports with Buffers instead of window
// addresses.

import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENOENT } from '../../assembly/abi/errno.ts';
import * as kv from '../../assembly/abi/kv.ts';
import { OPEN_CREATE, OPEN_READ, OPEN_WRITE } from '../../assembly/abi/syscall.ts';
import { applyBatch, type BatchExports } from '../../host/level/batch.ts';
import { Window } from '../../host/level/window.ts';
import { type Faults, MicroVM, type MicroVMHandle } from '../../host/index.ts';
import { readBuiltModule } from '#platform';

const MIB = 2 ** 20;
const FILE = 'data.rz';
const LOG = 'log.rz';

export type Entry = readonly [key: Buffer, value: Buffer];
export type Change = readonly [key: Buffer, value: Buffer | undefined];

export interface Range {
  low?: Buffer;
  lowOpen?: boolean;
  high?: Buffer;
  highOpen?: boolean;
  reverse?: boolean;
  limit?: number;
}

/** Guest calls of one vCPU. Results are those of the guest: 0 or more, or a negative errno. */
export class Store {
  readonly vm: MicroVM;
  readonly #exports: Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>;
  readonly #memory: Buffer;
  readonly #window: number;

  constructor(vm: MicroVM) {
    this.vm = vm;
    this.#exports = vm.enter().exports;
    this.#memory = Buffer.from(vm.memory.buffer);
    this.#window = this.call('window') >>> 0;
    if (this.#window === 0) throw new Error('no exchange window');
  }

  call(name: string, ...args: number[]): number {
    return Number(this.#exports[name]!(...args));
  }

  openFile(name = FILE): number {
    const bytes = this.#memory.write(name, this.#window);
    return this.call('openFile', bytes, OPEN_READ | OPEN_WRITE | OPEN_CREATE);
  }

  #set(bytes: Buffer, offset = 0): number {
    this.#memory.set(bytes, this.#window + offset);
    return bytes.length;
  }

  #read(offset: number, bytes: number): Buffer {
    return Buffer.from(this.#memory.subarray(this.#window + offset, this.#window + offset + bytes));
  }

  get(key: Buffer): Buffer | number {
    const room = kv.WINDOW_BYTES - kv.VALUE_AT;
    while (true) {
      const length = this.call('get', this.#set(key));
      if (length < 0 || length <= room)
        return length < 0 ? length : this.#read(kv.VALUE_AT, length);
      const parts = [this.#read(kv.VALUE_AT, room)];
      let result = 0;
      for (let offset = room; result >= 0 && offset < length; offset += room) {
        this.#set(key);
        result = this.call('getPart', key.length, offset);
        parts.push(this.#read(kv.VALUE_AT, Math.min(room, length - offset)));
      }
      if (result >= 0) return Buffer.concat(parts);
    }
  }

  put(key: Buffer, value: Buffer): number {
    const room = kv.WINDOW_BYTES - kv.VALUE_AT;
    if (value.length <= room)
      return this.call('put', this.#set(key), this.#set(value, kv.VALUE_AT));
    const begun = this.call('putBegin', this.#set(key));
    if (begun < 0) return begun;
    for (let at = 0; at < value.length; at += room)
      this.call('putPart', this.#set(value.subarray(at, at + room), kv.VALUE_AT));
    return this.call('putEnd');
  }

  del(key: Buffer): number {
    return this.call('del', this.#set(key));
  }

  /**
   * `between`: what other threads do after the first attempt found no room. `isWritten`: as of applyBatch().
   */
  batch(changes: readonly Change[], between = () => {}, isWritten = false): number {
    const operations = changes.map(
      ([key, value]) => ({ type: value === undefined ? 'del' : 'put', key, value }) as const,
    );
    const exports = this.#exports as unknown as BatchExports;
    const batchEnd = (isDone: number): number => {
      const result = exports.batchEnd(isDone);
      if (isDone === 0) between();
      return result;
    };
    const window = new Window(this.vm.memory, this.#window);
    return applyBatch({ ...exports, batchEnd }, window, operations, isWritten);
  }

  getMany(keys: readonly Buffer[]): (Buffer | number)[] {
    const results: (Buffer | number)[] = [];
    while (results.length < keys.length) {
      const rest = keys.slice(results.length);
      let at = 0;
      for (const key of rest) {
        this.#memory.writeUInt32LE(key.length, this.#window + at);
        this.#set(key, at + 4);
        at = (at + 4 + key.length + 3) & ~3;
      }
      const done = this.call('getMany', rest.length, at);
      if (done <= 0) throw new Error(`getMany: ${done}`);
      for (let i = 0; i < done; i++) {
        const length = this.#memory.readInt32LE(this.#window + at);
        at += 4;
        if (length < -4096) results.push(length + 2 ** 31);
        else if (length < 0) results.push(length);
        else {
          results.push(this.#read(at, length));
          at = (at + length + 3) & ~3;
        }
      }
    }
    return results;
  }

  #bounds({ low, lowOpen, high, highOpen, reverse }: Range): [bytes: number, flags: number] {
    let at = 0;
    for (const bound of [low, high]) {
      this.#memory.writeUInt32LE(bound?.length ?? 0, this.#window + at);
      if (bound !== undefined) this.#set(bound, at + 4);
      at = (at + 4 + (bound?.length ?? 0) + 3) & ~3;
    }
    const flags =
      (low === undefined ? 0 : kv.SCAN_HAS_LOW) |
      (high === undefined ? 0 : kv.SCAN_HAS_HIGH) |
      (lowOpen === true ? kv.SCAN_LOW_OPEN : 0) |
      (highOpen === true ? kv.SCAN_HIGH_OPEN : 0) |
      (reverse === true ? kv.SCAN_REVERSE : 0);
    return [at, flags];
  }

  /** One call of the guest: what fitted the window. */
  scan(range: Range): Entry[] {
    const [bytes, flags] = this.#bounds(range);
    const result = this.call('scan', bytes, flags, range.limit ?? 2 ** 30);
    if (result < 0) throw new Error(`scan: ${result}`);
    const found = result & ~(kv.SCAN_ENDED | kv.SCAN_ASCII);
    const entries: [Buffer, Buffer | undefined][] = [];
    let at = kv.SCAN_DATA;
    for (let i = 0; i < found; i++) {
      const lengths = this.#window + kv.SCAN_AT + i * 8;
      const keyBytes = this.#memory.readUInt32LE(lengths);
      const valueBytes = this.#memory.readUInt32LE(lengths + 4);
      const isElsewhere = valueBytes >= kv.VALUE_ELSEWHERE;
      const inline = isElsewhere ? 0 : valueBytes;
      const value = isElsewhere ? undefined : this.#read(at + keyBytes, inline);
      entries.push([this.#read(at, keyBytes), value]);
      at += keyBytes + inline;
    }
    return entries.flatMap(([key, value]) => {
      const there = value ?? this.get(key);
      if (there === -ENOENT) return []; // another thread removed it
      if (typeof there === 'number') throw new Error(`scan: ${there}`);
      return [[key, there]];
    });
  }

  /** A whole range, in as many calls as needed. */
  all(range: Range): Entry[] {
    const entries: Entry[] = [];
    const rest = { ...range };
    while (entries.length < (range.limit ?? Infinity)) {
      const piece = this.scan({ ...rest, limit: (range.limit ?? 2 ** 30) - entries.length });
      if (piece.length === 0) break;
      entries.push(...piece);
      const last = piece.at(-1)![0];
      if (range.reverse === true) Object.assign(rest, { high: last, highOpen: true });
      else Object.assign(rest, { low: last, lowOpen: true });
    }
    return entries;
  }

  clear(range: Range): number {
    for (let removed = 0; ;) {
      const [bytes, flags] = this.#bounds(range);
      const result = this.call('clear', bytes, flags);
      if (result < 0) return result;
      removed += result & ~kv.SCAN_ENDED;
      if (result & kv.SCAN_ENDED) return removed;
    }
  }
}

interface TestStore {
  store: Store;
  directory: string;
  path: string;
  /** Closes the VM; the directory stays until remove(). */
  end(): Promise<void>;
  remove(): void;
}

/** A VM on the store in `directory`; a new store, or an existing one. */
export async function openStore(
  frames: number,
  options: {
    directory?: string;
    memory?: number;
    rings?: boolean;
    faults?: Faults;
    log?: boolean;
    recover?: boolean;
  } = {},
): Promise<TestStore & { result: number }> {
  const isNew = options.directory === undefined;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'ringzero-kv-'));
  const path = join(directory, FILE);
  if (isNew) closeSync(openSync(path, 'w'));
  const vm = await MicroVM.create({
    guest: readBuiltModule('kv.wasm'),
    linked: true,
    memory: options.memory ?? 64 * MIB,
    preopen: directory,
    rings: options.rings ?? false,
    ...(options.faults && { faults: options.faults }),
  });
  const store = new Store(vm);
  const file = store.openFile();
  const hasLog = options.log ?? false;
  const logFile = hasLog || existsSync(join(directory, LOG)) ? store.openFile(LOG) : -1;
  const result = store.call(
    isNew ? 'format' : 'open',
    file,
    frames,
    logFile,
    hasLog ? 1 : 0,
    options.recover === true ? 1 : 0,
  );
  return {
    store,
    directory,
    path,
    result,
    end: () => vm.close(),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** The store of another thread's VM, on this thread. */
export async function joinStore(handle: MicroVMHandle, hasLog = false): Promise<Store> {
  const store = new Store(await MicroVM.attach(handle));
  store.openFile();
  if (hasLog) store.openFile(LOG);
  const result = store.call('join');
  if (result !== 0) throw new Error(`cannot join the store: ${result}`);
  return store;
}
