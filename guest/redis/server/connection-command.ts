// The own connection: PING, ECHO, HELLO, AUTH, QUIT, RESET.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as config from '../config/config.ts';
import * as identity from '../client/identity.ts';
import * as monitor from '../run/monitor.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import * as transaction from '../run/transaction.ts';
import {
  ACL_CONNECTION,
  ALLOW_BUSY,
  ASKING,
  FAST,
  LOADING,
  NO_AUTH,
  NOSCRIPT,
  STALE,
  UNQUEUED,
} from '../command/command.ts';

export function register(): void {
  const door = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY;
  command.define('ping', ping, -1, FAST, 0, 0, 0, ACL_CONNECTION);
  command.define('echo', echo, 2, LOADING | STALE | FAST, 0, 0, 0, ACL_CONNECTION);
  command.define('hello', hello, -1, door, 0, 0, 0, ACL_CONNECTION);
  command.define('auth', auth, -2, door, 0, 0, 0, ACL_CONNECTION);
  command.define('quit', quit, -1, door | UNQUEUED, 0, 0, 0, ACL_CONNECTION);
  command.define('reset', resetConnection, 1, door | UNQUEUED, 0, 0, 0, ACL_CONNECTION);
}

/** PING [message] */
function ping(): void {
  if (args.count() > 2) return reply.error("ERR wrong number of arguments for 'ping' command");
  if (args.count() == 1) return reply.status('PONG');
  reply.bulk(args.ptr(1), args.len(1));
}

/** ECHO message */
function echo(): void {
  reply.bulk(args.ptr(1), args.len(1));
}

/** QUIT */
function quit(): void {
  reply.ok();
  client.current().flags |= client.CLOSE_AFTER_REPLY;
}

/** RESET: as a connection that was just made. */
function resetConnection(): void {
  const self = client.current();
  transaction.discard(self);
  monitor.leave(self);
  self.flags &= ~(client.NO_TOUCH | client.REPLY_OFF | client.AUTHENTICATED);
  if (!identity.hasPassword()) self.flags |= client.AUTHENTICATED;
  self.db = 0;
  space.select(0);
  self.protocol = 2;
  client.freeText(self.name);
  self.name = 0;
  reply.setProtocol(2);
  reply.status('RESET');
}

// --- Who it is ---------------------------------------------------------------------------------------------

/** Compares in a time that tells nothing about where two texts differ. */
function isSame(a: u32, aBytes: u32, b: u32, bBytes: u32): bool {
  let different = aBytes ^ bBytes;
  for (let i: u32 = 0; i < aBytes; i++)
    different |= load<u8>(a + i) ^ load<u8>(b + (i < bBytes ? i : 0));
  return different == 0;
}

/** Checks the user and the password in these arguments; `default` is the only user, and what 0 stands for. */
function authenticate(user: u32, password: u32): bool {
  const bytes = config.textBytes(option.REQUIREPASS);
  const isUser = user == 0 || identity.isUser(args.ptr(user), args.len(user));
  const isRight =
    bytes == 0 ||
    isSame(args.ptr(password), args.len(password), config.textAddress(option.REQUIREPASS), bytes);
  if (isUser && isRight) {
    client.current().flags |= client.AUTHENTICATED;
    return true;
  }
  reply.error('WRONGPASS invalid username-password pair or user is disabled.');
  return false;
}

/** AUTH [user] password */
function auth(): void {
  if (args.count() > 3) return reply.error('ERR syntax error');
  if (args.count() == 2 && config.textBytes(option.REQUIREPASS) == 0) {
    reply.errorBegin(
      'ERR AUTH <password> called without any password configured for the default user.',
    );
    reply.text(' Are you sure your configuration is correct?');
    return reply.errorEnd();
  }
  if (authenticate(args.count() == 3 ? 1 : 0, args.count() - 1)) reply.ok();
}

/** Whether a text can be the name of a connection: printable ASCII without blanks. */
export function isName(index: u32): bool {
  const at = args.ptr(index);
  for (let i: u32 = 0; i < args.len(index); i++) if (<u32>load<u8>(at + i) - 33 > 93) return false;
  return true;
}

export function setName(index: u32): bool {
  if (!isName(index)) {
    reply.error('ERR Client names cannot contain spaces, newlines or special characters.');
    return false;
  }
  const self = client.current();
  client.freeText(self.name);
  self.name = client.newText(args.ptr(index), args.len(index));
  return true;
}

/** Takes the options of HELLO from argument 2 on; replies with an error if one is wrong. */
function takeHelloOptions(): bool {
  let name: u32 = 0;
  for (let i: u32 = 2; i < args.count(); i++) {
    const left = args.count() - i - 1;
    if (args.is(i, 'auth') && left >= 2) {
      if (!authenticate(i + 1, i + 2)) return false;
      i += 2;
    } else if (args.is(i, 'setname') && left >= 1) {
      name = ++i;
      if (!isName(name)) {
        reply.error('ERR Client names cannot contain spaces, newlines or special characters.');
        return false;
      }
    } else {
      reply.errorBegin("ERR Syntax error in HELLO option '");
      reply.plain(args.ptr(i), args.len(i));
      reply.text("'");
      reply.errorEnd();
      return false;
    }
  }
  if (
    config.textBytes(option.REQUIREPASS) != 0 &&
    !(client.current().flags & client.AUTHENTICATED)
  ) {
    reply.errorBegin('NOAUTH HELLO must be called with the client already authenticated,');
    reply.text(
      ' otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client',
    );
    reply.text(' and select the RESP protocol version at the same time');
    reply.errorEnd();
    return false;
  }
  return name == 0 || setName(name);
}

/** HELLO [protover [AUTH user password] [SETNAME name]] */
function hello(): void {
  const self = client.current();
  let version: i64 = self.protocol;
  if (args.count() > 1) {
    if (!args.isInteger(1))
      return reply.error('ERR Protocol version is not an integer or out of range');
    version = number.parsed;
    if (version < 2 || version > 3) return reply.error('NOPROTO unsupported protocol version');
  }
  if (!takeHelloOptions()) return;
  self.protocol = <u32>version;
  reply.setProtocol(<u32>version);
  reply.map(7);
  reply.bulkText('server');
  reply.bulkText('redis');
  reply.bulkText('version');
  reply.bulkText(identity.VERSION);
  reply.bulkText('proto');
  reply.integer(version);
  reply.bulkText('id');
  reply.integer(<i64>self.id);
  reply.bulkText('mode');
  reply.bulkText('standalone');
  reply.bulkText('role');
  reply.bulkText('master');
  reply.bulkText('modules');
  reply.array(0);
}
