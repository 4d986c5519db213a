// The file of a trace (host/vm/trace.ts), to which all threads of a process append.
//
// Invariants  TRACE-3  An append is one write to the end of the file, so appends of threads do not mix.
// Concurrency Each thread opens the file itself.

import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeno, onThreadEnd } from './deno.ts';

/** Creates the file, or empties it; returns its absolute path. Throws the host's own error. */
export function create(path: string): string {
  const absolute = resolve(path);
  closeSync(openSync(absolute, 'w'));
  return absolute;
}

/** A descriptor of this thread. */
export function open(path: string): number {
  return openSync(path, 'a');
}

/** Throws when only a part was written. */
export function append(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  const written = writeSync(descriptor, bytes);
  if (written !== bytes.length) throw new Error(`only ${written} bytes of ${bytes.length}`);
}

export function close(descriptor: number): void {
  closeSync(descriptor);
}

/** The time at which clockNs() was 0, in milliseconds on a clock that all threads share. */
export const clockStartMs = isDeno ? performance.timeOrigin : 0;

/** Nanoseconds. */
export function clockNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}

/** Calls `then` when this thread ends normally; the result cancels that. */
export function atEnd(then: () => void): () => void {
  return onThreadEnd(then);
}
