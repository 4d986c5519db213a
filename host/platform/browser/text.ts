// Text and uninitialised bytes in a browser, whose decoder refuses shared memory and makes strings outside
// the engine's heap, at 3 us of garbage each. Same interface as ../text.ts.

import { CODES, engineStrings } from './strings.ts';

export interface SharedText {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  /** Returns the number of bytes written, at most `length`. */
  utf8Write(text: string, offset: number, length: number): number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Node buffers do not exist here. */
export const hasBuffers = false;

export function sharedText(memory: WebAssembly.Memory, address: number, bytes: number): SharedText {
  const shared = new Uint8Array(memory.buffer, address, bytes);
  const strings = engineStrings(memory);
  let scratch = new Uint8Array(4096);
  const slice = (start: number, end: number): string => {
    const length = end - start;
    if (length <= CODES) {
      const text = strings?.take(address + start, length);
      if (text != null) return text;
    }
    if (scratch.length < length) scratch = new Uint8Array(length);
    scratch.set(shared.subarray(start, end));
    return decoder.decode(scratch.subarray(0, length));
  };
  return {
    utf8Slice: slice,
    latin1Slice: slice, // used only where all bytes are ASCII
    utf8Write: (text, offset, length) => {
      if (strings !== undefined && text.length <= Math.min(CODES, length)) {
        const written = strings.put(text, address + offset);
        if (written >= 0) return written;
      }
      if (scratch.length < length) scratch = new Uint8Array(length);
      const { written } = encoder.encodeInto(text, scratch.subarray(0, length));
      shared.set(scratch.subarray(0, written), offset);
      return written;
    },
  };
}

export function textWriter(
  memory: WebAssembly.Memory,
  address: number,
  bytes: number,
): (text: string) => number {
  const shared = sharedText(memory, address, bytes);
  return (text) => shared.utf8Write(text, 0, text.length * 3);
}

export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      bytes += 2; // two units, four bytes
      i++;
    } else bytes += 2;
  }
  return bytes;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function allocateBuffer(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

export function bufferOf(block: ArrayBuffer, at: number, bytes: number): Uint8Array {
  return new Uint8Array(block, at, bytes);
}
