// The files that entries of rings may name: a table of the VM, outside its memory, so that no guest can forge a row.
//
// Interface   register() by SYS_RING_FILE, unregister() before the host closes the file; begin() and end() around each
//             operation of the service.
// Invariants  FILE-1  No operation is under way on a file that is closed: its number could be another file's by then. begin()
//                     counts itself before it reads the row, unregister() clears the row before it reads the count.
// Concurrency Atomics on a shared table; any thread.

import { RING_FILES_MAX } from '../../assembly/abi/ring.ts';

/** Words of a row: the host's descriptor + 1, 0 = free; operations under way. */
const ROW_WORDS = 2;

export class RingFiles {
  readonly shared: SharedArrayBuffer;
  readonly #rows: Int32Array;

  constructor(shared = new SharedArrayBuffer(RING_FILES_MAX * ROW_WORDS * 4)) {
    this.shared = shared;
    this.#rows = new Int32Array(shared);
  }

  /** Number of the file, the same as before if it has one; -1 when the table is full. */
  register(host: number): number {
    for (let file = 0; file < RING_FILES_MAX; file++)
      if (Atomics.load(this.#rows, file * ROW_WORDS) === host + 1) return file;
    for (let file = 0; file < RING_FILES_MAX; file++)
      if (Atomics.compareExchange(this.#rows, file * ROW_WORDS, 0, host + 1) === 0) return file;
    return -1;
  }

  /** False while operations are under way on it: then nothing has changed. */
  unregister(host: number): boolean {
    for (let file = 0; file < RING_FILES_MAX; file++) {
      const at = file * ROW_WORDS;
      if (Atomics.compareExchange(this.#rows, at, host + 1, 0) !== host + 1) continue;
      if (Atomics.load(this.#rows, at + 1) === 0) return true;
      Atomics.store(this.#rows, at, host + 1);
      return false;
    }
    return true;
  }

  /** The host's descriptor, in use until end(); undefined when there is no such file. */
  begin(file: number): number | undefined {
    if (file >= RING_FILES_MAX) return undefined;
    Atomics.add(this.#rows, file * ROW_WORDS + 1, 1);
    const host = Atomics.load(this.#rows, file * ROW_WORDS) - 1;
    if (host >= 0) return host;
    this.end(file);
    return undefined;
  }

  end(file: number): void {
    Atomics.sub(this.#rows, file * ROW_WORDS + 1, 1);
  }
}
