// Names of files as text. On Linux a name is any sequence of bytes without `/` and zero. Bytes that are not
// UTF-8 become the lone surrogates U+DC80 to U+DCFF, one each, so that text and bytes are the same name (as
// in Python, PEP 383).
//
// Cost        The runtime decodes and encodes names in UTF-8; other names take a loop over the bytes.

// A byte-order mark is part of a name like any other character.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const SHORT = 256; // bytes that a loop decodes faster
const ESCAPE = 0xdc00;
const ESCAPED = /[\udc80-\udcff]/u;

/** Whether the text represents bytes that are not UTF-8. */
export const isEscaped = (name: string): boolean => ESCAPED.test(name);

export function nameOf(bytes: Uint8Array): string {
  const ascii = bytes.length <= SHORT ? asciiOf(bytes) : undefined;
  if (ascii !== undefined) return ascii;
  try {
    return strict.decode(bytes);
  } catch {
    let name = '';
    for (let at = 0; at < bytes.length;) {
      const length = sequenceAt(bytes, at);
      name +=
        length === 0
          ? String.fromCharCode(ESCAPE | bytes[at]!)
          : strict.decode(bytes.subarray(at, at + length));
      at += Math.max(1, length);
    }
    return name;
  }
}

/** The runtime's decoder takes microseconds for a name. */
function asciiOf(bytes: Uint8Array): string | undefined {
  let name = '';
  for (const byte of bytes) {
    if (byte > 127) return undefined;
    name += String.fromCharCode(byte);
  }
  return name;
}

export function bytesOf(name: string): Uint8Array {
  if (!isEscaped(name)) return encoder.encode(name);
  const bytes: number[] = [];
  for (const character of name) {
    if (isEscaped(character)) bytes.push(character.charCodeAt(0) & 0xff);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Length of the UTF-8 sequence at `at`; 0 when there is none. */
function sequenceAt(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return Math.min(length, bytes.length - at);
    } catch {
      // perhaps a longer sequence
    }
  }
  return 0;
}
