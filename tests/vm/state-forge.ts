// An encoder of states (docs/state-format.md) that writes whatever it is told, with valid checksums.

import { xxh32 } from '../../host/translator/identity.ts';
import type { Codec } from '../../host/vm/state/codec.ts';

export const REGISTERS = 1;
export const TABLES = 2;
export const PAGES = 3;
const ZEROS = 4;
const END = 5;

export interface Forged {
  readonly module: Uint8Array;
  readonly pages: number;
  readonly registers: Uint8Array;
  readonly flags?: number;
  readonly filePages?: number;
  readonly reserved?: number;
  readonly records?: readonly (readonly [kind: number, content: Uint8Array])[];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function header(state: Forged, codec: Codec): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('RZSTATE\x1a'));
  view.setUint32(8, 1, true);
  view.setUint32(12, state.flags ?? 0, true);
  view.setUint32(48, state.module.length, true);
  view.setUint32(52, xxh32(state.module), true);
  view.setUint32(56, state.pages, true);
  view.setUint32(60, state.registers.length, true);
  view.setUint32(64, state.filePages ?? 0, true);
  view.setUint32(68, state.reserved ?? 0, true);
  view.setBigUint64(72, codec.hash(bytes.subarray(0, 72), 0n), true);
  return bytes;
}

function record(kind: number, number: number, content: Uint8Array, codec: Codec): Uint8Array {
  const bytes = joined([new Uint8Array(24), content]);
  const view = new DataView(bytes.buffer);
  [kind, content.length, content.length, number].forEach((word, i) =>
    view.setUint32(i * 4, word, true),
  );
  const seed = codec.hash(bytes.subarray(0, 16), 0n);
  view.setBigUint64(16, codec.hash(content, seed), true);
  return bytes;
}

export function forge(state: Forged, codec: Codec): Uint8Array {
  const records = [[REGISTERS, state.registers] as const, ...(state.records ?? [])];
  return joined([
    header(state, codec),
    ...records.map(([kind, content], i) => record(kind, i, content, codec)),
    record(END, records.length, new Uint8Array(), codec),
  ]);
}

export function tables(value: unknown): [number, Uint8Array] {
  return [TABLES, new TextEncoder().encode(JSON.stringify(value))];
}

/** A record of runs of pages, each filled with a byte; of zeros without one. */
export function runs(
  list: readonly (readonly [first: number, count: number])[],
  fill?: number,
): [number, Uint8Array] {
  const head = new Uint8Array(4 + 8 * list.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, list.length, true);
  list.forEach(([first, count], i) => {
    view.setUint32(4 + 8 * i, first, true);
    view.setUint32(8 + 8 * i, count, true);
  });
  if (fill === undefined) return [ZEROS, head];
  const pages = list.reduce((sum, [, count]) => sum + count, 0);
  return [PAGES, joined([head, new Uint8Array(pages * 4096).fill(fill)])];
}
