// CONFIG: reading and changing options while the server runs.

import * as args from '../wire/args.ts';
import * as ascii from '../bytes/ascii.ts';
import * as assign from '../config/assign.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as statistics from '../command/statistics.ts';
import * as config from '../config/config.ts';
import * as configFile from '../config/config-file.ts';
import * as glob from '../bytes/glob.ts';
import * as value from '../config/option-value.ts';
import * as help from './help.ts';
import * as io from '../run/io.ts';
import * as rate from '../stats/rate.ts';
import * as locality from '../run/locality.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as stats from '../stats/stats.ts';
import * as text from '../bytes/text.ts';
import { EACCES, ENOENT, ENOSPC, EPERM } from '../../../assembly/abi/errno.ts';
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../command/command.ts';

const EROFS: i32 = 30;
const WANTED: u8 = 1; // marks of config rows
const GIVEN: u8 = 2;

const PATTERN_BYTES: u32 = 256;
const PATTERN: usize = memory.data(256, 8);

export function register(): void {
  const flags = ADMIN | NOSCRIPT | LOADING | STALE;
  command.define('config', null, -2, 0, 0, 0, 0, 0);
  command.define('config|get', get, -3, flags, 0, 0, 0, 0);
  command.define('config|help', help.put, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('config|resetstat', resetStat, 2, flags, 0, 0, 0, 0);
  command.define('config|rewrite', rewrite, 2, flags, 0, 0, 0, 0);
  command.define('config|set', set, -4, flags, 0, 0, 0, 0);
}

/** Copies a pattern in lower case, as the names are; false when it is longer than any name could be. */
function lowerPattern(i: u32): bool {
  if (args.len(i) > PATTERN_BYTES) return false;
  for (let at: u32 = 0; at < args.len(i); at++) {
    store<u8>(PATTERN + at, <u8>ascii.lower(load<u8>(args.ptr(i) + at)));
  }
  return true;
}

function isPattern(i: u32): bool {
  for (let at: u32 = 0; at < args.len(i); at++) {
    const c: u32 = load<u8>(args.ptr(i) + at);
    if (c == ascii.BRACKET_OPEN || c == ascii.ASTERISK || c == ascii.QUESTION) return true;
  }
  return false;
}

/** Marks the options that match any of the patterns; how many do. */
function markMatches(): u32 {
  let matches: u32 = 0;
  for (let i: u32 = 2; i < args.count(); i++) {
    if (!lowerPattern(i)) continue;
    for (let row: u32 = 0; row < config.count(); row++) {
      if (config.at(row).mark == WANTED) continue;
      const name = config.at(row).name;
      if (!glob.matches(<u32>PATTERN, args.len(i), name, config.at(row).nameBytes)) continue;
      config.at(row).mark = WANTED;
      config.at(row).asked = isPattern(i) || i > 255 ? 0 : <u8>i;
      matches++;
    }
  }
  return matches;
}

/** CONFIG GET pattern ... */
function get(): void {
  reply.map(markMatches());
  for (let row: u32 = 0; row < config.count(); row++) {
    if (config.at(row).mark != WANTED) continue;
    config.at(row).mark = 0;
    const asked: u32 = config.at(row).asked; // the reply has the name as it was spelt
    if (asked != 0) reply.bulk(args.ptr(asked), args.len(asked));
    else reply.bulk(config.at(row).name, config.at(row).nameBytes);
    text.begin();
    value.put(config.at(row).original);
    reply.bulk(text.address(), text.length());
    text.end();
  }
}

function clearMarks(): void {
  for (let row: u32 = 0; row < config.count(); row++) config.at(row).mark = 0;
}

function errorUnknown(i: u32): void {
  reply.errorBegin("ERR Unknown option or number of arguments for CONFIG SET - '");
  reply.plain(args.ptr(i), args.len(i));
  reply.text("'");
  reply.errorEnd();
}

function errorOf(i: u32): void {
  reply.errorBegin("ERR CONFIG SET failed (possibly related to argument '");
  reply.plain(args.ptr(i), args.len(i));
  reply.text("') - ");
}

function refuse(i: u32, reason: string): bool {
  errorOf(i);
  reply.text(reason);
  reply.errorEnd();
  return false;
}

/** Whether the option whose name is argument `i` may be changed; replies if not. */
function checkName(i: u32): bool {
  const found = config.find(args.ptr(i), args.len(i));
  if (found == config.NONE) {
    errorUnknown(i);
    return false;
  }
  const row = config.at(found).original;
  const flags: u32 = config.at(row).flags;
  if (flags & option.PROTECTED && !locality.isAllowed(option.ENABLE_PROTECTED_CONFIGS)) {
    return refuse(i, "can't set protected config");
  }
  if (flags & option.START) return refuse(i, "can't set immutable config");
  if (flags & option.LISTEN && io.isListenPosted())
    return refuse(i, 'the last change of port or bind is not complete');
  if (config.at(row).mark == GIVEN) return refuse(i, 'duplicate parameter');
  config.at(row).mark = GIVEN;
  return true;
}

/** Whether argument `i + 1` is a value of the option; replies if not. */
function checkValue(i: u32): bool {
  const row = config.at(config.find(args.ptr(i), args.len(i))).original;
  if (value.check(row, args.ptr(i + 1), args.len(i + 1))) return true;
  errorOf(i);
  text.begin();
  value.putFailure(row);
  reply.plain(text.address(), text.length());
  text.end();
  reply.errorEnd();
  return false;
}

/** CONFIG SET name value ...: all of them or none. */
function set(): void {
  if (args.count() & 1) return reply.error('ERR syntax error');
  let accepted = true;
  for (let i: u32 = 2; accepted && i < args.count(); i += 2) accepted = checkName(i);
  clearMarks();
  for (let i: u32 = 2; accepted && i < args.count(); i += 2) accepted = checkValue(i);
  if (!accepted) return;
  let listens = false;
  for (let i: u32 = 2; i < args.count(); i += 2) {
    const row = config.at(config.find(args.ptr(i), args.len(i))).original;
    if (!assign.assign(row, args.ptr(i + 1), args.len(i + 1))) {
      refuse(i, 'out of memory');
      return;
    }
    if (config.at(row).flags & option.HOST) io.postOption(row);
    if (config.at(row).flags & option.LISTEN) listens = true;
  }
  if (listens) io.postListen(isSilent() ? -1 : <i32>replyBlock.length());
  reply.ok();
}

/** Whether the reply will be dropped. */
function isSilent(): bool {
  return (client.current().flags & (client.REPLY_OFF | client.REPLY_SKIP)) != 0;
}

/** CONFIG RESETSTAT */
function resetStat(): void {
  stats.reset();
  statistics.resetStatistics();
  rate.reset();
  reply.ok();
}

/** CONFIG REWRITE */
function rewrite(): void {
  if (!configFile.hasPath()) return reply.error('ERR The server is running without a config file');
  const result = configFile.rewrite();
  if (result == 0) return reply.ok();
  reply.errorBegin('ERR Rewriting config file: ');
  reply.text(reasonOf(-result));
  reply.errorEnd();
}

/** What the system says of an error. */
function reasonOf(error: i32): string {
  switch (error) {
    case EPERM:
      return 'Operation not permitted';
    case ENOENT:
      return 'No such file or directory';
    case EACCES:
      return 'Permission denied';
    case ENOSPC:
      return 'No space left on device';
    case EROFS:
      return 'Read-only file system';
    default:
      return 'Input/output error';
  }
}
