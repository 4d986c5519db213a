// The files that ring entries may name: a table outside the VM's memory, so that a guest cannot forge a row.
//
//   row    the host's descriptor + 1, 0 = free, -1 = being written; operations in flight; number of files it has had
//   name   length, and the name by which another thread can open the file, where descriptors belong to a thread
//
// Interface   register() by SYS_RING_FILE, unregister() before the host closes the file; begin() and end()
//             around each operation of the service.
// Invariants  FILE-1  No operation is in flight on a closed file, whose descriptor may already be another
//                     file's. begin() counts itself before it reads the row, unregister() clears the row
//                     before it reads the count.
// Concurrency Atomics on a shared table; any thread. One object per thread: it keeps that thread's own
//             descriptors, each until its row names another file.

import { RING_FILES_MAX } from '../../assembly/abi/ring.ts';
import { files } from '#platform';

const HOST = 0;
const UNDER_WAY = 1;
const GENERATION = 2;
const NAME_LENGTH = 3;
const ROW_WORDS = 4;
const WRITING = -1;
/** A path of 4096 bytes, and what surrounds it. */
const NAME_BYTES = 8192;
const NAMES_AT = RING_FILES_MAX * ROW_WORDS * 4;

/** A file that this thread has opened itself. */
interface Own {
  generation: number;
  descriptor: number;
}

export class RingFiles {
  readonly shared: SharedArrayBuffer;
  readonly #rows: Int32Array;
  readonly #own: (Own | undefined)[] = [];

  constructor(shared = new SharedArrayBuffer(NAMES_AT + RING_FILES_MAX * NAME_BYTES)) {
    this.shared = shared;
    this.#rows = new Int32Array(shared, 0, RING_FILES_MAX * ROW_WORDS);
  }

  /** Number of the file, the same as before if it already has one; -1 when the table is full. */
  register(host: number): number {
    for (let file = 0; file < RING_FILES_MAX; file++)
      if (Atomics.load(this.#rows, file * ROW_WORDS) === host + 1) return file;
    const name = files.nameOf(host);
    for (let file = 0; file < RING_FILES_MAX; file++) {
      const row = file * ROW_WORDS;
      if (Atomics.compareExchange(this.#rows, row + HOST, 0, WRITING) !== 0) continue;
      Atomics.add(this.#rows, row + GENERATION, 1);
      this.#putName(file, name);
      Atomics.store(this.#rows, row + HOST, host + 1);
      return file;
    }
    return -1;
  }

  /** False while operations on it are in flight: then nothing changes. */
  unregister(host: number): boolean {
    for (let file = 0; file < RING_FILES_MAX; file++) {
      const row = file * ROW_WORDS;
      if (Atomics.compareExchange(this.#rows, row + HOST, host + 1, 0) !== host + 1) continue;
      if (Atomics.load(this.#rows, row + UNDER_WAY) === 0) return true;
      Atomics.store(this.#rows, row + HOST, host + 1);
      return false;
    }
    return true;
  }

  /**
   * A descriptor of this thread, in use until end(); undefined when the file does not exist, or this thread
   * cannot open it.
   */
  begin(file: number): number | undefined {
    if (file >= RING_FILES_MAX) return undefined;
    const row = file * ROW_WORDS;
    Atomics.add(this.#rows, row + UNDER_WAY, 1);
    const host = Atomics.load(this.#rows, row + HOST) - 1;
    const descriptor = host < 0 ? undefined : this.#descriptor(file, host);
    if (descriptor === undefined) this.end(file);
    return descriptor;
  }

  end(file: number): void {
    Atomics.sub(this.#rows, file * ROW_WORDS + UNDER_WAY, 1);
  }

  #putName(file: number, name: string | undefined): void {
    const bytes = new TextEncoder().encode(name ?? '');
    const length = bytes.length <= NAME_BYTES ? bytes.length : 0;
    new Uint8Array(this.shared, NAMES_AT + file * NAME_BYTES).set(bytes.subarray(0, length));
    Atomics.store(this.#rows, file * ROW_WORDS + NAME_LENGTH, length);
  }

  /** The host's descriptor where threads share them; else this thread's, opened the first time. */
  #descriptor(file: number, host: number): number | undefined {
    const length = Atomics.load(this.#rows, file * ROW_WORDS + NAME_LENGTH);
    if (length === 0) return host;
    const generation = Atomics.load(this.#rows, file * ROW_WORDS + GENERATION);
    const own = this.#own[file];
    if (own?.generation === generation) return own.descriptor;
    this.#own[file] = undefined;
    if (own !== undefined) files.close(own.descriptor);
    const bytes = new Uint8Array(this.shared, NAMES_AT + file * NAME_BYTES, length).slice();
    try {
      const descriptor = files.adopt(new TextDecoder().decode(bytes));
      this.#own[file] = { generation, descriptor };
      return descriptor;
    } catch {
      return undefined;
    }
  }
}
