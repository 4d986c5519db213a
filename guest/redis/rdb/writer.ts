// The writing end of an RDB file: opens and closes it; the encoder makes its content, except strings
// that are too long for it to pack.
//
// Interface   open(), puts, then close(). After a failure puts do nothing, and close() returns the error.

import * as encoder from './encoder.ts';
import * as format from './format.ts';
import * as lzf from './lzf.ts';
import { KIND_BLOCK } from '../bytes/heap.ts';
import { ENOMEM } from '../../../assembly/abi/errno.ts';
import {
  OPEN_CREATE,
  OPEN_TRUNCATE,
  OPEN_WRITE,
  SYS_CLOSE,
  SYS_OPEN,
} from '../../../assembly/abi/syscall.ts';
import { slab, syscall } from '../../../assembly/index.ts';

export { byte, hasFailed, integer, length, raw64 } from './encoder';

const POSITIONS: usize = memory.data(32768, 8); // lzf.POSITIONS_BYTES

let descriptor: i32 = -1;
let isPacking: bool = false;
let packed: u32 = 0;
let packedRoom: u32 = 0;

/**
 * Creates the file; 0, or a negative errno. `packs`: strings are packed with LZF where that makes them
 * shorter. `syncs`: as the file grows, too.
 */
export function open(path: u32, pathBytes: u32, packs: bool, checks: bool, syncs: bool): i32 {
  if (encoder.base() == 0) {
    // A host without a VM has no memory but the guest's.
    const workspace = slab.alloc(KIND_BLOCK, encoder.size());
    if (workspace == 0) return -ENOMEM;
    encoder.attach(workspace);
  }
  const flags = OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE;
  descriptor = syscall(SYS_OPEN, <i32>path, <i32>pathBytes, flags, 0, 0);
  if (descriptor < 0) return descriptor;
  isPacking = packs;
  encoder.open(descriptor, packs, checks, syncs);
  return 0;
}

/** Writes the checksum and everything that waits, syncs and closes; 0, or a negative errno. */
export function close(): i32 {
  const error = encoder.close();
  const closed = syscall(SYS_CLOSE, descriptor, 0, 0, 0, 0);
  if (packed != 0) slab.free(packed);
  packed = 0;
  packedRoom = 0;
  return error != 0 ? error : min(closed, 0);
}

export function literal(ascii: string): void {
  const bytes = <u32>ascii.length;
  encoder.length(bytes);
  for (let i: u32 = 0; i < bytes; i++) encoder.byte(load<u16>(changetype<u32>(ascii) + (i << 1)));
}

/** A string, in its shortest form. */
export function text(from: u32, bytes: u32): void {
  if (encoder.put(from, bytes)) return;
  if (isPacking && pack(from, bytes)) return;
  encoder.length(bytes);
  encoder.raw(from, bytes);
}

/** A string key, and behind it in memory its value. */
export function pair(key: u32, keyBytes: u32, valueBytes: u32): void {
  if (encoder.putPair(key, keyBytes, valueBytes)) return;
  encoder.byte(format.TYPE_STRING);
  text(key, keyBytes);
  text(key + keyBytes, valueBytes);
}

/**
 * Appends a long string packed, if that saves four bytes; false when it does not, or if out of memory.
 */
function pack(from: u32, bytes: u32): bool {
  if (bytes > packedRoom && !makePackedRoom(bytes)) return false;
  lzf.attach(<u32>POSITIONS);
  const packedBytes = lzf.compress(from, bytes, packed, bytes - 4);
  if (packedBytes == 0) return false;
  encoder.byte(format.STRING_LZF);
  encoder.length(packedBytes);
  encoder.length(bytes);
  encoder.raw(packed, packedBytes);
  return true;
}

function makePackedRoom(bytes: u32): bool {
  if (packed != 0) slab.free(packed);
  packedRoom = bytes;
  packed = slab.alloc(KIND_BLOCK, packedRoom);
  if (packed == 0) packedRoom = 0;
  return packed != 0;
}
