// Puts a state into a VM: memory, globals, tables.
//
// Interface   prepareRestore() reads and checks; its into() restores at once, on a vCPU's own thread, while
//             no thread is in the guest.
// Invariants  STATE-3  Active snapshots keep what they had: pages are written through the write fault.
//             STATE-4  A state that does not fit is refused before anything changes.
// Cost        Decompression and one copy of each page of the state; in a VM that is not fresh also the search
//             for pages that the state has as zeros.

import { GAUGE_RUNNING } from '../../../assembly/abi/counter.ts';
import { FILES_CHUNK_PAGES, FRAME_BYTES, WASM_PAGE_BYTES } from '../../../assembly/abi/limits.ts';
import { RingzeroError } from '../../errors.ts';
import { physicalBuffer } from '../../physical-buffer.ts';
import type { GuestFunction } from '../exports.ts';
import type { Machine } from '../machine.ts';
import { checkTranslated, withRegisters } from '../take.ts';
import type { Vcpu } from '../vcpu.ts';
import { loadCodec, type Codec } from './codec.ts';
import { malformed, RECORD_PAGES, runsOf, type Header, type StateRecord } from './format.ts';
import { readStates, type State } from './read.ts';
import type { StateSource } from './source.ts';

const WORDS = FRAME_BYTES / 4;
const FRAMES_PER_WASM_PAGE = 16;

interface Target {
  readonly vcpu: Vcpu;
  readonly machine: Machine;
  /** No code of the guest has run, and memory is zero. */
  readonly isFresh: boolean;
  /** Loaded if a state has files. */
  readonly beginFiles: BeginFiles | undefined;
}
type BeginFiles = typeof import('../file-access.ts').beginFiles;

/**
 * Reads and checks states, for a fresh VM or one that has a state to lose; `pages` is the size of memory in
 * them, in pages of 64 KiB.
 */
export async function prepareRestore(
  source: StateSource | readonly StateSource[],
  isFresh: boolean,
): Promise<{
  states: State[];
  pages: number;
  into: (states: readonly State[], target: Omit<Target, 'beginFiles'>) => void;
}> {
  const codec = await loadCodec();
  const states = await readStates(source, !isFresh, codec);
  const pages = states.at(-1)!.header.pages / FRAMES_PER_WASM_PAGE;
  if (!Number.isInteger(pages)) throw malformed('its memory is not a multiple of 64 KiB');
  if (states.some(({ header }) => header.filePages % FILES_CHUNK_PAGES !== 0))
    throw malformed('its files are not a multiple of 1 MiB');
  const hasFiles = states.some(({ header }) => header.filePages > 0);
  const beginFiles = hasFiles ? await beginner() : undefined;
  return { states, pages, into: (all, target) => restore(all, { ...target, beginFiles }, codec) };
}

async function beginner(): Promise<BeginFiles> {
  const { beginFiles, loadFileModule } = await import('../file-access.ts'); // loaded on demand
  await loadFileModule();
  return beginFiles;
}

/** Fails with RZ_FORMAT for the state of another module. */
function checkModule({ header }: State, { source, registers }: Machine): void {
  const { bytes, xxh32 } = header.module;
  if (source?.bytes !== bytes || source.xxh32 !== xxh32 || header.registerBytes !== registers.bytes)
    throw new RingzeroError(
      'RZ_FORMAT',
      `the state is of another module, of ${bytes} bytes with XXH32 ${xxh32.toString(16)}: ` +
        'restore() needs the same module as `guest`',
    );
}

/** Of the states, each builds on the one before. */
function restore(states: readonly State[], target: Target, codec: Codec): void {
  const { vcpu, machine } = target;
  const { calls } = vcpu.kernel;
  const last = states.at(-1)!;
  checkTranslated(machine);
  checkModule(last, machine);
  if (calls.counter(GAUGE_RUNNING) !== 0)
    throw new RingzeroError('RZ_BUSY', 'restore() while a thread is in the guest: call it outside');
  const wanted = last.header.pages / FRAMES_PER_WASM_PAGE;
  const before = calls.size();
  // First what can fail. A snapshot is active here, so pages are written later: they would all be copied.
  withRegisters(vcpu, machine, (address) => {
    const undo = putTables(last, target);
    try {
      if (!target.isFresh) {
        checkDrops(last, machine, address);
        grow(target, wanted);
      }
      growFiles(target, last.header.filePages);
    } catch (error) {
      if (!seesExactly(machine)) calls.shrink(before);
      undo();
      throw error;
    }
    new Uint8Array(physicalBuffer(machine.memory)).set(last.registers, address);
    (vcpu.instance.exports['ringzero.load'] as GuestFunction)(address);
  });
  const pages = new PageWriter(target, last.header.pages);
  inGuest(target, () => {
    if (!target.isFresh) pages.clear(last.header.pages, calls.size() * FRAMES_PER_WASM_PAGE);
    states.forEach((state, i) => {
      if (i === 0 && !target.isFresh) clearOthers(state, pages, codec);
      for (const record of state.records) pages.apply(record, state, codec);
    });
  });
  if (!seesExactly(machine)) calls.shrink(wanted);
  vcpu.files.restored();
  vcpu.syscalls.wasi?.restored();
}

/** Makes room for the files of a state. Fails with RZ_OUT_OF_MEMORY. */
function growFiles({ vcpu, machine, beginFiles }: Target, pages: number): void {
  if (pages === 0) return;
  const { calls } = vcpu.kernel;
  if (machine.files === undefined) beginFiles!(machine, calls, vcpu.kernel.hasWeakMemory);
  // File memory that has grown cannot shrink.
  const hasRoom = calls.openedFiles() - pages >= calls.size() * FRAMES_PER_WASM_PAGE;
  for (let have = 0; have < pages; have += FILES_CHUNK_PAGES)
    if (!hasRoom || calls.growFiles(have) === 0)
      throw new RingzeroError(
        'RZ_OUT_OF_MEMORY',
        `the state has ${pages * FRAME_BYTES} bytes of files, more than the VM has room for: raise \`memory\``,
      );
}

/** Whether the program has glue that sees exactly its memory, and cannot be told that it shrinks. */
function seesExactly({ glue, growth }: Machine): boolean {
  return glue && !growth.growsItself;
}

/** Sets the entries of tables. Fails with RZ_FORMAT; returns what undoes it. */
function putTables({ tables }: State, { vcpu }: Target): () => void {
  try {
    return vcpu.tables!.replace(tables);
  } catch (error) {
    throw malformed(`its tables do not fit the module (${String(error)})`);
  }
}

/** Writes to guest memory as the guest does: in an epoch, which ends afterwards. */
function inGuest({ vcpu }: Target, write: () => void): void {
  const { calls } = vcpu.kernel;
  calls.enter();
  try {
    write();
  } finally {
    calls.leave();
    vcpu.loadView();
  }
}

/**
 * Gives guest memory at least this many pages of 64 KiB; fewer are for restore(). Fails with RZ_OPTION,
 * RZ_OUT_OF_MEMORY.
 */
function grow({ vcpu, machine }: Target, wanted: number): void {
  const { calls } = vcpu.kernel;
  const now = calls.size();
  if (wanted < now && seesExactly(machine))
    throw new RingzeroError(
      'RZ_OPTION',
      `the program's memory has grown from ${wanted} to ${now} pages since, and its glue cannot be told ` +
        'that it shrinks: load the program anew, then restore()',
    );
  if (wanted <= now) return;
  let cause: unknown;
  try {
    if (!seesExactly(machine)) calls.grow(wanted - now);
    else if (vcpu.resize !== undefined) vcpu.resize(wanted * WASM_PAGE_BYTES);
    else machine.memory.grow(wanted - now);
  } catch (error) {
    cause = error;
  }
  // Glue may have made it larger: Emscripten's adds a fifth.
  if (calls.size() < wanted)
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      `the state has ${wanted} pages of memory, and the guest has ${calls.size()} and cannot have ${wanted}`,
      { cause },
    );
}

/** A segment that this instance has dropped cannot come back. */
function checkDrops({ registers }: State, machine: Machine, address: number): void {
  const { dropBytes } = machine.registers;
  const end = address + registers.length;
  const now = new Uint8Array(physicalBuffer(machine.memory)).slice(end - dropBytes, end);
  const then = registers.subarray(registers.length - dropBytes);
  if (now.some((bits, i) => (bits & ~then[i]!) !== 0))
    throw new RingzeroError(
      'RZ_OPTION',
      'the program has since dropped a segment that the state still has: ' +
        'restore into a new VM (MicroVM.restore)',
    );
}

/** Zeroes the pages that the whole state does not have. */
function clearOthers(state: State, pages: PageWriter, codec: Codec): void {
  const { header } = state;
  let next = 0;
  for (const record of state.records) {
    for (const [first, count] of runsOf(record, header, codec).runs) {
      pages.clearNumbers(next, first, header);
      next = first + count;
    }
  }
  pages.clearNumbers(next, header.pages + pages.filePages, header);
  pages.clear(header.pages, pages.end); // those that a later state has
}

class PageWriter {
  /** Pages that memory has. */
  readonly end: number;
  readonly filePages: number;
  readonly #filesEnd: number;
  readonly #target: Target;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  constructor(target: Target, end: number) {
    const buffer = physicalBuffer(target.machine.memory);
    const { calls } = target.vcpu.kernel;
    this.end = end;
    this.filePages = calls.filePages(-1);
    this.#filesEnd = calls.openedFiles();
    this.#target = target;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  apply(record: StateRecord, { header }: State, codec: Codec): void {
    const { runs, content } = runsOf(record, header, codec);
    let at = 0;
    for (const [first, count] of runs) {
      if (record.kind !== RECORD_PAGES) {
        this.clearNumbers(first, first + count, header);
        continue;
      }
      this.#writeNumbers(first, content.subarray(at, at + count * FRAME_BYTES), header);
      at += count * FRAME_BYTES;
    }
  }

  /** Pages by their numbers in a state; those that memory has no more are left out. */
  #writeNumbers(first: number, content: Uint8Array, { pages }: Header): void {
    const last = first + content.length / FRAME_BYTES;
    const fitting = Math.max(0, Math.min(last, pages, this.end) - first);
    if (fitting > 0) this.#write(first, content.subarray(0, fitting * FRAME_BYTES));
    for (let number = Math.max(first, pages); number < last; number++) {
      const at = (number - first) * FRAME_BYTES;
      const page = this.#filePage(number - pages);
      if (page >= 0) this.#write(page, content.subarray(at, at + FRAME_BYTES));
    }
  }

  clearNumbers(first: number, last: number, { pages }: Header): void {
    this.clear(first, Math.min(last, pages, this.end));
    const end = Math.min(last, pages + this.filePages);
    for (let number = Math.max(first, pages); number < end; number++) {
      const page = this.#filePage(number - pages);
      this.clear(page, page + 1);
    }
  }

  /** The page of file memory with this number; -1 if there is none. */
  #filePage(number: number): number {
    return number < this.filePages ? this.#filesEnd - 1 - number : -1;
  }

  #write(page: number, content: Uint8Array): void {
    const address = page * FRAME_BYTES;
    this.#writable(address, content.length);
    this.#bytes.set(content, address);
  }

  /** Zeroes the pages [from, to) that are not zero. */
  clear(from: number, to: number): void {
    for (let page = from; page < to; page++) {
      const start = page * WORDS;
      let i = 0;
      while (i < WORDS && this.#words[start + i] === 0) i++;
      if (i === WORDS) continue;
      this.#writable(page * FRAME_BYTES, FRAME_BYTES);
      this.#words.fill(0, start, start + WORDS);
    }
  }

  #writable(address: number, bytes: number): void {
    if (bytes > 0 && !this.#target.isFresh)
      this.#target.vcpu.kernel.calls.fileFaultRange(address, bytes);
  }
}
