// The arguments of a command, from the notation of record.ts to the maps of COMMAND DOCS.

import * as ascii from '../../bytes/ascii.ts';
import * as reply from '../../wire/reply.ts';
import * as units from './units.ts';
import { unit } from './record.ts';

const NEWLINE: u32 = 10;
const BLANK: u32 = 32;
const OPEN: u32 = 40;
const CLOSE: u32 = 41;
const STAR: u32 = 42;
const PLUS: u32 = 43;
const BEFORE: u32 = 60; // <
const SINCE: u32 = 62; // >
const OPTIONAL: u32 = 63; // ?
const TOKEN: u32 = 35; // #
const KEY: u32 = 64; // @

let cursor: u32 = 0;

/** Consecutive lines of arguments are one: the break counts as a blank. */
export function crossLine(at: u32): u32 {
  return unit(at) == NEWLINE && unit(at + 2) == OPTIONAL ? at + 4 : at;
}

export function isEnd(c: u32): bool {
  return c == BLANK || c == NEWLINE || c == CLOSE;
}

/** Counts the arguments from `at` to the end of their list. */
function countList(at: u32): u32 {
  let depth: u32 = 0;
  let found: u32 = 1;
  at = crossLine(at);
  for (let c = unit(at); c != NEWLINE && (c != CLOSE || depth != 0); c = unit(at)) {
    if (c == OPEN) depth++;
    else if (c == CLOSE) depth--;
    else if (c == BLANK && depth == 0) found++;
    at = crossLine(at + 2);
  }
  return found;
}

/** Whether a character ends a name and says the type. */
export function isType(c: u32): bool {
  return typeName(c).length != 0;
}

function typeName(c: u32): string {
  switch (c) {
    case 36:
      return 'string';
    case 37:
      return 'integer';
    case 46:
      return 'double';
    case KEY:
      return 'key';
    case 126:
      return 'pattern';
    case 94:
      return 'unix-time';
    case 33:
      return 'pure-token';
    case 124:
      return 'oneof';
    case 38:
      return 'block';
    default:
      return '';
  }
}

/** What follows a mark between `at` and `stop`, 0 where it is missing. */
export function markIn(at: u32, stop: u32, mark: u32): u32 {
  for (; at < stop; at += 2) if (unit(at) == mark) return at + 2;
  return 0;
}

function isMark(c: u32): bool {
  return c == SINCE || c == BEFORE || c == OPEN || c == TOKEN || isEnd(c);
}

function putValue(name: string, at: u32): void {
  let stop = at;
  while (!isMark(unit(stop))) stop += 2;
  reply.bulkText(name);
  units.bulk(at, (stop - at) >> 1);
}

/** Writes one argument; `cursor` moves behind it. */
function putOne(): void {
  const name = cursor;
  while (!isType(unit(cursor))) cursor += 2;
  const nameUnits = (cursor - name) >> 1;
  const type = unit(cursor);
  cursor += 2;
  const marks = cursor;
  while (unit(cursor) != OPEN && !isEnd(unit(cursor))) cursor += 2;
  const stop = cursor;
  const hasSpec = type == KEY && unit(marks) - ascii.ZERO < 10;
  const token = markIn(marks, stop, TOKEN);
  const plain = token == 0 ? stop : token - 2; // the single marks stand before the token
  const since = markIn(marks, stop, SINCE);
  const before = markIn(marks, stop, BEFORE);
  const optional = u32(markIn(marks, plain, OPTIONAL) != 0);
  const repeated = u32(markIn(marks, plain, STAR) != 0);
  const repeatedToken = u32(markIn(marks, plain, PLUS) != 0);
  const flags = optional + repeated + repeatedToken;
  const hasChildren = unit(stop) == OPEN;
  reply.map(
    2 +
      u32(hasSpec) +
      u32(token != 0) +
      u32(since != 0) +
      u32(before != 0) +
      u32(flags != 0) +
      u32(hasChildren),
  );
  reply.bulkText('name');
  units.bulk(name, nameUnits);
  reply.bulkText('type');
  reply.bulkText(typeName(type));
  if (hasSpec) {
    reply.bulkText('key_spec_index');
    reply.integer(<i64>(unit(marks) - ascii.ZERO));
  }
  if (token != 0) putValue('token', token);
  if (since != 0) putValue('since', since);
  if (before != 0) putValue('deprecated_since', before);
  if (flags != 0) {
    reply.bulkText('flags');
    reply.set(flags);
    if (optional) reply.status('optional');
    if (repeated) reply.status('multiple');
    if (repeatedToken) reply.status('multiple_token');
  }
  if (!hasChildren) return;
  reply.bulkText('arguments');
  cursor = stop + 2;
  putRest();
  cursor += 2; // the closing bracket
}

function putRest(): void {
  const members = countList(cursor);
  reply.array(members);
  for (let i: u32 = 0; i < members; i++) {
    putOne();
    cursor = crossLine(cursor);
    if (unit(cursor) == BLANK) cursor += 2;
  }
}

/** Writes the array of the arguments whose notation starts at `at`. */
export function putList(at: u32): void {
  cursor = at;
  putRest();
}
