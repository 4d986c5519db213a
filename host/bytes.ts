// Bytes as callers have them: an array of bytes, any other view, or a buffer, also of another realm (a test environment
// such as jsdom has constructors of its own, so `instanceof` is not asked).

/** What is taken where the bytes of a module are asked for. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/** The bytes themselves, not a copy; undefined for anything else. */
export function asBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isBuffer(value) ? new Uint8Array(value) : undefined;
}

const lengthsOf = [ArrayBuffer, globalThis.SharedArrayBuffer]
  .filter((constructor) => constructor !== undefined) // pages that are not cross-origin isolated have the first alone
  .map(({ prototype }) => Object.getOwnPropertyDescriptor(prototype, 'byteLength')!.get!);

/** Whether it is a buffer: only the getter of its own kind takes it, whatever it says of itself. */
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
