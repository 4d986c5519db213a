// The instance of states.wasm of this thread: compresses and checks the records of states.

import { originals } from '../../constructors.ts';
import {
  STATE_MEMORY_PAGES,
  STATE_PACKED,
  STATE_PACKED_BYTES,
  STATE_RAW,
  STATE_RAW_BYTES,
} from '../../../assembly/abi/state.ts';
import { readBuiltModule } from '#platform';
import type * as Wasm from '../../webassembly.ts';

interface Functions {
  pack(bytes: number): number;
  unpack(bytes: number, wanted: number): number;
  hash(address: number, bytes: number, seed: bigint): bigint;
}

export class Codec {
  /** Where the content of a record is put together, or unpacked to. */
  readonly raw: Uint8Array;
  readonly #packed: Uint8Array;
  readonly #calls: Functions;

  constructor(module: Wasm.Module) {
    const memory = new originals.Memory({
      initial: STATE_MEMORY_PAGES,
      maximum: STATE_MEMORY_PAGES,
      shared: true,
    });
    this.raw = new Uint8Array(memory.buffer, STATE_RAW, STATE_RAW_BYTES);
    this.#packed = new Uint8Array(memory.buffer, STATE_PACKED, STATE_PACKED_BYTES);
    const { exports } = new originals.Instance(module, { env: { memory } });
    this.#calls = exports as unknown as Functions;
  }

  /** A compressed copy of the first bytes of `raw`; undefined = it would not be smaller. */
  pack(bytes: number): Uint8Array | undefined {
    const packed = this.#calls.pack(bytes);
    return packed === 0 ? undefined : this.#packed.slice(0, packed);
  }

  /** Unpacks to `raw`; false unless the bytes are the compressed form of `wanted` bytes. */
  unpack(bytes: Uint8Array, wanted: number): boolean {
    if (bytes.length > STATE_PACKED_BYTES) return false;
    this.#packed.set(bytes);
    return this.#calls.unpack(bytes.length, wanted) !== 0;
  }

  /** XXH64 of up to STATE_RAW_BYTES. */
  hash(bytes: Uint8Array, seed: bigint): bigint {
    this.#packed.set(bytes);
    return BigInt.asUintN(64, this.#calls.hash(STATE_PACKED, bytes.length, seed));
  }
}

let made: Promise<Codec> | undefined;

export function loadCodec(): Promise<Codec> {
  return (made ??= Promise.resolve(readBuiltModule('states.wasm'))
    .then((bytes) => originals.compile(bytes as BufferSource))
    .then((module) => new Codec(module))
    .catch((error: unknown) => {
      made = undefined; // the next call may find the file
      throw error;
    }));
}
