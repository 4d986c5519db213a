// Functions of users as the guest asks for them (guest/redis/border/host.ts): each in a slot, and the answer
// of the last call.
//
// Interface   imports() are what the guest imports. Nothing throws into the guest: a failure is an
//             answer.
// Invariants  The guest's memory is only read here; answers reach it through a window of kernel memory, part
//             by part.

import {
  ANSWER_BYTES,
  ANSWER_DOUBLE,
  ANSWER_ERROR,
  ANSWER_INTEGER,
  UDF_PART,
} from '../../guest/redis/abi.ts';
import { RingzeroError } from '../errors.ts';
import { Udf, type UdfResult } from '../udf/udf.ts';
import type { ImportContext } from '../vm/machine.ts';

/** A server's other clients wait as long. */
const LIMITS = { timeMs: 50 };
const ERROR_BYTES_MAX = 512;
const NONE = new Uint8Array(0);

export class Functions {
  readonly #memory: Uint8Array;
  readonly #window: number;
  readonly #slots: Udf[] = [];
  #bytes: Uint8Array = NONE;
  #answer = 0;

  constructor({ memory, claimWindow }: ImportContext) {
    this.#memory = new Uint8Array(memory.buffer);
    this.#window = claimWindow(UDF_PART);
    if (this.#window === 0) throw new RingzeroError('RZ_OUT_OF_MEMORY', 'no room for functions');
  }

  imports(): Record<string, (...args: number[]) => number> {
    return {
      udfLoad: (slot, address, bytes) => this.#load(slot!, address! >>> 0, bytes! >>> 0),
      udfCall: (slot, address, bytes) => this.#call(slot!, address! >>> 0, bytes! >>> 0),
      udfAnswer: () => this.#answer,
      udfPart: (offset) => this.#part(offset! >>> 0),
    };
  }

  #load(slot: number, address: number, bytes: number): number {
    try {
      this.#slots[slot] = Udf.compile(this.#memory.slice(address, address + bytes), LIMITS);
      return 0;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #call(slot: number, address: number, bytes: number): number {
    let result: UdfResult;
    try {
      result = this.#slots[slot]!.callAt(this.#memory, address, address + bytes);
    } catch (error) {
      return this.#failed(error);
    }
    if (typeof result !== 'number') return this.#answerWith(ANSWER_BYTES, result);
    if (!Number.isSafeInteger(result)) return this.#answerWith(ANSWER_DOUBLE, textOf(result));
    this.#answer = result;
    return ANSWER_INTEGER;
  }

  #failed(error: unknown): number {
    const text = error instanceof RingzeroError ? `${error.code} ${error.message}` : String(error);
    return this.#answerWith(ANSWER_ERROR, Buffer.from(text).subarray(0, ERROR_BYTES_MAX));
  }

  #answerWith(kind: number, bytes: Uint8Array): number {
    this.#bytes = bytes;
    this.#answer = bytes.length;
    return kind;
  }

  #part(offset: number): number {
    this.#memory.set(this.#bytes.subarray(offset, offset + UDF_PART), this.#window);
    if (offset + UDF_PART >= this.#bytes.length) this.#bytes = NONE;
    return this.#window | 0;
  }
}

/** As Redis writes them. */
function textOf(value: number): Uint8Array {
  const text = String(value).toLowerCase().replace('infinity', 'inf');
  return Buffer.from(text);
}
