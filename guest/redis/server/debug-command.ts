// DEBUG: what tests of servers and clients use. Nothing here can crash the server or corrupt its data.

import * as ascii from '../bytes/ascii.ts';
import * as admission from '../run/admission.ts';
import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as digest from './debug-digest.ts';
import * as entry from '../keyspace/entry.ts';
import * as errors from '../command/errors.ts';
import * as expire from '../keyspace/expire.ts';
import * as identity from '../client/identity.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as lru from '../keyspace/lru.ts';
import * as number from '../bytes/number.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as persistence from '../persist/persistence.ts';
import * as loading from '../persist/loading.ts';
import * as populate from './debug-populate.ts';
import * as protocol from './debug-protocol.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as space from '../keyspace/space.ts';
import * as text from '../bytes/text.ts';
import * as type from '../keyspace/type.ts';
import { ADMIN, LOADING, NOSCRIPT, STALE, TIMED } from '../command/command.ts';
import { SYS_LOG } from '../../../assembly/abi/syscall.ts';
import { clockUs } from '../border/host.ts';
import { isAllowed } from '../run/locality.ts';
import { safepoint, syscall } from '../../../assembly/index.ts';

const LOG_WARNING: i32 = 3;

const HELP = `
CHANGE-REPL-ID
    Draws a new replication id.
DIGEST
    Replies with a signature of all databases, the same as redis-server's.
DIGEST-VALUE <key> [<key> ...]
    Replies with a signature of each key's value.
ERROR <text>
    Replies with the text as an error.
LOG <text>
    Writes the text to the log of the server.
OBJECT <key>
    Tells how a key is stored.
POPULATE <count> [<prefix>] [<size>]
    Creates <count> string keys, named key:0 and on, unless they exist.
PROTOCOL <type>
    Replies with a sample of the type: string, integer, double, bignum, null, array, set,
    map, attrib, push, verbatim, true or false.
RELOAD [NOSAVE] [NOFLUSH] [MERGE]
    Saves, empties all databases and loads the file again.
SET-ACTIVE-EXPIRE <0|1>
    Stops or resumes the deletion of expired keys in the background.
SLEEP <seconds>
    Does nothing for that long; every client waits.
HELP
    Lists the subcommands.
`;

export function register(): void {
  command.define('debug', run, -2, ADMIN | NOSCRIPT | LOADING | STALE | TIMED, 0, 0, 0, 0);
}

/** DEBUG is one command with words of its own, not a container: INFO counts it as one. */
function run(): void {
  if (!isAllowed(option.ENABLE_DEBUG_COMMAND)) {
    reply.errorBegin(
      'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local",',
    );
    reply.text(' you can run it from a local connection, otherwise you need to set this option');
    reply.text(' in the configuration file, and then restart the server.');
    return reply.errorEnd();
  }
  const count = args.count();
  if (needsKeys() && admission.loading()) return errors.loading();
  if (args.is(1, 'sleep') && count == 3) sleep();
  else if (args.is(1, 'set-active-expire') && count == 3) setActiveExpire();
  else if (args.is(1, 'object') && count == 3) describe();
  else if (args.is(1, 'populate') && count >= 3 && count <= 5) populate.run();
  else if (args.is(1, 'reload')) reload();
  else if (args.is(1, 'digest') && count == 2) digest.ofAll();
  else if (args.is(1, 'digest-value')) digest.ofValues();
  else if (args.is(1, 'change-repl-id') && count == 2) changeId();
  else if (args.is(1, 'protocol') && count == 3) protocol.run();
  else if (args.is(1, 'error') && count == 3) sayError();
  else if (args.is(1, 'log') && count == 3) writeLog();
  else if (args.is(1, 'help') && count == 2) showHelp();
  else errors.badSubcommand();
}

function needsKeys(): bool {
  return (
    args.is(1, 'object') ||
    args.is(1, 'populate') ||
    args.is(1, 'reload') ||
    args.is(1, 'digest') ||
    args.is(1, 'digest-value')
  );
}

function showHelp(): void {
  const end = changetype<u32>(HELP) + ((<u32>HELP.length) << 1);
  let lines: u32 = 0;
  for (let at = changetype<u32>(HELP) + 2; at < end; at += 2)
    if (load<u16>(at) == ascii.LF) lines++;
  reply.array(lines + 1);
  reply.status('DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  text.begin();
  for (let at = changetype<u32>(HELP) + 2; at < end; at += 2) {
    if (load<u16>(at) != ascii.LF) {
      text.byte(load<u16>(at));
      continue;
    }
    reply.text('+');
    reply.plain(text.address(), text.length());
    reply.crlf();
    text.begin();
  }
  text.end();
}

/** The argument as a number of seconds with decimals, at most a day; anything else is 0, as Redis has it. */
function secondsOf(index: u32): f64 {
  let value: f64 = 0;
  let unit: f64 = 0;
  for (let i: u32 = 0; i < args.len(index); i++) {
    const c: u32 = load<u8>(args.ptr(index) + i);
    if (c == ascii.DOT && unit == 0) unit = 1;
    else if (c - ascii.ZERO > 9) return 0;
    else {
      value = value * 10 + <f64>(c - ascii.ZERO);
      unit *= 10;
    }
  }
  return min<f64>(86400, unit == 0 ? value : value / unit);
}

/** DEBUG SLEEP seconds: takes interrupts while it waits, so that snapshots go on. */
function sleep(): void {
  const end = clockUs() + secondsOf(2) * 1000000;
  while (clockUs() < end) safepoint();
  reply.ok();
}

function setActiveExpire(): void {
  expire.setActive(args.len(2) != 1 || load<u8>(args.ptr(2)) != ascii.ZERO);
  reply.ok();
}

/** DEBUG OBJECT key */
function describe(): void {
  const found = keyspace.peek(args.ptr(2), args.len(2));
  if (found == 0) return errors.noKey();
  text.begin();
  text.ascii('Value at:0x');
  text.hex(found, 8);
  text.ascii(' refcount:1 encoding:');
  text.ascii(type.encodingName(entry.type(found), found));
  text.ascii(' serializedlength:');
  text.unsigned(entry.valueBytes(found) + type.size(entry.type(found), found));
  text.ascii(' lru:');
  text.unsigned(entry.access(found));
  text.ascii(' lru_seconds_idle:');
  text.unsigned(lru.isFrequency() ? 0 : lru.idleSeconds(found));
  reply.text('+');
  reply.plain(text.address(), text.length());
  reply.crlf();
  text.end();
}

function changeId(): void {
  identity.changeReplicationId();
  reply.ok();
}

function sayError(): void {
  const start = replyBlock.length();
  reply.errorBegin('');
  reply.raw(args.ptr(2), args.len(2));
  replyBlock.blankLines(start + 1);
  reply.errorEnd();
}

function writeLog(): void {
  text.begin();
  text.ascii('DEBUG LOG: ');
  text.bytes(args.ptr(2), args.len(2));
  syscall(SYS_LOG, LOG_WARNING, <i32>text.address(), <i32>text.length(), 0, 0);
  text.end();
  reply.ok();
}

/** DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE] */
function reload(): void {
  let save = true;
  let flush = true;
  for (let i: u32 = 2; i < args.count(); i++) {
    if (args.is(i, 'nosave')) save = false;
    else if (args.is(i, 'noflush')) flush = false;
    else if (!args.is(i, 'merge')) {
      return reply.error('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
    }
  }
  // A child would replace the file with an older one when it ends.
  if (save) persistence.cancelSave();
  if (save && !persistence.save())
    return reply.error('ERR Error trying to save the DB, check server logs');
  if (flush) for (let i: u32 = 0; i < space.databases(); i++) keyspace.flush(i);
  const isLoaded = loading.loadWhole();
  space.select(client.current().db);
  if (isLoaded) reply.ok();
  else reply.error('ERR Error trying to load the RDB dump, check server logs');
}
