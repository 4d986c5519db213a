// RESP requests: finds the arguments of one command in a stretch of input, without copying them.
//
// Interface   begin() names the stretch; next() reads one command: READY (it is in args), EMPTY (nothing to
//             run), MORE (the stretch ends inside a command) or BROKEN (the error is in the reply, and the
//             client is to be closed). After MORE, start() is where the unfinished command begins, and the
//             words below say how far it was read; resume() takes them up again with the stretch at another
//             place.
// Structure   The vector holds an argument as [place u32 | bytes u32]. While a command is unfinished, places
//             count from the origin, so that its bytes may move; LOOSE in the bytes marks a place that is an
//             address (input.ts).
// Invariants  PROTO-1  No length is trusted: what is not there yet is waited for, never read.
//             PROTO-2  The vector grows with the arguments that came, not with the number that was announced.

import * as ascii from '../bytes/ascii.ts';
import * as args from './args.ts';
import * as client from '../client/client.ts';
import * as config from '../config/config.ts';
import * as heap from '../bytes/heap.ts';
import * as inline_ from './inline.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reply from './reply.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

export const READY: u32 = 0;
export const EMPTY: u32 = 1;
const MORE: u32 = 2;
export const BROKEN: u32 = 3;

export const LOOSE: u32 = 0x80000000;
/** Longest argument, whatever proto-max-bulk-len says: LOOSE needs its bit. */
const BULK_MAX: i64 = 0x7fffff00;
const LINE_MAX: u32 = 65536;
const FIRST_ARGUMENTS: u32 = 1024;

let cursor: u32 = 0;
let limit: u32 = 0;
let origin: u32 = 0;
let begun: u32 = 0; // where the command begins
let first: u32 = 0; // where the stretch begins
let total: u32 = 0; // arguments announced; 0 = between commands
let count: u32 = 0; // arguments read
let vector: u32 = 0;
let room: u32 = 0;
let ownVector: u32 = 0; // the vector for commands that arrive whole
let ownRoom: u32 = 0;
let wanted: u32 = 0; // after MORE: bytes of the argument that is not all there; 0 = not in one
let wantedAt: u32 = 0; // and where it begins

export function boot(): void {
  ownVector = heap.alloc(FIRST_ARGUMENTS << 3);
  ownRoom = FIRST_ARGUMENTS;
  inline_.boot();
}

/** Reads commands from `at` on. */
export function begin(at: u32, bytes: u32): void {
  cursor = at;
  first = at;
  limit = at + bytes;
  origin = 0;
  total = 0;
  vector = ownVector;
  room = ownRoom;
}

/** Goes on with an unfinished command: its bytes are at `base`, those from `at` on have not been read. */
export function resume(base: u32, at: u32, end: u32, c: client.Client): void {
  origin = base;
  begun = base;
  first = base;
  cursor = at;
  limit = end;
  total = c.argumentsTotal;
  count = c.argumentsRead;
  vector = c.arguments;
  room = c.argumentsRoom;
}


@inline
export function at(): u32 {
  return cursor;
}


@inline
export function left(): u32 {
  return limit - cursor;
}

/** Bytes of the stretch, and those of them that have been read. */
export function stretchBytes(): u32 {
  return limit - first;
}

export function readBytes(): u32 {
  return cursor - first;
}

export function start(): u32 {
  return begun;
}

export function argumentsTotal(): u32 {
  return total;
}

export function argumentsRead(): u32 {
  return count;
}

export function argumentsWanted(): u32 {
  return wanted;
}

/** Where the argument begins that is not all there: never behind the stretch. */
export function argumentAt(): u32 {
  return wantedAt;
}

export function vectorAt(): u32 {
  return vector;
}

/** Reads one command. */
export function next(): u32 {
  wanted = 0;
  if (total == 0) {
    begun = cursor;
    if (cursor == limit) return EMPTY;
    if (load<u8>(cursor) != ascii.ASTERISK) return nextInline();
    const state = readCount();
    if (state != READY) return state;
    count = 0;
  }
  while (count < total) {
    const state = readArgument();
    if (state != READY) return state;
  }
  total = 0;
  if (CHECKED && (cursor > limit || count > room)) broken('PROTO-1: read beyond the input');
  if (origin != 0) settle();
  args.set(vector, count);
  return READY;
}

/** The command is whole: its places become addresses. */
function settle(): void {
  for (let i: u32 = 0; i < count; i++) {
    const cell = vector + (i << 3);
    const bytes = load<u32>(cell, 4);
    if (bytes & LOOSE) store<u32>(cell, bytes & ~LOOSE, 4);
    else store<u32>(cell, load<u32>(cell) + origin);
  }
}

/** Reads "*count": READY, EMPTY when there is nothing to run, or as next(). */
function readCount(): u32 {
  const end = lineEnd();
  if (end == 0) {
    if (left() > LINE_MAX) return violation('too big mbulk count string');
    return MORE;
  }
  if (!number.parse(cursor + 1, end - cursor - 1) || number.parsed > 0x7fffffff)
    return violation('invalid multibulk length');
  const announced = number.parsed;
  if (announced > 10 && !isTrusted()) return violation('unauthenticated multibulk length');
  cursor = end + 2;
  if (announced <= 0) return EMPTY;
  total = <u32>announced;
  return READY;
}


@inline
function readArgument(): u32 {
  // "$", one or two digits, CR LF: nearly every argument.
  if (limit - cursor > 5) {
    const word = load<u32>(cursor);
    const first = ((word >> 8) & 255) - ascii.ZERO;
    if ((word & 255) == ascii.DOLLAR && first < 10) {
      if (word >> 16 == 0x0a0d) return takeArgument(cursor + 4, first);
      const second = ((word >> 16) & 255) - ascii.ZERO;
      if (first != 0 && second < 10 && load<u16>(cursor, 3) == ascii.CRLF)
        return takeArgument(cursor + 5, first * 10 + second);
    }
  }
  return readLongArgument();
}

function readLongArgument(): u32 {
  const end = lineEnd();
  if (end == 0) {
    if (left() > LINE_MAX) return violation('too big bulk count string');
    return MORE;
  }
  if (load<u8>(cursor) != ascii.DOLLAR) {
    reply.errorBegin("ERR Protocol error: expected '$', got '");
    reply.plain(cursor, 1);
    if (load<u8>(cursor) != 0) reply.text("'"); // behind a zero byte redis-server shows nothing
    reply.errorEnd();
    return BROKEN;
  }
  const isNumber = number.parse(cursor + 1, end - cursor - 1);
  const bytes = number.parsed;
  if (!isNumber || bytes < 0 || bytes > min(config.number(option.PROTO_MAX_BULK_LEN), BULK_MAX))
    return violation('invalid bulk length');
  if (bytes > 16384 && !isTrusted()) return violation('unauthenticated bulk length');
  return takeArgument(end + 2, <u32>bytes);
}


@inline
function takeArgument(from: u32, bytes: u32): u32 {
  if (from > limit || limit - from < bytes + 2) {
    wanted = bytes;
    wantedAt = from;
    return MORE;
  }
  if (count == room && !grow()) return BROKEN;
  store<u32>(vector + (count << 3), from - origin);
  store<u32>(vector + (count << 3), bytes, 4);
  count++;
  cursor = from + bytes + 2;
  return READY;
}

/** Adds an argument from outside the stretch; what follows in the stretch is its CR LF. */
export function takeLoose(c: client.Client, from: u32, bytes: u32): bool {
  if (c.argumentsRead == c.argumentsRoom) {
    const moved = heap.alloc(c.argumentsRoom << 4);
    if (moved == 0) return false;
    memory.copy(moved, c.arguments, c.argumentsRoom << 3);
    heap.free(c.arguments, 0);
    c.arguments = moved;
    c.argumentsRoom <<= 1;
  }
  const cell = c.arguments + (c.argumentsRead << 3);
  store<u32>(cell, from);
  store<u32>(cell, bytes | LOOSE, 4);
  c.argumentsRead++;
  if (CHECKED && c.argumentsRead > c.argumentsRoom) broken('PROTO: more arguments than places');
  return true;
}

function grow(): bool {
  const moved = heap.alloc(room << 4);
  if (moved == 0) {
    reply.error('ERR Protocol error: too many arguments for the memory left');
    return false;
  }
  memory.copy(moved, vector, room << 3);
  if (origin != 0) {
    const c = client.current();
    c.arguments = moved;
    c.argumentsRoom = room << 1;
  } else {
    ownVector = moved;
    ownRoom = room << 1;
  }
  heap.free(vector, 0);
  vector = moved;
  room <<= 1;
  return true;
}

/** Frees what a command with very many arguments has left behind. */
export function trim(): void {
  if (ownRoom <= FIRST_ARGUMENTS << 4) return;
  heap.free(ownVector, 0);
  ownVector = heap.alloc(FIRST_ARGUMENTS << 3);
  ownRoom = FIRST_ARGUMENTS;
}

/**
 * Where the line at the cursor has its CR; 0 when the LF behind it is not there yet. A zero byte ends the
 * search, as inline.
 */
function lineEnd(): u32 {
  const reach = min<u32>(left(), LINE_MAX + 2);
  for (let i: u32 = 0; i + 1 < reach; i++) {
    const c: u32 = load<u8>(cursor + i);
    if (c == ascii.CR) return cursor + i;
    if (c == 0) break;
  }
  return 0;
}

function isTrusted(): bool {
  return (
    (client.current().flags & client.AUTHENTICATED) != 0 ||
    config.textBytes(option.REQUIREPASS) == 0
  );
}

function violation(what: string): u32 {
  reply.errorBegin('ERR Protocol error: ');
  reply.text(what);
  reply.errorEnd();
  return BROKEN;
}

function nextInline(): u32 {
  const reach = min<u32>(left(), LINE_MAX + 1);
  let bytes: u32 = 0;
  // A zero byte ends the search, as strchr() has it in Redis: the rest is waited for until the line is too
  // long.
  while (bytes < reach && load<u8>(cursor + bytes) != ascii.LF && load<u8>(cursor + bytes) != 0)
    bytes++;
  if (bytes == reach || load<u8>(cursor + bytes) == 0)
    return left() > LINE_MAX ? violation('too big inline request') : MORE;
  const line = cursor;
  cursor += bytes + 1;
  if (bytes != 0 && load<u8>(line + bytes - 1) == ascii.CR) bytes--;
  const words = inline_.split(line, bytes);
  if (words < 0) return violation('unbalanced quotes in request');
  if (words == 0) return EMPTY;
  args.set(inline_.vectorAt(), <u32>words);
  return READY;
}
