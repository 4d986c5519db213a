// A growing byte buffer with the encodings of the binary format.

const UTF8 = new TextEncoder();
/** Fewer bytes are copied one by one: a view of them costs as much. */
const SET_MIN = 128;

export class Writer {
  bytes: Uint8Array;
  pos = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.pos + count;
    if (need <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.pos));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.pos === this.bytes.length) this.reserve(1);
    this.bytes[this.pos++] = value;
  }

  u32(value: number): void {
    value >>>= 0;
    if (value < 0x80) return this.byte(value);
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.byte(value);
  }

  s32(value: number): void {
    value |= 0;
    while (value < -64 || value > 63) {
      this.byte((value & 0x7f) | 0x80);
      value >>= 7;
    }
    this.byte(value & 0x7f);
  }

  /** Characters below 128. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.pos++] = text.charCodeAt(i);
  }

  /** An unsigned LEB128 of exactly five bytes, so that another value fits in its place. */
  padded(value: number): void {
    this.reserve(5);
    writePadded(this.bytes, this.pos, value);
    this.pos += 5;
  }

  /** Bytes [start, end) of `source`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const bytes = this.bytes;
    let pos = this.pos;
    this.pos = pos + count;
    if (count > SET_MIN) bytes.set(source.subarray(start, end), pos);
    else while (start < end) bytes[pos++] = source[start++]!;
  }

  append(source: Uint8Array): void {
    this.copy(source, 0, source.length);
  }

  ops(...bytes: number[]): this {
    for (const byte of bytes) this.byte(byte);
    return this;
  }

  nameBytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.append(bytes);
  }

  name(text: string): void {
    this.nameBytes(UTF8.encode(text));
  }

  /** An entry of the export section. */
  exported(name: string, kind: number, index: number): void {
    this.name(name);
    this.byte(kind);
    this.u32(index);
  }

  /** The bytes written so far; valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.pos);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.pos);
  }
}

export function writePadded(bytes: Uint8Array, pos: number, value: number): void {
  for (let i = 0; i < 4; i++) {
    bytes[pos + i] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[pos + 4] = value;
}

export function writePaddedSigned(bytes: Uint8Array, pos: number, value: number): void {
  writePadded(bytes, pos, value);
  bytes[pos + 4] = (value >> 28) & 0x7f;
}
