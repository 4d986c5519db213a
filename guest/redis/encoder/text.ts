// Strings of an RDB file, each in its shortest form: a small integer, packed, or as it is.

import * as format from '../rdb/format.ts';
import * as lzf from '../rdb/lzf.ts';
import * as number from '../bytes/number.ts';
import { isPacking, length, raw, byte, reserve, take } from './output.ts';
import { base, PACKED } from './workspace.ts';

/** Strings up to here are not worth packing. */
const PACK_MIN: u32 = 20;

/** A string in the workspace, at most INPUT_BYTES long. */
export function text(from: u32, bytes: u32): void {
  if (bytes <= 11 && number.parse(from, bytes) && isSmall(number.parsed)) {
    return small(number.parsed);
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
  take(bytes + 1);
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
    take(2);
  } else if (value == <i64>(<i16>value)) {
    store<u8>(at, <u8>format.STRING_INT16);
    take(3);
  } else {
    store<u8>(at, <u8>format.STRING_INT32);
    take(5);
  }
}

/** Writes a string packed, if that saves four bytes. */
function pack(from: u32, bytes: u32): bool {
  const packed = base + PACKED;
  const packedBytes = lzf.compress(from, bytes, packed, bytes - 4);
  if (packedBytes == 0) return false;
  byte(format.STRING_LZF);
  length(packedBytes);
  length(bytes);
  raw(packed, packedBytes);
  return true;
}
