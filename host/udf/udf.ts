// A user-defined function: an untrusted WebAssembly module that is called with rows and returns a number or
// bytes.
//
// The module runs outside the VM: it has its own memory, imports nothing, and a row is copied into that
// memory. It exports
//
//   memory
//   input(bytes: i32): i32                     where to put a row of up to that many bytes
//   call(address: i32, bytes: i32): i32 | f64  the function; or i64, for bytes: address in the upper half,
//   length in the lower
//
// Interface   Udf.compile(), call(). A call that traps, takes too long or returns bytes outside its memory
//             ends with a RingzeroError of RZ_UDF_TRAP, RZ_UDF_LIMIT or RZ_UDF_RESULT; the next call gets a
//             fresh instance. Otherwise memory and globals keep what the previous call left.
// Invariants  UDF-1  Nothing that the module returns is trusted: the address from input() and the range of a
//                    result are checked against the memory as it is then. Results are copied out.
//             UDF-2  It is translated (host/translator/metered-image.ts): METER-1, METER-2. By construction.
// Concurrency A Udf belongs to the thread that compiled it. It cannot reach the database, so calls do not
//             nest.
// Cost        copying the row, 30 ns for 100 bytes of a larger array, and one call from JavaScript into
//             WebAssembly, about 10 ns.

import { originals } from '../constructors.ts';
import { RingzeroError } from '../errors.ts';
import { uncatchable } from '../trap.ts';
import { meter, type Metered } from '../translator/index.ts';
import { limitsOf, type UdfLimits, type UdfOptions } from './options.ts';

const I32 = 0x7f; // see host/translator/opcode.ts
const I64 = 0x7e;
const F64 = 0x7c;

const SLICE_MAX = 2 ** 24;
/** Units between two readings of the clock. */
const TIMED_SLICE = 65536;
/** Budget of a start function, if a call may use that much. */
const START_FUEL = 10_000_000;
/** The engine copies longer rows. */
const SHORT_ROW = 256;
const INPUT_MIN = 256;

interface Exports {
  readonly memory: WebAssembly.Memory;
  input(bytes: number): number;
  call(address: number, bytes: number): number;
  readonly 'ringzero.fuel': WebAssembly.Global<'i32'>;
  readonly 'ringzero.low': WebAssembly.Global<'i32'>;
}

/**
 * The result of a call.
 *
 * @category UDF
 */
export type UdfResult = number | Uint8Array;

/**
 * An untrusted function with its own memory: it imports nothing, and a row is copied into that memory.
 *
 * @category UDF
 */
export class Udf {
  /** Whether calls return a number or bytes. */
  readonly result: 'number' | 'bytes';
  readonly #module: WebAssembly.Module;
  readonly #limits: UdfLimits;
  readonly #slice: number;
  #exports: Exports | undefined;
  /** The instance's memory, detached once it has grown; and where rows go, up to #room bytes. */
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  #address = 0;
  #room = 0;
  /**
   * The buffer that short rows last came from: most come from one place, the window or the memory of a VM.
   */
  #source: Uint8Array = this.#bytes;
  #sourceView: DataView = this.#view;
  /** Fuel that the running call has beyond its slice; and its deadline, once the clock has been read. */
  #left = 0;
  #deadline = 0;

  /**
   * Compiles a function and starts it. Throws RZ_MODULE_MALFORMED, RZ_MODULE_UNSUPPORTED, RZ_UDF_REFUSED for
   * a module that imports something or lacks an export, RZ_OPTION; and what a call throws, when the start
   * function fails.
   *
   * @example
   * const isLong = Udf.compile(readFileSync('is-long.wasm'), { memoryPages: 2, fuel: 1e6 });
   * isLong.call(row);                                              // 1
   */
  static compile(bytes: Uint8Array, options: UdfOptions = {}): Udf {
    return new Udf(bytes, limitsOf(options));
  }

  private constructor(bytes: Uint8Array, limits: UdfLimits) {
    const { memoryPages, fuel, timeMs } = limits;
    this.#limits = limits;
    this.#slice = timeMs === Infinity ? Math.min(fuel, SLICE_MAX) : TIMED_SLICE;
    const startFuel = Math.min(fuel, START_FUEL);
    const metered = meter(bytes, { memoryPages, slice: this.#slice, startFuel });
    this.result = resultOf(metered);
    try {
      this.#module = new originals.Module(metered.module as BufferSource);
    } catch (error) {
      throw refused(`does not compile: ${(error as Error).message}`, error);
    }
    this.#start();
  }

  /**
   * Runs the function on a row, which may be a view of shared memory that does not change during the call.
   */
  call(row: Uint8Array): UdfResult {
    if (!ArrayBuffer.isView(row)) throw new RingzeroError('RZ_OPTION', 'a row is a Uint8Array');
    return this.callAt(row, 0, row.length);
  }

  /** Runs the function on the bytes from `start` up to `end`. */
  callAt(bytes: Uint8Array, start: number, end: number): UdfResult {
    const length = end - start;
    if (this.#exports === undefined || length > this.#room || this.#bytes.length === 0)
      this.#prepare(length);
    if (length === bytes.length) this.#bytes.set(bytes, this.#address);
    else if (length > SHORT_ROW) this.#bytes.set(bytes.subarray(start, end), this.#address);
    else this.#copyShort(bytes, start, length);
    this.#refuel();
    let result: number;
    try {
      result = this.#exports!.call(this.#address, length);
    } catch (error) {
      throw this.#failed(error);
    }
    return this.result === 'number' ? result : this.#take(result >>> 0);
  }

  /** A view of every short row would cost more than copying its words. */
  #copyShort(bytes: Uint8Array, start: number, length: number): void {
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const source = this.#sourceView;
    const target = this.#view;
    const address = this.#address;
    const words = length & ~3;
    let i = 0;
    for (; i < words; i += 4) target.setInt32(address + i, source.getInt32(start + i, true), true);
    for (; i < length; i++) target.setUint8(address + i, source.getUint8(start + i));
  }

  /** Bytes at the address of a result. */
  #take(address: number): Uint8Array {
    const { memory, 'ringzero.low': low } = this.#exports!;
    const length = low.value >>> 0;
    const { byteLength } = memory.buffer;
    if (address + length <= byteLength)
      return new Uint8Array(memory.buffer, address, length).slice();
    this.#exports = undefined;
    throw new RingzeroError(
      'RZ_UDF_RESULT',
      `the function returned ${length} bytes at ${address}; its memory has ${byteLength}`,
    );
  }

  /** An instance, and room for a row of `length` bytes in it. */
  #prepare(length: number): void {
    if (this.#exports === undefined) this.#start();
    if (length > this.#room) {
      let room = INPUT_MIN;
      while (room < length) room *= 2;
      this.#reserve(room);
    }
    const { buffer } = this.#exports!.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  #reserve(room: number): void {
    this.#refuel();
    const { memory, input } = this.#exports!;
    let address: number;
    try {
      address = input(room) >>> 0;
    } catch (error) {
      throw this.#failed(error);
    }
    if (address + room > memory.buffer.byteLength) {
      this.#exports = undefined;
      throw new RingzeroError(
        'RZ_UDF_RESULT',
        `the function has no room for a row: input(${room}) gave ${address}; its memory has ${memory.buffer.byteLength} bytes`,
      );
    }
    this.#address = address;
    this.#room = room;
  }

  #start(): void {
    this.#address = this.#room = 0;
    this.#refuel();
    this.#exports = undefined;
    // A start function runs before there is an instance: exhausted() finds none and ends it.
    const imports = { ringzero: { exhausted: () => this.#exhausted() } };
    try {
      this.#exports = new originals.Instance(this.#module, imports).exports as unknown as Exports;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #refuel(): void {
    const { fuel, timeMs } = this.#limits;
    if (timeMs === Infinity) this.#left = fuel - this.#slice;
    else this.#deadline = 0;
  }

  /** The instance calls this when its slice is used up: the call gets another slice, or ends. */
  #exhausted(): void {
    const { fuel, timeMs } = this.#limits;
    const global = this.#exports?.['ringzero.fuel'];
    if (global === undefined) throw limit('used up its fuel in its start function');
    if (timeMs !== Infinity) {
      const now = performance.now();
      if (this.#deadline === 0) this.#deadline = now + timeMs;
      if (now >= this.#deadline) throw limit(`took longer than its ${timeMs} ms`);
      global.value = TIMED_SLICE;
      return;
    }
    this.#left += global.value; // by how much it is overdrawn
    if (this.#left <= 0) throw limit(`used up its fuel of ${fuel}`);
    global.value = Math.min(this.#left, SLICE_MAX);
    this.#left -= global.value;
  }

  /** The error of a call that failed with `error`; its instance is not used again. */
  #failed(error: unknown): RingzeroError {
    this.#exports = undefined;
    if (error instanceof RingzeroError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new RingzeroError('RZ_UDF_TRAP', `the function trapped: ${message}`, { cause: error });
  }
}

function limit(what: string): RingzeroError {
  return uncatchable(new RingzeroError('RZ_UDF_LIMIT', `the function ${what}`));
}

function refused(why: string, cause?: unknown): RingzeroError {
  return new RingzeroError('RZ_UDF_REFUSED', `the module ${why}`, { cause });
}

/** The kind of result; RZ_UDF_REFUSED when the module lacks a required export. */
function resultOf({ functions, memories }: Metered): 'number' | 'bytes' {
  if (!memories.includes('memory')) throw refused("exports no memory named 'memory'");
  const signature = (name: string): string => {
    const type = functions.get(name);
    return type === undefined ? '' : `${[...type.params].join()}:${[...type.results].join()}`;
  };
  if (signature('input') !== `${I32}:${I32}`) throw refused('exports no function input(i32): i32');
  const call = signature('call');
  if (call === `${I32},${I32}:${I64}`) return 'bytes';
  if (call === `${I32},${I32}:${I32}` || call === `${I32},${I32}:${F64}`) return 'number';
  throw refused('exports no function call(i32, i32) with a result of type i32, f64 or i64');
}
