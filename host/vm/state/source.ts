// The types of streams and states, for those without the types of a page or of Node.

import type { Bytes } from '../../bytes.ts';

/**
 * The runtime's ReadableStream of bytes; without types for it, what can be iterated over.
 *
 * @category States
 */
export type ByteStream = typeof globalThis extends { ReadableStream: { prototype: infer Stream } }
  ? Stream
  : AsyncIterable<Uint8Array>;

/**
 * A state: the bytes of a stream, or the stream.
 *
 * @category States
 */
export type StateSource = Bytes | AsyncIterable<Uint8Array> | ByteStream;
