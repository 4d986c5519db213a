// HELP of a command with subcommands, made from the records: a line with the syntax, a line with the summary.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as dispatch from '../run/dispatch.ts';
import * as record from '../command/docs/record.ts';
import * as reply from '../wire/reply.ts';
import * as text from '../bytes/text.ts';
import { unit } from '../command/docs/record.ts';
import { crossLine, isEnd, isType, markIn } from '../command/docs/argument.ts';

const BLANK: u32 = 32;
const OPEN: u32 = 40;
const CLOSE: u32 = 41;
const BAR: u32 = 124;
const AMPERSAND: u32 = 38;
const EXCLAMATION: u32 = 33;

let cursor: u32 = 0;

function putUpper(at: u32, units: u32): void {
  for (let i: u32 = 0; i < units; i++) {
    const c = unit(at + (i << 1));
    text.byte(c - ascii.LOWER_A < 26 ? c - 32 : c);
  }
}

/** Appends one argument; `cursor` moves behind it. */
function putOne(): void {
  const name = cursor;
  while (!isType(unit(cursor))) cursor += 2;
  const nameUnits = (cursor - name) >> 1;
  const type = unit(cursor);
  cursor += 2;
  const marks = cursor;
  while (unit(cursor) != OPEN && !isEnd(unit(cursor))) cursor += 2;
  const stop = cursor;
  const token = markIn(marks, stop, 35);
  const plain = token == 0 ? stop : token - 2;
  const optional = markIn(marks, plain, 63) != 0;
  if (optional) text.byte(ascii.BRACKET_OPEN);
  if (token != 0) {
    for (let at = token; at < stop && unit(at) != 62 && unit(at) != 60; at += 2)
      text.byte(unit(at));
    if (type != EXCLAMATION) text.byte(BLANK);
  }
  if (unit(stop) == OPEN) {
    cursor = stop + 2;
    const bracket = type == BAR && !optional;
    if (bracket) text.byte(OPEN);
    putRest(type == AMPERSAND ? BLANK : BAR);
    if (bracket) text.byte(CLOSE);
    cursor += 2;
  } else if (type != EXCLAMATION) {
    text.byte(60);
    for (let i: u32 = 0; i < nameUnits; i++) text.byte(unit(name + (i << 1)));
    text.byte(62);
  }
  if (markIn(marks, plain, 42) != 0) text.ascii(' [...]');
  if (optional) text.byte(ascii.BRACKET_CLOSE);
}

function putRest(separator: u32): void {
  for (let more = true; more;) {
    putOne();
    cursor = crossLine(cursor);
    more = unit(cursor) == BLANK;
    if (!more) continue;
    cursor += 2;
    text.byte(separator);
  }
}

function putLine(): void {
  reply.text('+');
  reply.plain(text.address(), text.length());
  reply.crlf();
}

function putSyntax(at: u32, parentUnits: u32): void {
  const name = at + ((parentUnits + 1) << 1);
  text.begin();
  putUpper(name, record.nameUnits(at) - parentUnits - 1);
  const list = record.detail(at, 63);
  if (list != 0) {
    text.byte(BLANK);
    cursor = list;
    putRest(BLANK);
  }
  putLine();
}

function putSummary(at: u32): void {
  text.begin();
  text.ascii('    ');
  const summary = record.detail(at, 61);
  const units = record.lineUnits(summary);
  for (let i: u32 = 0; i < units; i++) text.byte(unit(summary + (i << 1)));
  putLine();
}

/** HELP of the container that runs: replies with its subcommands. */
export function put(): void {
  const container = command.containerOf(dispatch.row()); // whatever it was called by
  const bytes = command.nameBytes(container);
  const parent = record.find(command.nameAddress(container), bytes);
  const limit = record.end(record.group());
  let members: u32 = 0;
  for (
    let at = record.next(parent, limit);
    at < limit && record.isSubcommandOf(at, parent, bytes);
    at = record.next(at, limit)
  ) {
    members++;
  }
  reply.array(1 + members * 2);
  text.begin();
  for (let i: u32 = 0; i < args.len(0); i++) {
    const c: u32 = load<u8>(args.ptr(0) + i);
    text.byte(c - ascii.LOWER_A < 26 ? c - 32 : c);
  }
  text.ascii(' <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  putLine();
  let at = record.next(parent, limit);
  for (let i: u32 = 0; i < members; i++) {
    putSyntax(at, bytes);
    putSummary(at);
    at = record.next(at, limit);
  }
  text.end();
}
