// The stream of a state, version 1: a header and records (docs/state-format.md). Numbers are little-endian.
//
//   header   0 magic (8) | 8 version | 12 flags | 16 id (16) | 32 base's id (16) | 48 module's bytes |
//            52 module's XXH32 | 56 pages | 60 bytes of registers | 64 pages of files | 68 zero |
//            72 XXH64 of all before
//   record   0 kind | 4 bytes stored | 8 bytes of content | 12 number | 16 XXH64 | 24 what is stored
//
// A record's checksum covers its first 16 bytes and what is stored. Records are numbered from 0, and the last
// one is RECORD_END: no record can be lost, repeated or moved unnoticed.
//
// Invariants  STATE-1  A stream that was cut or changed anywhere is refused with RZ_FORMAT before any of it
//                      takes effect.

import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import { STATE_RAW_BYTES } from '../../../assembly/abi/state.ts';
import { RingzeroError } from '../../errors.ts';
import type { ModuleIdentity } from '../../translator/index.ts';
import type { Codec } from './codec.ts';

export const HEADER_BYTES = 80;
export const RECORD_BYTES = 24;
const MAGIC = [0x52, 0x5a, 0x53, 0x54, 0x41, 0x54, 0x45, 0x1a]; // RZSTATE
const VERSION = 1;
const FLAG_DELTA = 1;
const SUMMED = 16; // bytes of a record's head that its checksum covers

/** Mutable globals, and which segments are dropped, as `ringzero.save` stores them. */
export const RECORD_REGISTERS = 1;
/** JSON (see encodeTables): the tables, where they differ from what the module declares. */
export const RECORD_TABLES = 2;
/** u32 number of runs; for each u32 first page, u32 pages; then the pages' content. */
export const RECORD_PAGES = 3;
/** Runs of pages that are zero now, in a delta. */
export const RECORD_ZEROS = 4;
export const RECORD_END = 5;

export interface Header {
  /** 16 bytes that name this state, and in a delta the state that it builds on. */
  readonly id: Uint8Array;
  readonly base: Uint8Array | undefined;
  readonly module: ModuleIdentity;
  /** Of guest memory, 4096 bytes each. */
  readonly pages: number;
  /** Of file memory. Their numbers follow those of guest memory, from the last page downwards. */
  readonly filePages: number;
  readonly registerBytes: number;
}

export interface StateRecord {
  readonly kind: number;
  readonly stored: Uint8Array;
  /** Bytes of its content; more than are stored = compressed. */
  readonly bytes: number;
}

export function malformed(what: string): RingzeroError {
  return new RingzeroError('RZ_FORMAT', `not a usable state: ${what}`);
}

export function encodeHeader(header: Header, codec: Codec): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.base === undefined ? 0 : FLAG_DELTA, true);
  bytes.set(header.id, 16);
  if (header.base !== undefined) bytes.set(header.base, 32);
  view.setUint32(48, header.module.bytes, true);
  view.setUint32(52, header.module.xxh32, true);
  view.setUint32(56, header.pages, true);
  view.setUint32(60, header.registerBytes, true);
  view.setUint32(64, header.filePages, true);
  view.setBigUint64(72, codec.hash(bytes.subarray(0, 72), 0n), true);
  return bytes;
}

export function decodeHeader(bytes: Uint8Array, codec: Codec): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw malformed('it does not begin as one');
  const version = view.getUint32(8, true);
  if (version !== VERSION)
    throw malformed(`its format is version ${version}, this release reads ${VERSION}`);
  if (view.getBigUint64(72, true) !== codec.hash(bytes.subarray(0, 72), 0n))
    throw malformed('its header is damaged');
  const flags = view.getUint32(12, true);
  if ((flags & ~FLAG_DELTA) !== 0 || view.getUint32(68, true) !== 0)
    throw malformed('it uses what this release does not know');
  return {
    id: bytes.slice(16, 32),
    base: (flags & FLAG_DELTA) === 0 ? undefined : bytes.slice(32, 48),
    module: { bytes: view.getUint32(48, true), xxh32: view.getUint32(52, true) },
    pages: view.getUint32(56, true),
    registerBytes: view.getUint32(60, true),
    filePages: view.getUint32(64, true),
  };
}

/** A record of the first `bytes` bytes of the codec's memory. */
export function encodeRecord(
  kind: number,
  number: number,
  bytes: number,
  codec: Codec,
  isPacked: boolean,
): Uint8Array {
  const stored = (isPacked ? codec.pack(bytes) : undefined) ?? codec.raw.subarray(0, bytes);
  const record = new Uint8Array(RECORD_BYTES + stored.length);
  const view = new DataView(record.buffer);
  [kind, stored.length, bytes, number].forEach((word, i) => view.setUint32(i * 4, word, true));
  record.set(stored, RECORD_BYTES);
  view.setBigUint64(16, sumOf(record, stored, codec), true);
  return record;
}

/** Lengths in a record's head; its content follows. Fails with RZ_FORMAT. */
export function decodeLengths(head: Uint8Array): { stored: number } {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const [stored, bytes] = [view.getUint32(4, true), view.getUint32(8, true)];
  if (bytes > STATE_RAW_BYTES || stored > bytes)
    throw malformed('a record has an impossible length');
  return { stored };
}

/** Fails with RZ_FORMAT unless the record is whole and the `number`-th. */
export function decodeRecord(
  head: Uint8Array,
  stored: Uint8Array,
  number: number,
  codec: Codec,
): StateRecord {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (view.getBigUint64(16, true) !== sumOf(head, stored, codec))
    throw malformed(`record ${number} is damaged`);
  if (view.getUint32(12, true) !== number)
    throw malformed(`record ${view.getUint32(12, true)} is where record ${number} belongs`);
  return { kind: view.getUint32(0, true), stored, bytes: view.getUint32(8, true) };
}

function sumOf(head: Uint8Array, stored: Uint8Array, codec: Codec): bigint {
  return codec.hash(stored, codec.hash(head.subarray(0, SUMMED), 0n));
}

/** The content of a record, valid until the codec's next use. */
export function contentOf({ stored, bytes }: StateRecord, codec: Codec): Uint8Array {
  if (stored.length === bytes) return stored;
  if (!codec.unpack(stored, bytes)) throw malformed('a record cannot be decompressed');
  return codec.raw.subarray(0, bytes);
}

/** [first page, pages] for each run. */
export type Run = readonly [first: number, count: number];

/**
 * The runs of a record of pages or zeros, which ascend within the state's memory, and the content of the
 * pages, valid until the codec's next use. Fails with RZ_FORMAT.
 */
export function runsOf(
  record: StateRecord,
  { pages, filePages }: Header,
  codec: Codec,
): { runs: Run[]; content: Uint8Array } {
  const all = contentOf(record, codec);
  const view = new DataView(all.buffer, all.byteOffset, all.length);
  const count = all.length < 4 ? 0 : view.getUint32(0, true);
  const end = 4 + count * 8;
  if (count === 0 || end > all.length) throw malformed('a record has no runs of pages');
  const runs: Run[] = [];
  let [last, named] = [0, 0];
  for (let at = 4; at < end; at += 8) {
    const run: Run = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (run[0] < last || run[1] === 0 || run[0] + run[1] > pages + filePages)
      throw malformed('a run of pages is out of place');
    last = run[0] + run[1];
    named += run[1];
    runs.push(run);
  }
  const wanted = record.kind === RECORD_PAGES ? named * FRAME_BYTES : 0;
  if (all.length !== end + wanted)
    throw malformed('a record does not have the pages that it names');
  return { runs, content: all.subarray(end) };
}
