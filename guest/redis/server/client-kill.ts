// CLIENT KILL, by address as it was first and by filters, all of which must fit.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as identity from '../client/identity.ts';
import * as number from '../bytes/number.ts';
import * as reply from '../wire/reply.ts';
import { Client } from '../client/client.ts';
import { equal } from '../bytes/copy.ts';

// The filters of the command that runs: positions of arguments, 0 = not given.
let address: u32 = 0;
let localAddress: u32 = 0;
let type: u32 = 0;
let clientId: u64 = 0;
let spareSelf: bool = true;

/** Whether an argument is one of the types of clients. */
export function isType(index: u32): bool {
  return (
    args.is(index, 'normal') ||
    args.is(index, 'slave') ||
    args.is(index, 'replica') ||
    args.is(index, 'pubsub') ||
    args.is(index, 'master')
  );
}

export function errorType(index: u32): void {
  reply.errorBegin("ERR Unknown client type '");
  reply.plain(args.ptr(index), args.len(index));
  reply.text("'");
  reply.errorEnd();
}

function isText(block: u32, index: u32): bool {
  const bytes = client.textBytes(block);
  return bytes == args.len(index) && equal(block + 4, args.ptr(index), bytes);
}

/** Takes one filter and its value; replies with an error if it is none. */
function takeFilter(i: u32): bool {
  const at = i + 1;
  if (args.is(i, 'id')) {
    if (!args.isInteger(at) || number.parsed < 1) {
      reply.error('ERR client-id should be greater than 0');
      return false;
    }
    clientId = <u64>number.parsed;
  } else if (args.is(i, 'type')) {
    if (!isType(at)) {
      errorType(at);
      return false;
    }
    type = at;
  } else if (args.is(i, 'addr')) address = at;
  else if (args.is(i, 'laddr')) localAddress = at;
  else if (args.is(i, 'user')) {
    if (!identity.isUser(args.ptr(at), args.len(at))) {
      reply.errorBegin("ERR No such user '");
      reply.plain(args.ptr(at), args.len(at));
      reply.text("'");
      reply.errorEnd();
      return false;
    }
  } else if (args.is(i, 'skipme') && args.is(at, 'yes')) spareSelf = true;
  else if (args.is(i, 'skipme') && args.is(at, 'no')) spareSelf = false;
  else {
    reply.error('ERR syntax error');
    return false;
  }
  return true;
}

function isMeant(c: Client): bool {
  if (clientId != 0 && c.id != clientId) return false;
  if (address != 0 && !isText(c.address, address)) return false;
  if (localAddress != 0 && !isText(c.localAddress, localAddress)) return false;
  if (type != 0 && !args.is(type, 'normal')) return false;
  return !(spareSelf && c.id == client.current().id);
}

/** Closes the clients that are meant; how many. The own connection closes after its reply. */
function killMeant(): u32 {
  let killed: u32 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record == 0 || !isMeant(changetype<Client>(record))) continue;
    if (record == changetype<u32>(client.current()))
      client.current().flags |= client.CLOSE_AFTER_REPLY;
    else clientEvent.close(changetype<Client>(record));
    killed++;
  }
  return killed;
}

/** CLIENT KILL address | filter value ... */
export function run(): void {
  address = 0;
  localAddress = 0;
  type = 0;
  clientId = 0;
  spareSelf = true;
  if (args.count() == 3) {
    address = 2;
    spareSelf = false;
    if (killMeant() != 0) reply.ok();
    else reply.error('ERR No such client');
    return;
  }
  if (args.count() & 1) return reply.error('ERR syntax error');
  for (let i: u32 = 2; i < args.count(); i += 2) if (!takeFilter(i)) return;
  reply.integer(<i64>killMeant());
}
