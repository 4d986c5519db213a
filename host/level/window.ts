// The exchange window of this thread's vCPU: keys and values go in and come out as bytes, whatever they are
// in JavaScript.
//
// Interface   put...() write at an offset of the window and return the bytes written, take() gives a fresh
//             value. Offsets are the caller's to keep within the window; putKey() checks the length.
// Cost        a short ASCII key is a loop of stores, 1.5 ns a byte, a longer text a call of some 40 ns; a
//             value is one copy from a view that is kept for its length.

import { KEY_BYTES_MAX, VALUE_AT, WINDOW_BYTES } from '../../assembly/abi/kv.ts';
import {
  allocateBuffer,
  bufferOf,
  fromUtf8,
  sharedText,
  textWriter,
  toUtf8,
  utf8Length,
  type SharedText,
} from '#platform/text';
import { RingzeroError } from '../errors.ts';
import type * as Wasm from '../webassembly.ts';

/** The forms in which abstract-level hands keys and values over. */
export type Format = 'utf8' | 'buffer' | 'view';
export type Data = string | Uint8Array;

/** Strings up to here are written by a loop: it takes as long as a call that writes any. */
const SHORT_TEXT = 28;
/** Values up to here have a view each to be copied from. */
const VIEWS_MAX = 1024;
/** Small fresh values share memory blocks of this size, as those of Buffer.allocUnsafe() do. */
const SLAB_BYTES = 8192;
const SLAB_VALUE_MAX = 1024;
const UTF8_BYTES_MAX = 3;

export class Window {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly #text: SharedText;
  readonly #writeValue: (text: string) => number;
  readonly #views: (Uint8Array | undefined)[] = [];
  #slab = new ArrayBuffer(SLAB_BYTES);
  #slabUsed = 0;

  constructor(memory: Wasm.Memory, address: number) {
    this.bytes = new Uint8Array(memory.buffer, address, WINDOW_BYTES);
    this.words = new Uint32Array(memory.buffer, address, WINDOW_BYTES / 4);
    this.#text = sharedText(memory, address, WINDOW_BYTES);
    this.#writeValue = textWriter(memory, address + VALUE_AT, WINDOW_BYTES - VALUE_AT);
  }

  /** A key at offset `at`: its length, or -1 when it is longer than a key may be. */
  putKey(at: number, key: Data): number {
    if (typeof key === 'string') {
      const length = key.length;
      if (length <= SHORT_TEXT) {
        const bytes = this.bytes;
        let i = 0;
        for (; i < length; i++) {
          const code = key.charCodeAt(i);
          if (code > 127) break;
          bytes[at + i] = code;
        }
        if (i === length) return length;
      }
    }
    return this.#putLongKey(at, key);
  }

  #putLongKey(at: number, key: Data): number {
    return isTooLong(key) ? -1 : this.put(at, key);
  }

  /** A key or value that is known to fit. */
  put(at: number, data: Data): number {
    if (typeof data === 'string') {
      const length = data.length;
      if (length <= SHORT_TEXT) {
        const bytes = this.bytes;
        let i = 0;
        for (; i < length; i++) {
          const code = data.charCodeAt(i);
          if (code > 127) break;
          bytes[at + i] = code;
        }
        if (i === length) return length;
      }
      return this.#text.utf8Write(data, at, length * UTF8_BYTES_MAX);
    }
    this.bytes.set(data, at);
    return data.length;
  }

  /** A value that is known to fit, at VALUE_AT. */
  putValue(value: Data): number {
    return typeof value === 'string' && value.length > SHORT_TEXT
      ? this.#writeValue(value)
      : this.put(VALUE_AT, value);
  }

  /** Fresh value of the bytes at offset `at`. */
  take(at: number, length: number, format: Format): Data {
    if (format === 'utf8') return this.#text.utf8Slice(at, at + length);
    const value = this.#fresh(length, format);
    value.set(this.bytes.subarray(at, at + length));
    return value;
  }

  /** Text of the bytes from `start` up to `end`, all of which are ASCII. */
  ascii(start: number, end: number): string {
    return this.#text.latin1Slice(start, end);
  }

  /** The same for a value of get(), at VALUE_AT. */
  takeValue(length: number, format: Format): Data {
    if (format === 'utf8') return this.#text.utf8Slice(VALUE_AT, VALUE_AT + length);
    const value = this.#fresh(length, format);
    value.set(this.value(length));
    return value;
  }

  /** View of the first bytes at VALUE_AT, valid until the next call of the guest. */
  value(length: number): Uint8Array {
    if (length > VIEWS_MAX) return this.bytes.subarray(VALUE_AT, VALUE_AT + length);
    return (this.#views[length] ??= this.bytes.subarray(VALUE_AT, VALUE_AT + length));
  }

  #fresh(length: number, format: Format): Uint8Array {
    if (length > SLAB_VALUE_MAX)
      return format === 'buffer' ? allocateBuffer(length) : new Uint8Array(length);
    if (this.#slabUsed + length > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const at = this.#slabUsed;
    this.#slabUsed = (at + length + 7) & ~7;
    return format === 'buffer'
      ? bufferOf(this.#slab, at, length)
      : new Uint8Array(this.#slab, at, length);
  }
}

/** No store has such a key. */
export function isTooLong(key: Data): boolean {
  return byteLengthMax(key) > KEY_BYTES_MAX && byteLength(key) > KEY_BYTES_MAX;
}

/** Fails with LEVEL_INVALID_KEY when the key is longer than a key may be. */
export function checkKey(key: Data): void {
  if (!isTooLong(key)) return;
  throw new RingzeroError(
    'LEVEL_INVALID_KEY',
    `a key of ${byteLength(key)} bytes; at most ${KEY_BYTES_MAX}, prefixes of sublevels included`,
  );
}

/** Bytes that a key or value takes in the store. */
export function byteLength(data: Data): number {
  return typeof data === 'string' ? utf8Length(data) : data.length;
}

/** The most bytes that it can take, at no cost. */
export function byteLengthMax(data: Data): number {
  return data.length * (typeof data === 'string' ? UTF8_BYTES_MAX : 1);
}

/** Bytes of a key or value, copied. */
export function toBytes(data: Data): Uint8Array {
  return typeof data === 'string' ? toUtf8(data) : Uint8Array.from(data);
}

/** A value that was put together from several windows, in the form asked for. */
export function fromBytes(bytes: Uint8Array, format: Format): Data {
  if (format === 'utf8') return fromUtf8(bytes);
  if (format === 'buffer') return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
