// The encoder of RDB files: a separate, untranslated module that turns strings into the bytes of a file.
//
// In a snapshot every access of the guest is translated by the snapshot's table, which makes packing and
// checksums several times as dear. So the saver lets this module do them: it has each string fetched once, in
// bulk, to memory of the kernel that is its vCPU's own (libdbos.fetch), and from there on works with plain
// loads and stores up to the file.
//
// Interface   attach() once, with BYTES of memory outside the guest's; open(), puts, close().
//             guest/redis/rdb/writer.ts declares them for the guest. After a failure puts do nothing, and
//             close() returns the error.
// Invariants  ENC-1  By construction: it stores to its own workspace alone, and reads guest memory only
//                    through fetch().

import * as format from '../rdb/format.ts';
import * as output from './output.ts';
import * as workspace from './workspace.ts';
import { text } from './text.ts';
import { INPUT, INPUT_BYTES, ROOM_BYTES } from './workspace.ts';

export { attach } from './workspace';
export { close, hasFailed, length, open } from './output';
export { integer } from './text';

/** Address of the workspace, 0 before attach(). */
export function base(): u32 {
  return workspace.base;
}

/** Bytes that attach() wants. */
export function size(): u32 {
  return ROOM_BYTES;
}

export function byte(value: u32): void {
  output.byte(value);
}

export function raw64(value: u64): void {
  output.raw64(value);
}

/** Bytes of the guest as they are. */
export function raw(from: u32, bytes: u32): void {
  const input = workspace.base + INPUT;
  while (bytes > 0) {
    const part = min(bytes, INPUT_BYTES);
    workspace.fetch(from, part, input);
    output.raw(input, part);
    from += part;
    bytes -= part;
  }
}

/**
 * A string of the guest in its shortest form; false, and nothing written, when it is longer than fits here.
 */
export function put(from: u32, bytes: u32): bool {
  if (bytes > INPUT_BYTES) return false;
  const input = workspace.base + INPUT;
  workspace.fetch(from, bytes, input);
  text(input, bytes);
  return true;
}

/**
 * A string key with its value, which follows it; false, and nothing written, when both together do not
 * fit here.
 */
export function putPair(key: u32, keyBytes: u32, valueBytes: u32): bool {
  if (<u64>keyBytes + valueBytes > INPUT_BYTES) return false;
  const input = workspace.base + INPUT;
  workspace.fetch(key, keyBytes + valueBytes, input);
  output.byte(format.TYPE_STRING);
  text(input, keyBytes);
  text(input + keyBytes, valueBytes);
  return true;
}
