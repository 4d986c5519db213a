// For test files that run in a browser: Node's Buffer as the package of that name has it, but quick to see
// that bytes are equal, and with Node's idea of bytes that are not text, and of text that is half a
// character.

import { Buffer } from 'buffer';

const { compare } = Buffer;
Buffer.compare = (a, b) => (areSame(a, b) ? 0 : compare(a, b));
Buffer.prototype.compare = function (other: Uint8Array, start = 0, end = other.length) {
  return Buffer.compare(this, other.subarray(start, end));
};
Buffer.prototype.equals = function (other: Uint8Array) {
  return Buffer.compare(this, other) === 0;
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const { toString } = Buffer.prototype;
Buffer.prototype.toString = function (
  this: Buffer,
  encoding = 'utf8',
  start = 0,
  end = this.length,
) {
  return encoding === 'utf8'
    ? decoder.decode(this.subarray(start, end))
    : toString.call(this, encoding, start, end);
};

const encoder = new TextEncoder();
const { from } = Buffer;
Buffer.from = ((value: string, encoding = 'utf8', length?: number) =>
  typeof value === 'string' && encoding === 'utf8'
    ? from(encoder.encode(value).buffer)
    : from(value as unknown as ArrayBuffer, encoding as unknown as number, length)) as typeof from;

/** Whether all are the same and in whole words; false says nothing. */
function areSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length || ((a.byteOffset | b.byteOffset | a.length) & 3) !== 0) return false;
  const [left, right] = [a, b].map(
    ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
  );
  return left!.every((word, i) => word === right![i]);
}

export { Buffer };
