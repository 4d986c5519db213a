// A cursor over the bytes of a module. Every read is bounded by `end`; a read beyond it means that the
// module is malformed. LEB128 follows the specification: at most ceil(N/7) bytes, unused bits of the
// last byte zero (or the sign).

import { asBytes } from '../bytes.ts';
import { refuse, RingzeroError } from '../errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The error for bytes that are not a valid module; `at` is the offset where it was found. */
export function malformed(what: string, at: number): RingzeroError {
  return new RingzeroError(
    'RZ_MODULE_MALFORMED',
    `not a valid WebAssembly module: ${what} at byte ${at}`,
  );
}

/** The bytes of a module. Throws RZ_OPTION if the value has none. */
export function moduleBytes(module: unknown): Uint8Array {
  return (
    asBytes(module) ?? refuse('module', module, 'its bytes, as a Uint8Array or an ArrayBuffer')
  );
}

export class Reader {
  readonly bytes: Uint8Array;
  pos: number;
  end: number;

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  byte(): number {
    if (this.pos >= this.end) throw malformed('unexpected end', this.pos);
    return this.bytes[this.pos++]!;
  }

  u32(): number {
    const pos = this.pos;
    if (pos < this.end) {
      const first = this.bytes[pos]!;
      if (first < 0x80) {
        this.pos = pos + 1;
        return first;
      }
    }
    return this.#longU32();
  }

  #longU32(): number {
    let result = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    const last = this.byte();
    if (last > 0x0f) throw malformed('integer too large', this.pos - 1);
    return (result | (last << 28)) >>> 0;
  }

  /** An index into a space of `count` entries, named `what`. */
  index(count: number, what: string): number {
    const at = this.pos;
    const index = this.u32();
    if (index >= count) throw malformed(`unknown ${what} ${index}`, at);
    return index;
  }

  /** A signed 32-bit LEB128. */
  s32(): number {
    const pos = this.pos;
    if (pos < this.end) {
      const first = this.bytes[pos]!;
      if (first < 0x80) {
        this.pos = pos + 1;
        return (first << 25) >> 25;
      }
    }
    return this.#longS32();
  }

  #longS32(): number {
    let result = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (result << (25 - shift)) >> (25 - shift);
    }
    const last = this.byte();
    const sign = last & 0x78;
    if (last > 0x7f || (sign !== 0 && sign !== 0x78)) {
      throw malformed('integer too large', this.pos - 1);
    }
    return result | (last << 28);
  }

  /** Steps over a signed LEB128 of at most 64 bits. */
  skipS64(): void {
    for (let i = 0; i < 9; i++) if (this.byte() < 0x80) return;
    const last = this.byte();
    if (last !== 0 && last !== 0x7f) throw malformed('integer too large', this.pos - 1);
  }

  skip(count: number): void {
    if (count > this.end - this.pos) throw malformed('unexpected end', this.end);
    this.pos += count;
  }

  /** A vector's length: each element takes at least one byte, so more than what is left is malformed. */
  count(): number {
    const at = this.pos;
    const count = this.u32();
    if (count > this.end - this.pos) throw malformed('length out of bounds', at);
    return count;
  }

  /** The bytes of a name, without its length. */
  nameBytes(): Uint8Array {
    const count = this.count();
    const start = this.pos;
    this.pos += count;
    return this.bytes.subarray(start, this.pos);
  }

  name(): string {
    const at = this.pos;
    const bytes = this.nameBytes();
    try {
      return UTF8.decode(bytes);
    } catch {
      throw malformed('malformed UTF-8 in a name', at);
    }
  }
}
