// Input that is not yet a whole command: kept with its client until the rest arrives.
//
// Interface   keep() after protocol.next() said MORE; append() with the next chunk; finish() after the
//             command has run; adopt() lets a command take a large argument over as the entry of its key,
//             value in place.
// Structure   The client's buffer holds the unfinished command and what follows it. An argument of LARGE_MIN
//             bytes or more is received into an allocation of its own, laid out as the entry that a SET of it
//             needs: header, room for the key, value. Those are linked through their access field; their type
//             is 0, so no saver takes them for keys.
// Invariants  INPUT-1  Input that has not been read, one large argument included, is at most
//                      client-query-buffer-limit bytes.
//             INPUT-2  If out of memory for an argument, it is skipped and its command is
//                      answered with OOM.

import * as client from '../client/client.ts';
import * as config from '../config/config.ts';
import * as entry from '../keyspace/entry.ts';
import * as heap from '../bytes/heap.ts';
import * as option from '../config/option.ts';
import * as protocol from './protocol.ts';
import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

export const LARGE_MIN: u32 = 32768;
const FIRST_ARGUMENTS: u32 = 16;

/** Keeps the unfinished command that protocol.next() met, and all behind it. False: no memory. */
export function keep(c: client.Client): bool {
  const from = protocol.start();
  const bytes = protocol.at() + protocol.left() - from;
  const readBytes = protocol.at() - from;
  const total = protocol.argumentsTotal();
  const read = total == 0 ? 0 : protocol.argumentsRead();
  if (total != 0 && c.arguments == 0 && !keepArguments(c, from, read)) return false;
  if (c.input != 0) {
    if (from != c.input) memory.copy(c.input, from, bytes);
    c.inputBytes = bytes;
  } else {
    c.inputBytes = 0;
    if (!put(c, from, bytes)) return false;
  }
  c.inputAt = readBytes;
  c.argumentsTotal = total;
  c.argumentsRead = read;
  if (protocol.argumentsWanted() >= LARGE_MIN)
    beginLarge(c, protocol.argumentAt() - from, protocol.argumentsWanted());
  return true;
}

/** Saves the places of the arguments read so far, counted from where the command begins. */
function keepArguments(c: client.Client, from: u32, read: u32): bool {
  let room = FIRST_ARGUMENTS;
  while (room < read) room <<= 1;
  const kept = heap.alloc(room << 3);
  if (kept == 0) return false;
  const vector = protocol.vectorAt();
  for (let i: u32 = 0; i < read; i++) {
    store<u32>(kept + (i << 3), load<u32>(vector + (i << 3)) - from);
    store<u32>(kept + (i << 3), load<u32>(vector + (i << 3), 4), 4);
  }
  c.arguments = kept;
  c.argumentsRoom = room;
  return true;
}

/** Appends to the buffer. */
function put(c: client.Client, from: u32, bytes: u32): bool {
  const wanted = <u64>c.inputBytes + bytes;
  if (wanted > 0xe0000000) return false;
  if (c.input == 0 || wanted > c.inputRoom) {
    const room = max<u32>(<u32>wanted, c.input == 0 ? 0 : min<u32>(c.inputRoom << 1, 0xe0000000));
    let moved = heap.alloc(room);
    if (moved == 0) moved = heap.alloc(<u32>wanted);
    if (moved == 0) return false;
    if (c.input != 0) {
      memory.copy(moved, c.input, c.inputBytes);
      heap.free(c.input, c.inputRoom);
    }
    c.input = moved;
    c.inputRoom = slab.usable(moved);
  }
  memory.copy(c.input + c.inputBytes, from, bytes);
  c.inputBytes += bytes;
  if (CHECKED && c.inputBytes > c.inputRoom) broken('INPUT: more bytes than the buffer has');
  return true;
}

/**
 * Whether a chunk makes it more than client-query-buffer-limit: input that has not been read, and what MULTI
 * has queued.
 */
@inline
export function isOver(c: client.Client, bytes: u32): bool {
  const unread = <u64>(c.largeTotal != 0 ? c.largeRead : c.inputBytes - c.inputAt);
  return unread + bytes + c.queueText > <u64>config.number(option.CLIENT_QUERY_BUFFER_LIMIT);
}

/** Takes the next chunk in. False: no memory. */
export function append(c: client.Client, from: u32, bytes: u32): bool {
  if (c.largeTotal == 0) return put(c, from, bytes);
  const taken = fillLarge(c, from, bytes);
  if (c.largeRead < c.largeTotal + 2) return true;
  return endLarge(c) && put(c, from + taken, bytes - taken);
}

/** True when append() has only filled a large argument, and there is nothing to parse. */
export function isFilling(c: client.Client): bool {
  return c.largeTotal != 0;
}

// --- Large arguments ---------------------------------------------------------------------------------------

/**
 * Moves what has arrived of a large argument out of the buffer; the rest is received in its own place. It
 * begins `offset` bytes into the buffer: only the parser knows, for any byte may stand where the line of its
 * length should end with a LF.
 */
function beginLarge(c: client.Client, offset: u32, bytes: u32): void {
  const from = c.input + offset;
  const come = c.input + c.inputBytes - from;
  c.largeTotal = bytes;
  c.largeRead = 0;
  c.largeBlock = entry.reserve(keyBytes(c), bytes);
  if (c.largeBlock != 0) {
    entry.setAccess(c.largeBlock, c.largeHead);
    c.largeHead = c.largeBlock;
    c.largeBytes += slab.usable(c.largeBlock);
  } else c.flags |= client.ARGUMENT_LOST;
  fillLarge(c, from, come);
  c.inputBytes = from - c.input;
  c.inputAt = c.inputBytes;
}

/**
 * Bytes of the key that a large argument would be stored under: the argument before it in MSET, else the
 * first.
 */
function keyBytes(c: client.Client): u32 {
  if (c.argumentsRead < 2) return 0;
  const name = load<u8>(c.input + load<u32>(c.arguments)) | 32;
  const key: u32 = name == 109 ? c.argumentsRead - 1 : 1;
  return load<u32>(c.arguments + (key << 3), 4) & ~protocol.LOOSE;
}

/** Takes bytes of the large argument and of its CR LF, which counts as two more that are kept nowhere. */
function fillLarge(c: client.Client, from: u32, bytes: u32): u32 {
  const taken = min(bytes, c.largeTotal + 2 - c.largeRead);
  const kept = c.largeRead < c.largeTotal ? min(taken, c.largeTotal - c.largeRead) : 0;
  if (c.largeBlock != 0 && kept != 0)
    memory.copy(entry.value(c.largeBlock) + c.largeRead, from, kept);
  c.largeRead += taken;
  if (CHECKED && c.largeRead > c.largeTotal + 2) broken('INPUT: more bytes than were announced');
  return taken;
}

/** The large argument is whole. */
function endLarge(c: client.Client): bool {
  const at = c.largeBlock == 0 ? 0 : entry.value(c.largeBlock);
  const bytes = c.largeBlock == 0 ? 0 : c.largeTotal;
  c.largeTotal = 0;
  c.largeRead = 0;
  c.largeBlock = 0;
  return protocol.takeLoose(c, at, bytes);
}

/**
 * Takes a large argument over as an entry: header clear, key and value in place. 0 when the argument is not
 * one, or was received with room for a key of another length.
 */
export function adopt(c: client.Client, value: u32, keyBytes: u32): u32 {
  let before: u32 = 0;
  for (let block = c.largeHead; block != 0; block = entry.access(block)) {
    if (entry.value(block) == value && entry.keyBytes(block) == keyBytes) {
      if (before == 0) c.largeHead = entry.access(block);
      else entry.setAccess(before, entry.access(block));
      c.largeBytes -= slab.usable(block);
      return block;
    }
    before = block;
  }
  return 0;
}

// --- The end -----------------------------------------------------------------------------------------------

/** Frees the arguments of a command that has run. */
export function finish(c: client.Client): void {
  if (c.arguments != 0) {
    heap.free(c.arguments, 0);
    c.arguments = 0;
    c.argumentsRoom = 0;
  }
  while (c.largeHead != 0) {
    const block = c.largeHead;
    c.largeHead = entry.access(block);
    if (CHECKED && entry.isKey(block)) broken('INPUT: an argument that is freed is a key');
    if (CHECKED) c.largeBytes -= slab.usable(block);
    slab.free(block);
  }
  if (CHECKED && c.largeBytes != 0) broken('INPUT: the bytes of large arguments do not add up');
  c.largeBytes = 0;
  c.argumentsTotal = 0;
  c.flags &= ~client.ARGUMENT_LOST;
}

/** Bytes that what a client has sent takes. */
export function bytesOf(c: client.Client): u64 {
  return c.largeBytes + c.inputRoom + ((<u64>c.argumentsRoom) << 3);
}

/** Frees the buffer. */
export function empty(c: client.Client): void {
  if (CHECKED && (c.inputAt > c.inputBytes || (c.input == 0 && c.inputBytes != 0)))
    broken('INPUT: read beyond the buffer');
  if (c.input != 0) heap.free(c.input, c.inputRoom);
  c.input = 0;
  c.inputBytes = 0;
  c.inputRoom = 0;
  c.inputAt = 0;
}

/** Frees all that a client has sent. */
export function drop(c: client.Client): void {
  c.largeTotal = 0;
  c.largeRead = 0;
  c.largeBlock = 0;
  finish(c);
  empty(c);
}
