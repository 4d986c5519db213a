// Text and uninitialised bytes, by Node's Buffer; by its encoder where text always goes to the same place.

import { TextEncoder } from 'node:util';

/**
 * Bytes of shared memory as text, by internal functions of Node's buffers: faster than toString(), with the
 * same result.
 */
export interface SharedText {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  /** Returns the number of bytes written, at most `length`. */
  utf8Write(text: string, offset: number, length: number): number;
}

/** Whether values can be Node's buffers. */
export const hasBuffers = true;

export function sharedText(memory: WebAssembly.Memory, address: number, bytes: number): SharedText {
  return Buffer.from(memory.buffer, address, bytes) as unknown as SharedText;
}

/** Writes a text to the stretch of memory, where it must have room: the bytes written. */
export function textWriter(
  memory: WebAssembly.Memory,
  address: number,
  bytes: number,
): (text: string) => number {
  const view = new Uint8Array(memory.buffer, address, bytes);
  const encoder = new TextEncoder();
  return (text) => encoder.encodeInto(text, view).written;
}

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

export function toUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function fromUtf8(bytes: Uint8Array): string {
  return (bytes as Buffer).toString('utf8');
}

/** Uninitialised bytes in a memory block of their own. A buffer, which is a Uint8Array. */
export function allocateBuffer(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}

/** A buffer in a memory block. */
export function bufferOf(block: ArrayBuffer, at: number, bytes: number): Uint8Array {
  return Buffer.from(block, at, bytes);
}
