// Bytes from callers: an array of bytes, any other view, or a buffer; also from another realm (a test
// environment such as jsdom has its own constructors, so `instanceof` is not used).

/** Accepted wherever the bytes of a module are expected. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/** The bytes themselves, not a copy; undefined for anything else. */
export function asBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isBuffer(value) ? new Uint8Array(value) : undefined;
}

const lengthsOf = [ArrayBuffer, globalThis.SharedArrayBuffer]
  // Pages that are not cross-origin isolated have only the first.
  .filter((constructor) => constructor !== undefined)
  .map(({ prototype }) => Object.getOwnPropertyDescriptor(prototype, 'byteLength')!.get!);

/** Whether it is a buffer: a buffer's getter accepts only its own kind, whatever an object claims to be. */
function isBuffer(value: unknown): value is ArrayBuffer | SharedArrayBuffer {
  return lengthsOf.some((lengthOf) => {
    try {
      lengthOf.call(value);
      return true;
    } catch {
      return false;
    }
  });
}
