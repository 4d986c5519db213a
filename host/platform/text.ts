// Text and fresh bytes as Node does them best: by Buffer.

/** Bytes of shared memory as text: what Node's buffers have, faster than toString() with the same result. */
export interface SharedText {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  /** Returns the bytes written; `length` is how many may be. */
  utf8Write(text: string, offset: number, length: number): number;
}

/** Whether values can be had as Node's buffers. */
export const hasBuffers = true;

export function sharedText(memory: WebAssembly.Memory, address: number, bytes: number): SharedText {
  return Buffer.from(memory.buffer, address, bytes) as unknown as SharedText;
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

/** Bytes of a memory block of their own, not cleared. A buffer, which is an Uint8Array as well. */
export function allocateBuffer(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}

/** A buffer in a memory block. */
export function bufferOf(block: ArrayBuffer, at: number, bytes: number): Uint8Array {
  return Buffer.from(block, at, bytes);
}
