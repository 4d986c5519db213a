// Memory that JavaScript may write directly, without write checks. It is preserved for the active snapshots
// before JavaScript runs.
//
// Glue learns each address from a call between program and JavaScript: as a result of an exported function,
// as an argument of an import, or in memory that such a number points to. How much it writes there follows
// from the call too: from the size of the allocation, or from the import's other arguments. Function names do
// not count, because minifiers change them.
//
//   a result             as many bytes as the call's arguments can ask for
//   an import's argument the same; and the buffers, if it points to pairs of address and length
//   at a snapshot        the addresses passed most recently, and those passed first: buffers that JavaScript keeps
//
// Interface   returned() after each call of an exported function; passed() before an import is called while a
//             snapshot is active; taken() after one has been taken; expose() preserves a range.
//             docs/programs.md lists what a program must announce itself.
// Invariants  EXP-1  An exposed page has the mark of the newest epoch: every snapshot has its old content.
// Cost        A few ns per call without a snapshot; with one, a look at the mark of each page that was
//             passed.

import { epochTable, vmBlock } from '../../assembly/abi/memory-map.ts';
import { FRAME_BYTES, FRAME_SHIFT } from '../../assembly/abi/limits.ts';
import { VM_ACTIVE, VM_ALLOCATOR, VM_BREAK, VM_VIEW } from '../../assembly/abi/vm-block.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { Kernel } from './kernel.ts';
import { Unannounced } from './unannounced.ts';

type Argument = unknown;

const LEAST = 1024; // bytes exposed at any address
const BUFFER = 65536; // result of a function without arguments: a static buffer, or the stack
const MODERATE = 262144; // an argument up to this counts as a length; a larger one may be an address
const KNOWN = 256; // addresses remembered, by the low bits of their pages
const FIRST = 64; // and the first ones, permanently
const WORDS = 16; // words examined at an address that an import is given
const VECTORS_MAX = 1024;
const HEADER = 32; // the most bytes that an allocator adds
const HEADERS = [4, 8]; // distances of the size before the block
const PROOFS = 3; // matching sizes that make a function count as an allocator

const first: Asked = (bytes) => bytes;
const second: Asked = (_old, bytes) => bytes;
const product: Asked = (count, bytes) => count * bytes;

/**
 * Functions that give memory, by the names they have where names are kept: how many bytes, of their
 * arguments.
 */
const ALLOCATORS = new Map<string, Asked>([
  ['malloc', first],
  ['calloc', product],
  ['realloc', second],
  ['memalign', second],
  ['aligned_alloc', second],
  ['stackAlloc', first],
  ['_emscripten_stack_alloc', first],
  ['__wbindgen_malloc', first],
  ['__wbindgen_realloc', (_old, _bytes, more) => more],
  ['cabi_realloc', (_old, _bytes, _align, more) => more],
  ['__new', first],
  ['sqlite3_malloc', first],
  ['sqlite3_malloc64', first],
  ['sqlite3_realloc', second],
  ['sqlite3_realloc64', second],
  ['sqlite3__wasm_pstack_alloc', first],
]);

type Asked = (a: number, b: number, c: number, d: number) => number;

const unsigned = (arg: Argument): number => Number(arg ?? 0) >>> 0;

export class Exposure {
  readonly #kernel: Kernel;
  readonly #words: Uint32Array;
  readonly #epochs: Uint8Array;
  readonly #vm: number;
  readonly #known = new Uint32Array(KNOWN);
  readonly #knownBytes = new Uint32Array(KNOWN);
  readonly #first: [address: number, bytes: number][] = [];
  /** By exported function: the number of bytes that its call asks for. */
  #asked: (Asked | undefined)[] = [];
  /** By exported function: distinct sizes in front of what it returned that fit its argument. */
  readonly #proofs = new Map<number, Set<number>>();
  #allocator = 0;
  readonly #unannounced: Unannounced;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    const buffer = physicalBuffer(memory);
    this.#kernel = kernel;
    this.#words = new Uint32Array(buffer);
    this.#epochs = new Uint8Array(buffer, epochTable(kernel.frames));
    this.#vm = vmBlock(kernel.frames) / 4;
    this.#unannounced = new Unannounced(this.#words, this.#epochs);
  }

  /** Names of the exported functions, and which of them allocates if that is known. */
  name(names: readonly string[], allocator = names.indexOf('malloc')): void {
    this.#asked = names.map((name) => ALLOCATORS.get(name));
    if (allocator < 0) return;
    this.#asked[allocator] ??= first;
    this.#found(allocator);
  }

  #found(allocator: number): void {
    this.#allocator = allocator + 1;
    this.#words[this.#vm + VM_ALLOCATOR / 4] = allocator + 1;
  }

  get #end(): number {
    return this.#words[this.#vm + VM_BREAK / 4]! * FRAME_BYTES;
  }

  /**
   * An exported function, the `place`-th, has returned to JavaScript; arguments that it has not are
   * undefined.
   */
  returned(
    place: number,
    result: Argument,
    a: Argument,
    b: Argument,
    c: Argument,
    d: Argument,
    e: Argument,
    f: Argument,
  ): void {
    if (typeof result === 'number' && (this.#isActive() || this.#isNew(result)))
      this.#gave(place, result >>> 0, a, b, c, d, e, f);
    if (a === undefined) return;
    if (this.#isNew(a)) this.#noteNew(a);
    if (b === undefined) return;
    if (this.#isNew(b)) this.#noteNew(b);
    if (c === undefined) return;
    if (this.#isNew(c)) this.#noteNew(c);
    if (d === undefined) return;
    if (this.#isNew(d)) this.#noteNew(d);
    if (this.#isNew(e)) this.#noteNew(e);
    if (this.#isNew(f)) this.#noteNew(f);
  }

  #isActive(): boolean {
    return this.#words[this.#vm + VM_ACTIVE / 4] !== 0;
  }

  /** May be an address in a page that is not remembered. */
  #isNew(value: Argument): value is number {
    if (typeof value !== 'number') return false;
    const page = value >>> FRAME_SHIFT;
    return page !== 0 && this.#known[page % KNOWN]! >>> FRAME_SHIFT !== page;
  }

  #noteNew(value: number): void {
    if (value >>> 0 < this.#end) this.#note(value >>> 0, LEAST);
  }

  /**
   * A call gave `address`: the bytes there that it may have been made to get are preserved, and
   * remembered.
   */
  #gave(
    place: number,
    address: number,
    a: Argument,
    b: Argument,
    c: Argument,
    d: Argument,
    e: Argument,
    f: Argument,
  ): void {
    if (address === 0 || address >= this.#end) return;
    if (address < LEAST) return this.expose(0, 2 * LEAST); // most likely a status or a count
    let bytes = a === undefined ? BUFFER : LEAST;
    const asked = this.#asked[place];
    if (asked !== undefined) {
      const size = asked(unsigned(a), unsigned(b), unsigned(c), unsigned(d));
      if (size > bytes) bytes = size;
    } else {
      bytes = this.#longer(bytes, address, a);
      bytes = this.#longer(bytes, address, b);
      bytes = this.#longer(bytes, address, c);
      bytes = this.#longer(bytes, address, d);
      bytes = this.#longer(bytes, address, e);
      bytes = this.#longer(bytes, address, f);
      if (typeof b === 'number' && c === undefined)
        bytes = this.#longer(bytes, address, unsigned(a) * (b >>> 0)); // as calloc
      if (this.#allocator === 0 && b === undefined) this.#learn(place, a, address);
    }
    if (this.#isActive()) this.expose(address, bytes);
    this.#note(address, Math.min(bytes, MODERATE));
  }

  /** The larger of `bytes` and the argument, if that is a length. */
  #longer(bytes: number, address: number, arg: Argument): number {
    if (typeof arg !== 'number' && typeof arg !== 'bigint') return bytes;
    const given = Number(arg);
    const length = given < 0 ? given >>> 0 : given; // a product may have more than 32 bits
    if (length <= bytes) return bytes;
    return length <= MODERATE || this.#isAllocation(address, length) ? length : bytes;
  }

  /** The import is called with `args`, and may write to what they point to. */
  passed(args: readonly Argument[]): void {
    const end = this.#end;
    for (let i = 0; i < args.length; i++) {
      const value = args[i];
      if (typeof value !== 'number') continue;
      const address = value >>> 0;
      if (address >= end) continue;
      this.expose(address, this.#passedBytes(address, args, i));
      this.#note(address, LEAST);
      this.#pointees(address, args, i);
    }
  }

  /**
   * A snapshot has been taken: what JavaScript may still know, and write to without a word, is preserved
   * at once.
   */
  taken(): void {
    this.#unannounced.check();
    for (const [address, bytes] of this.#first) this.expose(address, bytes);
    for (const page of this.#unannounced.pages) this.expose(page * FRAME_BYTES, FRAME_BYTES);
    for (let i = 0; i < KNOWN; i++)
      if (this.#known[i] !== 0) this.expose(this.#known[i]!, this.#knownBytes[i]!);
    this.#unannounced.look(this.#words[this.#vm + VM_VIEW / 4]! & 0xff);
  }

  /**
   * Preserves a range of guest memory; what lies outside is left alone.
   *
   */
  expose(address: number, bytes: number): void {
    const end = Math.min(address + bytes, this.#end);
    if (address >= end) return;
    const view = this.#words[this.#vm + VM_VIEW / 4]! & 0xff;
    const last = (end - 1) >>> FRAME_SHIFT;
    let first = address >>> FRAME_SHIFT;
    while (first <= last && this.#epochs[first] === view) first++;
    if (first > last) return;
    const { calls } = this.#kernel;
    calls.enter();
    try {
      calls.faultRange(first << FRAME_SHIFT, end - first * FRAME_BYTES);
    } finally {
      calls.leave();
    }
  }

  /**
   * Whether what lies before `address` says that this many bytes are there; for an allocator without
   * headers, that it may be.
   */
  #isAllocation(address: number, bytes: number): boolean {
    if (address % 4 !== 0 || address < LEAST || address + bytes > this.#end) return false;
    return this.#allocator === 0 || this.#hasHeader(address, bytes);
  }

  #hasHeader(address: number, bytes: number): boolean {
    return HEADERS.some((back) => {
      const size = (this.#words[(address - back) >>> 2]! & ~7) >>> 0;
      return size >= (bytes & ~7) >>> 0 && size <= bytes + HEADER;
    });
  }

  /**
   * An exported function that gives memory with its size in front, whatever its name, is the program's
   * malloc.
   */
  #learn(place: number, arg: Argument, address: number): void {
    if (typeof arg !== 'number' || address % 8 !== 0 || address < 8) return;
    const bytes = arg >>> 0;
    const size = this.#words[(address - 4) >>> 2]! & ~7;
    let proofs = this.#proofs.get(place);
    if (size < bytes || size >= bytes + HEADER || bytes === 0) {
      if (proofs !== undefined) this.#proofs.set(place, new Set()); // not an allocator
      return;
    }
    if (proofs === undefined) this.#proofs.set(place, (proofs = new Set()));
    proofs.add(size);
    if (proofs.size < PROOFS) return;
    this.#found(place);
  }

  /** Bytes that an import may write through its `place`-th argument. */
  #passedBytes(address: number, args: readonly Argument[], place: number): number {
    let bytes = LEAST;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (i === place || typeof arg !== 'number') continue;
      const length = arg >>> 0;
      // The length follows the address, as in (buffer, length), (target, source, length), (file, buffer,
      // length).
      const isLast = i === args.length - 1 && i > place && i < 3;
      const isLength = length <= MODERATE || (isLast && address + length <= this.#end);
      if (isLength && length > bytes) bytes = length;
    }
    return bytes;
  }

  /**
   * Where an import is given the address of addresses: pairs with lengths, as many as another argument
   * says, or a structure.
   */
  #pointees(address: number, args: readonly Argument[], place: number): void {
    let words = WORDS;
    const vectors = this.#vectorsAt(address, args[place + 1]);
    for (let i = 0; i < args.length; i++) {
      const count = args[i];
      if (i === place || typeof count !== 'number' || count <= 0 || count > VECTORS_MAX) continue;
      words = Math.max(words, 2 * count);
    }
    const end = this.#end;
    const start = address >>> 2;
    const stop = Math.min(start + words, end >>> 2);
    for (let at = start; at < stop; at++) {
      const target = this.#words[at]!;
      if (target < FRAME_BYTES || target >= end) continue;
      const length = at + 1 < stop ? this.#words[at + 1]! : 0;
      const isPair =
        (at - start) % 2 === 0 &&
        target + length <= end &&
        (length <= MODERATE || (at - start) / 2 < vectors);
      this.expose(target, isPair ? Math.max(length, LEAST) : LEAST);
    }
  }

  /**
   * How many vectors of buffers lie at `address`, if an import's next argument counts them: pairs that all
   * fit memory.
   */
  #vectorsAt(address: number, count: Argument): number {
    if (typeof count !== 'number' || count <= 0 || count > VECTORS_MAX) return 0;
    const end = this.#end;
    if (address + count * 8 > end) return 0;
    for (let at = address >>> 2; at < (address >>> 2) + 2 * count; at += 2)
      if (this.#words[at]! + this.#words[at + 1]! > end) return 0;
    return count;
  }

  #note(address: number, bytes: number): void {
    const page = address >>> FRAME_SHIFT;
    const slot = page % KNOWN;
    const old = this.#known[slot]!;
    if (old >>> FRAME_SHIFT === page && old !== 0) {
      const end = Math.max(address + bytes, old + this.#knownBytes[slot]!);
      this.#known[slot] = Math.min(old, address);
      this.#knownBytes[slot] = end - this.#known[slot]!;
      return;
    }
    if (this.#first.length < FIRST) this.#first.push([address, bytes]);
    else if (old !== 0) this.#unannounced.drop(old);
    this.#known[slot] = address;
    this.#knownBytes[slot] = bytes;
  }
}
