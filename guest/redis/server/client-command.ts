// CLIENT: what is known about connections, and what may be done to them.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as connection from './connection-command.ts';
import * as errors from '../command/errors.ts';
import * as help from './help.ts';
import * as kill from './client-kill.ts';
import * as line from '../run/client-line.ts';
import * as number from '../bytes/number.ts';
import * as reply from '../wire/reply.ts';
import * as text from '../bytes/text.ts';
import { ACL_CONNECTION, ADMIN, LOADING, NOSCRIPT, STALE } from '../command/command.ts';
import { Client } from '../client/client.ts';

export function register(): void {
  const flags = NOSCRIPT | LOADING | STALE;
  const acl = ACL_CONNECTION;
  command.define('client', null, -2, 0, 0, 0, 0, 0);
  command.define('client|caching', caching, 3, flags, 0, 0, 0, acl);
  command.define('client|getname', getName, 2, flags, 0, 0, 0, acl);
  command.define('client|getredir', getRedir, 2, flags, 0, 0, 0, acl);
  command.define('client|help', help.put, 2, LOADING | STALE, 0, 0, 0, acl);
  command.define('client|id', id, 2, flags, 0, 0, 0, acl);
  command.define('client|info', info, 2, flags, 0, 0, 0, acl);
  command.define('client|kill', kill.run, -3, ADMIN | flags, 0, 0, 0, acl);
  command.define('client|list', list, -2, ADMIN | flags, 0, 0, 0, acl);
  command.define('client|no-evict', noEvict, 3, ADMIN | flags, 0, 0, 0, acl);
  command.define('client|reply', setReply, 3, flags, 0, 0, 0, acl);
  command.define('client|setinfo', setInfo, 4, flags, 0, 0, 0, acl);
  command.define('client|setname', setName, 3, flags, 0, 0, 0, acl);
  command.define('client|tracking', tracking, -3, flags, 0, 0, 0, acl);
  command.define('client|trackinginfo', trackingInfo, 2, flags, 0, 0, 0, acl);
  command.define('client|unblock', unblock, -3, ADMIN | flags, 0, 0, 0, acl);
}

/** CLIENT ID */
function id(): void {
  reply.integer(<i64>client.current().id);
}

/** CLIENT GETNAME */
function getName(): void {
  const name = client.current().name;
  if (name == 0) reply.none();
  else reply.bulk(name + 4, client.textBytes(name));
}

/** CLIENT SETNAME name */
function setName(): void {
  if (connection.setName(2)) reply.ok();
}

/** CLIENT SETINFO LIB-NAME name | LIB-VER version */
function setInfo(): void {
  const isLibrary = args.is(2, 'lib-name');
  if (!isLibrary && !args.is(2, 'lib-ver')) {
    reply.errorBegin("ERR Unrecognized option '");
    reply.plain(args.ptr(2), args.len(2));
    reply.text("'");
    return reply.errorEnd();
  }
  if (!connection.isName(3)) {
    return reply.error(
      isLibrary
        ? 'ERR lib-name cannot contain spaces, newlines or special characters.'
        : 'ERR lib-ver cannot contain spaces, newlines or special characters.',
    );
  }
  const self = client.current();
  const block = client.newText(args.ptr(3), args.len(3));
  client.freeText(isLibrary ? self.libName : self.libVersion);
  if (isLibrary) self.libName = block;
  else self.libVersion = block;
  reply.ok();
}

/** CLIENT INFO */
function info(): void {
  text.begin();
  line.put(client.current());
  text.byte(ascii.LF);
  reply.verbatim(text.address(), text.length());
  text.end();
}

/** Appends the lines of all clients. */
function putAll(): void {
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record == 0) continue;
    line.put(changetype<Client>(record));
    text.byte(ascii.LF);
  }
}

function recordOf(wanted: u64): u32 {
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record != 0 && changetype<Client>(record).id == wanted) return record;
  }
  return 0;
}

/** Appends the lines of the clients whose ids are arguments 3 and on; false after an error reply. */
function putByIds(): bool {
  for (let i: u32 = 3; i < args.count(); i++) {
    if (!args.isInteger(i)) {
      reply.error('ERR Invalid client ID');
      return false;
    }
    const record = recordOf(<u64>number.parsed);
    if (record == 0) continue;
    line.put(changetype<Client>(record));
    text.byte(ascii.LF);
  }
  return true;
}

/** CLIENT LIST [TYPE type] [ID id ...] */
function list(): void {
  let wanted = true;
  text.begin();
  if (args.count() == 4 && args.is(2, 'type')) {
    if (!kill.isType(3)) return kill.errorType(3);
    wanted = args.is(3, 'normal');
  } else if (args.count() > 3 && args.is(2, 'id')) {
    if (!putByIds()) return;
    wanted = false;
  } else if (args.count() != 2) return reply.error('ERR syntax error');
  if (wanted) putAll();
  reply.verbatim(text.address(), text.length());
  text.end();
}

/** CLIENT NO-EVICT ON | OFF: kept and shown; no client is closed to save memory here. */
function noEvict(): void {
  const self = client.current();
  if (args.is(2, 'on')) self.flags |= client.NO_EVICT;
  else if (args.is(2, 'off')) self.flags &= ~client.NO_EVICT;
  else return reply.error('ERR syntax error');
  reply.ok();
}

/** CLIENT REPLY ON | OFF | SKIP */
function setReply(): void {
  const self = client.current();
  if (args.is(2, 'on')) {
    self.flags &= ~(client.REPLY_OFF | client.REPLY_SKIP | client.REPLY_SKIP_NEXT);
    reply.ok();
  } else if (args.is(2, 'off')) self.flags |= client.REPLY_OFF;
  else if (!args.is(2, 'skip')) reply.error('ERR syntax error');
  else if (!(self.flags & client.REPLY_OFF)) self.flags |= client.REPLY_SKIP_NEXT;
}

/** CLIENT UNBLOCK id [TIMEOUT | ERROR]: no command blocks, so no client is ever unblocked. */
function unblock(): void {
  if (args.count() > 4) return errors.badSubcommand();
  if (args.count() == 4 && !args.is(3, 'timeout') && !args.is(3, 'error')) {
    return reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  if (!args.isInteger(2)) return reply.error('ERR value is not an integer or out of range');
  reply.integer(0);
}

// --- Tracking, which is not offered: it can be off ---------------------------------------------------------

function tracking(): void {
  if (args.is(2, 'off') && args.count() == 3) return reply.ok();
  if (!args.is(2, 'on')) return reply.error('ERR syntax error');
  reply.error('ERR client side caching is not supported by this server');
}

function caching(): void {
  reply.errorBegin('ERR CLIENT CACHING can be called only when the client is in tracking mode');
  reply.text(' with OPTIN or OPTOUT mode enabled');
  reply.errorEnd();
}

function getRedir(): void {
  reply.integer(-1);
}

function trackingInfo(): void {
  reply.map(3);
  reply.bulkText('flags');
  reply.set(1);
  reply.bulkText('off');
  reply.bulkText('redirect');
  reply.integer(-1);
  reply.bulkText('prefixes');
  reply.array(0);
}
