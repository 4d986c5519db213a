// The reading end of an RDB file: a buffer, the checksum, and the forms of lengths and strings.
//
// Interface   open(), reads, close(). A read that fails sets failure() and returns 0 or false; every later
//             read fails too, so a caller may check at the end of a loop, if the loop checks hasFailed() or
//             uses up bytes at each turn.
// Invariants  READ-1  No length is believed: what a file claims to hold is compared with what is left of it
//                     before memory is asked for, so that no file needs more memory than a multiple of its
//                     size.

import { PROGRESS_LOAD } from '../abi.ts';
import * as crc64 from './crc64.ts';
import * as format from './format.ts';
import * as log from '../border/log.ts';
import * as lzf from './lzf.ts';
import * as number from '../bytes/number.ts';
import { KIND_BLOCK } from '../bytes/heap.ts';
import { EINVAL, ENOMEM } from '../../../assembly/abi/errno.ts';
import {
  OPEN_READ,
  SYS_CLOSE,
  SYS_OPEN,
  SYS_PROGRESS,
  SYS_READ,
  SYS_SIZE,
} from '../../../assembly/abi/syscall.ts';
import { slab, syscall } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

/** Strings up to here are read in place. */
const TAKE_MAX: u32 = format.BUFFER_BYTES >> 1;
/** Bytes that one packed byte can stand for, at most: three make a reference to 264. */
const UNPACKED_MAX: u64 = 88;
/** A string that Redis would take, and memory may hold. */
const STRING_MAX: u64 = 0xe0000000;

const SIZE: usize = memory.data(8, 8);

let descriptor: i32 = -1;
let buffer: u32 = 0;
let at: u32 = 0;
let end: u32 = 0;
let summed: u32 = 0; // bytes of the buffer before this are in the checksum
let crc: u64 = 0;
let unread: u64 = 0; // bytes of the file behind the buffer
let size: u64 = 0;
let error: i32 = 0;
let perMille: i32 = 0;

/** Opens a file; 0, or a negative errno. */
export function open(path: u32, pathBytes: u32): i32 {
  error = 0;
  crc = 0;
  perMille = 0;
  buffer = slab.alloc(KIND_BLOCK, format.BUFFER_BYTES);
  if (buffer == 0) return -ENOMEM;
  at = buffer;
  end = buffer;
  summed = buffer;
  descriptor = syscall(SYS_OPEN, <i32>path, <i32>pathBytes, OPEN_READ, 0, 0);
  let result = descriptor;
  if (result >= 0) {
    result = syscall(SYS_SIZE, descriptor, <i32>SIZE, 0, 0, 0);
    if (result < 0) syscall(SYS_CLOSE, descriptor, 0, 0, 0, 0);
  }
  if (result < 0) {
    slab.free(buffer);
    return result;
  }
  size = load<u64>(SIZE);
  unread = size;
  return 0;
}

export function close(): void {
  syscall(SYS_CLOSE, descriptor, 0, 0, 0, 0);
  slab.free(buffer);
  for (let place: u32 = 0; place < 2; place++) {
    const cell = SCRATCH + (place << 3);
    if (load<u32>(cell) != 0) slab.free(load<u32>(cell));
    store<u64>(cell, 0);
  }
}

// --- Failure -----------------------------------------------------------------------------------------------

/** 0, or the negative errno of the first failure: -EINVAL for a file that is not what it should be. */
@inline
export function failure(): i32 {
  return error;
}


@inline
export function hasFailed(): bool {
  return error != 0;
}

/** The file is wrong; says where and why, once. */
export function fail(why: string): bool {
  if (error == 0) {
    log.begin('Internal error in RDB reading offset ');
    log.integer(position());
    log.ascii(' -> ');
    log.ascii(why);
    log.end(log.WARNING);
    error = -EINVAL;
  }
  return false;
}

/** Out of memory for the file's content. */
export function failMemory(): bool {
  if (error == 0) {
    log.begin('Out of memory loading the RDB file at offset ');
    log.integer(position());
    log.end(log.WARNING);
    error = -ENOMEM;
  }
  return false;
}

/** Bytes of the file. */
export function total(): u64 {
  return size;
}

/** Bytes read so far. */
export function position(): i64 {
  return <i64>(size - remaining());
}

/** Bytes of the file that are still to be read. */
@inline
export function remaining(): u64 {
  return unread + (end - at);
}

// --- Bytes -------------------------------------------------------------------------------------------------

/** Brings `bytes` bytes, at most TAKE_MAX, into the buffer. */
@inline
function need(bytes: u32): bool {
  return (error == 0 && end - at >= bytes) || fill(bytes);
}

function fill(bytes: u32): bool {
  if (error != 0) return false;
  if (bytes > remaining()) return fail('unexpected end of file');
  sum();
  const kept = end - at;
  memory.copy(buffer, at, kept);
  at = buffer;
  summed = at;
  end = buffer + kept;
  const roof = buffer + format.BUFFER_BYTES;
  while (end < roof && unread > 0) {
    const got = readInto(end, <u32>min<u64>(roof - end, unread));
    if (got == 0) return false;
    end += got;
  }
  showProgress();
  return end - at >= bytes;
}

/** One call of the host; bytes read, or 0 after a failure. */
function readInto(to: u32, bytes: u32): u32 {
  const got = syscall(SYS_READ, descriptor, <i32>to, <i32>bytes, 0, 0);
  if (got < 0) error = got;
  else if (got == 0 || <u32>got > bytes) fail('the file became shorter while it was read');
  else {
    unread -= got;
    return <u32>got;
  }
  return 0;
}

function sum(): void {
  if (CHECKED && (at > end || summed > at)) broken('READ-1: read beyond the buffer');
  crc = crc64.update(crc, summed, at - summed);
  summed = at;
}

function showProgress(): void {
  const now = <i32>((<u64>position() * 1000) / max<u64>(size, 1));
  if (now == perMille) return;
  perMille = now;
  syscall(SYS_PROGRESS, PROGRESS_LOAD, now, 0, 0, 0);
}

/** Checksum of all bytes read so far. */
export function checksum(): u64 {
  sum();
  return crc;
}

export function byte(): u32 {
  if (!need(1)) return 0;
  return <u32>load<u8>(at++);
}

export function raw32(): u32 {
  if (!need(4)) return 0;
  at += 4;
  return load<u32>(at - 4);
}

export function raw64(): u64 {
  if (!need(8)) return 0;
  at += 8;
  return load<u64>(at - 8);
}

/** Reads bytes in place: where they are, until the next read. 0 after a failure. */
export function take(bytes: u32): u32 {
  if (!need(bytes)) return 0;
  at += bytes;
  return at - bytes;
}

/** Reads bytes to a place. */
export function copyTo(to: u32, bytes: u32): bool {
  if (bytes <= end - at || bytes <= TAKE_MAX) {
    const from = take(bytes);
    if (from == 0) return false;
    memory.copy(to, from, bytes);
    return true;
  }
  if (bytes > remaining()) return fail('unexpected end of file');
  // Past the buffer, so that long strings are copied once.
  const first = end - at;
  memory.copy(to, at, first);
  at = end;
  sum();
  for (let done = first; done < bytes;) {
    const got = readInto(to + done, bytes - done);
    if (got == 0) return false;
    crc = crc64.update(crc, to + done, got);
    done += got;
  }
  showProgress();
  return true;
}

export function skip(bytes: u64): bool {
  if (bytes > remaining()) return fail('unexpected end of file');
  while (bytes > 0) {
    const part = <u32>min<u64>(bytes, TAKE_MAX);
    if (take(part) == 0) return false;
    bytes -= part;
  }
  return error == 0;
}

// --- Lengths and strings -----------------------------------------------------------------------------------

/** A length. */
export function length(): u64 {
  const first = byte();
  if (first < 0x40) return first;
  if (first < 0x80) return ((first & 63) << 8) | byte();
  if (first == 0x80) return bswap<u32>(raw32());
  if (first == 0x81) return bswap<u64>(raw64());
  fail('unknown length encoding');
  return 0;
}

// What head() has found.
const PLAIN: u32 = 0;
export const INTEGER: u32 = 1;
export const PACKED: u32 = 2;

let packedBytes: u32 = 0;

/** Reads the head of a string: its form; fetch() or drop() must follow unless it is an INTEGER. */
export function head(): u32 {
  if (!need(1)) return INTEGER;
  const first: u32 = load<u8>(at);
  if (first >= 0xc0) return special();
  const plain = length();
  if (plain > remaining() || plain > STRING_MAX) fail('a string is longer than the file');
  stringBytes = error == 0 ? <u32>plain : 0;
  return PLAIN;
}

/** What it found: the length of a string, or the integer. Set by head(), valid until its next call. */
export let stringBytes: u32 = 0;
export let integerValue: i64 = 0;

function special(): u32 {
  const form = byte();
  integerValue = 0;
  if (form == format.STRING_INT8) integerValue = <i64>(<i8>byte());
  else if (form == format.STRING_INT16) {
    const low = byte();
    integerValue = <i64>(<i16>(low | (byte() << 8)));
  } else if (form == format.STRING_INT32) integerValue = <i64>(<i32>raw32());
  else if (form == format.STRING_LZF) {
    const short = length();
    const long = length();
    if (short > remaining() || long > STRING_MAX || long > short * UNPACKED_MAX) {
      fail('a packed string is longer than it can be');
    }
    packedBytes = error == 0 ? <u32>short : 0;
    stringBytes = error == 0 ? <u32>long : 0;
    return PACKED;
  } else fail('unknown string encoding');
  return INTEGER;
}

/** Reads the stringBytes of a PLAIN or PACKED string to a place. */
export function fetch(form: u32, to: u32): bool {
  if (error != 0) return false;
  if (form == PLAIN) return copyTo(to, stringBytes);
  if (packedBytes <= TAKE_MAX) {
    const from = take(packedBytes);
    if (from == 0) return false;
    return (
      lzf.decompress(from, packedBytes, to, stringBytes) || fail('invalid LZF compressed string')
    );
  }
  const block = slab.alloc(KIND_BLOCK, packedBytes);
  if (block == 0) return failMemory();
  const isRight = copyTo(block, packedBytes) && lzf.decompress(block, packedBytes, to, stringBytes);
  slab.free(block);
  return isRight || fail('invalid LZF compressed string');
}

/** Reads over a whole string. */
export function skipString(): bool {
  const form = head();
  if (form == INTEGER) return error == 0;
  return error == 0 && skip(form == PLAIN ? stringBytes : packedBytes);
}

/** Two places for strings, each [address u32, room u32]. */
const SCRATCH: usize = memory.data(16, 8);

/** Reads a whole string to a place of its own, 0 or 1, where it stays until the next one for that place. */
export function readText(place: u32): bool {
  const form = head();
  if (error != 0) return false;
  const wanted: u32 = form == INTEGER ? 20 : stringBytes;
  const cell = SCRATCH + (place << 3);
  if (wanted > load<u32>(cell, 4) || load<u32>(cell) == 0) {
    if (load<u32>(cell) != 0) slab.free(load<u32>(cell));
    const room = max<u32>(wanted, 1024);
    const block = slab.alloc(KIND_BLOCK, room);
    store<u32>(cell, block);
    store<u32>(cell, block == 0 ? 0 : room, 4);
    if (block == 0) return failMemory();
  }
  textAt = load<u32>(cell);
  if (form == INTEGER) {
    textBytes = number.format(textAt, integerValue);
    return true;
  }
  textBytes = stringBytes;
  return fetch(form, textAt);
}

/**
 * The string. Set by readText(), valid until its next call; the bytes until its next call for that place.
 */
export let textAt: u32 = 0;
export let textBytes: u32 = 0;
