// Text and fresh bytes in a browser, which decodes nothing that lies in shared memory. Same interface as ../text.ts.

export interface SharedText {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  /** Returns the bytes written; `length` is how many may be. */
  utf8Write(text: string, offset: number, length: number): number;
}

/** Text up to here is put together from its codes: a decoder's strings are the browser's, not the engine's, and cost 3 us in garbage. */
const SHORT_BYTES = 128;

/** Text up to here is written by a loop, if it is ASCII. */
const SHORT_TEXT = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** An array for each length, as its elements are a call's arguments. */
const codesOf: number[][] = [];

/** Node's buffers are not at home here. */
export const hasBuffers = false;

export function sharedText(memory: WebAssembly.Memory, address: number, bytes: number): SharedText {
  const shared = new Uint8Array(memory.buffer, address, bytes);
  let scratch = new Uint8Array(4096);
  const slice = (start: number, end: number): string => {
    const length = end - start;
    if (length <= SHORT_BYTES) {
      const text = shortAscii(shared, start, length);
      if (text !== undefined) return text;
    }
    if (scratch.length < length) scratch = new Uint8Array(length);
    scratch.set(shared.subarray(start, end));
    return decoder.decode(scratch.subarray(0, length));
  };
  return {
    utf8Slice: slice,
    latin1Slice: slice, // asked for where all is ASCII
    utf8Write: (text, offset, length) => {
      if (text.length <= SHORT_TEXT && text.length <= length && putAscii(shared, offset, text))
        return text.length;
      if (scratch.length < length) scratch = new Uint8Array(length);
      const { written } = encoder.encodeInto(text, scratch.subarray(0, length));
      shared.set(scratch.subarray(0, written), offset);
      return written;
    },
  };
}

/** Whether all of the text is ASCII, and then in place. */
function putAscii(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    bytes[at + i] = code;
  }
  return true;
}

function shortAscii(bytes: Uint8Array, start: number, length: number): string | undefined {
  const codes = (codesOf[length] ??= new Array<number>(length).fill(0));
  for (let i = 0; i < length; i++) {
    const code = bytes[start + i]!;
    if (code > 127) return undefined;
    codes[i] = code;
  }
  return String.fromCharCode.apply(undefined, codes);
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
