// The writing end of an RDB file: a buffer, the checksum, and the forms of lengths and strings.
//
// Interface   open(), puts, then close() or abandon(). After a failure puts do nothing, and close() returns the error.
// Concurrency Its state is the vCPU's own, in globals; the buffer is guest memory, private to a child that saves.

import * as crc64 from './crc64.ts';
import * as format from './format.ts';
import * as lzf from './lzf.ts';
import * as number from '../number.ts';
import { KIND_BLOCK } from '../heap.ts';
import { EIO, ENOMEM } from '../../../assembly/abi/errno.ts';
import {
  OPEN_CREATE,
  OPEN_TRUNCATE,
  OPEN_WRITE,
  SYS_CLOSE,
  SYS_OPEN,
  SYS_SYNC,
  SYS_WRITE,
} from '../../../assembly/abi/syscall.ts';
import { slab, syscall } from '../../../assembly/index.ts';

/** Strings up to here are not worth packing. */
const PACK_MIN: u32 = 20;
const PACKED_FIRST: u32 = 65536;

let descriptor: i32 = -1;
let buffer: u32 = 0;
let used: u32 = 0;
let crc: u64 = 0;
let error: i32 = 0;
let isPacking: bool = false;
let isChecked: bool = false;
let packed: u32 = 0;
let packedRoom: u32 = 0;

/** Creates the file; 0, or a negative errno. `packs`: strings are packed with LZF where that makes them shorter. */
export function open(path: u32, pathBytes: u32, packs: bool, checks: bool): i32 {
  used = 0;
  crc = 0;
  error = 0;
  isPacking = packs;
  isChecked = checks;
  buffer = slab.alloc(KIND_BLOCK, format.BUFFER_BYTES);
  if (buffer == 0) return -ENOMEM;
  const flags = OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE;
  descriptor = syscall(SYS_OPEN, <i32>path, <i32>pathBytes, flags, 0, 0);
  if (descriptor >= 0) return 0;
  slab.free(buffer);
  return descriptor;
}

/** Writes the checksum and everything that waits, syncs and closes; 0, or a negative errno. */
export function close(): i32 {
  byte(format.OP_EOF);
  flush();
  raw64(crc);
  flush();
  if (error == 0) error = syscall(SYS_SYNC, descriptor, 0, 0, 0, 0);
  return abandon();
}

/** Closes the file as it is; 0, or the error that has happened. */
export function abandon(): i32 {
  const closed = syscall(SYS_CLOSE, descriptor, 0, 0, 0, 0);
  if (error == 0) error = closed;
  slab.free(buffer);
  if (packed != 0) slab.free(packed);
  packed = 0;
  packedRoom = 0;
  return min(error, 0);
}

export function hasFailed(): bool {
  return error != 0;
}

function flush(): void {
  if (error != 0) {
    used = 0;
    return;
  }
  if (isChecked) crc = crc64.update(crc, buffer, used);
  let at: u32 = 0;
  while (at < used) {
    const written = syscall(SYS_WRITE, descriptor, <i32>(buffer + at), <i32>(used - at), 0, 0);
    if (written <= 0) {
      error = written == 0 ? -EIO : written;
      break;
    }
    at += <u32>written;
  }
  used = 0;
}

// --- Pieces ------------------------------------------------------------------------------------------------------

/** Makes room for a few bytes. */
@inline
function reserve(bytes: u32): u32 {
  if (used + bytes > format.BUFFER_BYTES) flush();
  return buffer + used;
}

export function byte(value: u32): void {
  store<u8>(reserve(1), <u8>value);
  used++;
}

export function raw64(value: u64): void {
  store<u64>(reserve(8), value);
  used += 8;
}

/** Appends bytes as they are. */
export function raw(from: u32, bytes: u32): void {
  while (bytes > format.BUFFER_BYTES - used) {
    const part = format.BUFFER_BYTES - used;
    memory.copy(buffer + used, from, part);
    used += part;
    from += part;
    bytes -= part;
    flush();
  }
  memory.copy(buffer + used, from, bytes);
  used += bytes;
}

export function length(value: u64): void {
  const at = reserve(9);
  if (value < 64) {
    store<u8>(at, <u8>value);
    used += 1;
  } else if (value < 16384) {
    store<u16>(at, <u16>(0x40 | (value >> 8) | (value << 8)));
    used += 2;
  } else if (value <= 0xffffffff) {
    store<u8>(at, 0x80);
    store<u32>(at, bswap<u32>(<u32>value), 1);
    used += 5;
  } else {
    store<u8>(at, 0x81);
    store<u64>(at, bswap<u64>(value), 1);
    used += 9;
  }
}

// --- Strings -----------------------------------------------------------------------------------------------------

export function literal(ascii: string): void {
  const bytes = <u32>ascii.length;
  length(bytes);
  for (let i: u32 = 0; i < bytes; i++) byte(load<u16>(changetype<u32>(ascii) + (i << 1)));
}

/** A string, in its shortest form. */
export function text(from: u32, bytes: u32): void {
  if (bytes <= 11 && number.parse(from, bytes) && isSmall(number.parsed())) {
    return small(number.parsed());
  }
  if (isPacking && bytes > PACK_MIN && pack(from, bytes)) return;
  length(bytes);
  raw(from, bytes);
}

/** An integer that is a string. */
export function integer(value: i64): void {
  if (isSmall(value)) return small(value);
  const at = reserve(24);
  const bytes = number.format(at + 1, value);
  store<u8>(at, <u8>bytes);
  used += bytes + 1;
}


@inline
function isSmall(value: i64): bool {
  return value == <i64>(<i32>value);
}

function small(value: i64): void {
  const at = reserve(5);
  store<i32>(at, <i32>value, 1);
  if (value == <i64>(<i8>value)) {
    store<u8>(at, <u8>format.STRING_INT8);
    used += 2;
  } else if (value == <i64>(<i16>value)) {
    store<u8>(at, <u8>format.STRING_INT16);
    used += 3;
  } else {
    store<u8>(at, <u8>format.STRING_INT32);
    used += 5;
  }
}

/** Appends a string packed, if that saves four bytes; false when it does not, or there is no memory to find out. */
function pack(from: u32, bytes: u32): bool {
  if (bytes > packedRoom && !makePackedRoom(bytes)) return false;
  const packedBytes = lzf.compress(from, bytes, packed, bytes - 4);
  if (packedBytes == 0) return false;
  byte(format.STRING_LZF);
  length(packedBytes);
  length(bytes);
  raw(packed, packedBytes);
  return true;
}

function makePackedRoom(bytes: u32): bool {
  if (packed != 0) slab.free(packed);
  packedRoom = max(bytes, PACKED_FIRST);
  packed = slab.alloc(KIND_BLOCK, packedRoom);
  if (packed == 0) packedRoom = 0;
  return packed != 0;
}
