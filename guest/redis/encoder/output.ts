// The end of an RDB file that is being written: a buffer, the checksum, and what needs no packing.

import * as crc64 from '../rdb/crc64.ts';
import * as format from '../rdb/format.ts';
import { EIO } from '../../../assembly/abi/errno.ts';
import { SYS_SYNC, SYS_WRITE } from '../../../assembly/abi/syscall.ts';
import { copy } from '../bytes/copy.ts';
import { base, OUTPUT, OUTPUT_BYTES } from './workspace.ts';


@external('libdbos', 'syscall')
declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

/** As Redis: so that the disk is busy all along instead of at the end. */
const SYNC_BYTES: u32 = 4194304;

let descriptor: i32 = -1;
let buffer: u32 = 0;
let used: u32 = 0;
let crc: u64 = 0;
let error: i32 = 0;
let isChecked: bool = false;
let isSynced: bool = false;
let unsynced: u32 = 0; // bytes
export let isPacking: bool = false;

/**
 * Begins a file. `packs`: strings are packed with LZF where that makes them shorter. `syncs`: as it grows,
 * too.
 */
export function open(file: i32, packs: bool, checks: bool, syncs: bool): void {
  descriptor = file;
  isPacking = packs;
  isChecked = checks;
  isSynced = syncs;
  unsynced = 0;
  buffer = base + OUTPUT;
  used = 0;
  crc = 0;
  error = 0;
}

/**
 * Writes the checksum and everything that waits, and syncs; 0, or the negative errno of what failed first.
 */
export function close(): i32 {
  byte(format.OP_EOF);
  flush();
  raw64(crc);
  flush();
  if (error == 0) error = min(syscall(SYS_SYNC, descriptor, 0, 0, 0, 0), 0);
  return error;
}

export function hasFailed(): bool {
  return error != 0;
}

function flush(): void {
  if (error == 0 && isChecked) crc = crc64.update(crc, buffer, used);
  let at: u32 = 0;
  while (at < used && error == 0) {
    const written = syscall(SYS_WRITE, descriptor, <i32>(buffer + at), <i32>(used - at), 0, 0);
    if (written <= 0) error = written == 0 ? -EIO : written;
    else at += <u32>written;
  }
  unsynced += at;
  if (isSynced && unsynced >= SYNC_BYTES && error == 0) {
    error = min(syscall(SYS_SYNC, descriptor, 0, 0, 0, 0), 0);
    unsynced = 0;
  }
  used = 0;
}

/** Makes room for a few bytes. */
@inline
export function reserve(bytes: u32): u32 {
  if (used + bytes > OUTPUT_BYTES) flush();
  return buffer + used;
}

/** Takes `bytes` of the bytes that were reserved. */
@inline
export function take(bytes: u32): void {
  used += bytes;
}

export function byte(value: u32): void {
  store<u8>(reserve(1), <u8>value);
  used++;
}

export function raw64(value: u64): void {
  store<u64>(reserve(8), value);
  used += 8;
}

/** Bytes of the workspace as they are, at most OUTPUT_BYTES. */
export function raw(from: u32, bytes: u32): void {
  copy(reserve(bytes), from, bytes);
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
