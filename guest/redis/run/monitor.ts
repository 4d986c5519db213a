// MONITOR: clients that are shown every command that runs.
//
// Interface   join() and leave() for a client. A monitor may not use the keys, as in Redis (dispatch.ts).
// Format      +seconds.microseconds [database address] "word" "word"... with what does not print escaped, as
//             Redis shows it. Administrative commands are not shown, passwords as (redacted).
// Cost        Nothing without monitors; with some, a line for each command and a copy of it for each monitor.

import * as admission from './admission.ts';
import * as args from '../wire/args.ts';
import * as ascii from '../bytes/ascii.ts';
import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';
import * as output from './output.ts';
import * as propagate from './propagate.ts';
import * as text from '../bytes/text.ts';
import { Client } from '../client/client.ts';
import { clockUs } from '../border/host.ts';
import { isSecret } from './secret.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

let first: u32 = 0; // through Client.monitorNext

export function join(c: Client): void {
  if (first == 0) propagate.listen(show);
  c.monitorNext = first;
  first = changetype<u32>(c);
  c.flags |= client.MONITOR;
}

export function leave(c: Client): void {
  if (!(c.flags & client.MONITOR)) return;
  c.flags &= ~client.MONITOR;
  const self = changetype<u32>(c);
  if (first == self) first = c.monitorNext;
  else {
    let before = changetype<Client>(first);
    while (before.monitorNext != self) {
      if (CHECKED && before.monitorNext == 0) broken('MONITOR: a monitor is not in the list');
      before = changetype<Client>(before.monitorNext);
    }
    before.monitorNext = c.monitorNext;
  }
  if (first == 0) propagate.unlisten(show);
}

/** Sends the line of a command to each monitor. */
function show(row: u32, database: u32): void {
  if (command.flagsOf(row) & (command.ADMIN | command.SKIP_MONITOR) || admission.loading()) return;
  text.begin();
  putHead(client.current(), database);
  for (let i: u32 = 0; i < args.count(); i++) {
    text.byte(ascii.SPACE);
    if (isSecret(i)) text.ascii('"(redacted)"');
    else putQuoted(args.ptr(i), args.len(i));
  }
  text.crlf();
  for (let at = first; at != 0; at = changetype<Client>(at).monitorNext) {
    const c = changetype<Client>(at);
    if (text.isWhole()) output.send(c, text.address(), text.length());
    else clientEvent.close(c); // rather than a gap that it cannot see
  }
  text.end();
}

function putHead(from: Client, database: u32): void {
  const us = <u64>(clock.ms() * 1000) + <u64>max<f64>(clockUs() - clock.us(), 0);
  text.byte(ascii.PLUS);
  text.unsigned(us / 1000000);
  text.byte(ascii.DOT);
  text.padded(us % 1000000, 6);
  text.ascii(' [');
  text.unsigned(database);
  text.byte(ascii.SPACE);
  if (from.flags & client.UNIX_SOCKET) {
    text.ascii('unix:');
    text.bytes(config.textAddress(option.UNIXSOCKET), config.textBytes(option.UNIXSOCKET));
  } else text.bytes(from.address + 4, client.textBytes(from.address));
  text.byte(ascii.BRACKET_CLOSE);
}

/** Appends a text in quotes, with escapes for what does not print. */
function putQuoted(at: u32, bytes: u32): void {
  text.byte(ascii.QUOTE);
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(at + i);
    const letter = letterOf(c);
    if (letter != 0) {
      text.byte(ascii.BACKSLASH);
      text.byte(letter);
    } else if (ascii.isPrinted(c)) text.byte(c);
    else {
      text.ascii('\\x');
      text.hex(c, 2);
    }
  }
  text.byte(ascii.QUOTE);
}

/** The letter behind the backslash for a character that has one, else 0. */
function letterOf(c: u32): u32 {
  switch (c) {
    case ascii.BACKSLASH:
    case ascii.QUOTE:
      return c;
    case ascii.LF:
      return 110; // n
    case ascii.CR:
      return 114; // r
    case ascii.TAB:
      return 116; // t
    case ascii.BELL:
      return 97; // a
    case ascii.BACKSPACE:
      return 98; // b
    default:
      return 0;
  }
}
