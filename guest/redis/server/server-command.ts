// The server as a whole: TIME, LASTSAVE, SAVE, BGSAVE, SHUTDOWN, its part in replication, its users, LOLWUT.

import * as abi from '../abi.ts';
import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as names from '../command/names.ts';
import * as errors from '../command/errors.ts';
import * as help from './help.ts';
import * as identity from '../client/identity.ts';
import * as lolwut from './lolwut.ts';
import * as number from '../bytes/number.ts';
import * as persistence from '../persist/persistence.ts';
import * as random from '../bytes/random.ts';
import * as reply from '../wire/reply.ts';
import * as shutdown from './shutdown.ts';
import * as text from '../bytes/text.ts';
import { clockUs } from '../border/host.ts';
import {
  ACL_ADMIN,
  ACL_DANGEROUS,
  ADMIN,
  ALLOW_BUSY,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NO_MULTI,
  NOSCRIPT,
  READONLY,
  STALE,
  TIMED,
} from '../command/command.ts';

export function register(): void {
  const saving = ADMIN | NOSCRIPT | NO_ASYNC_LOADING | TIMED;
  const acl = NOSCRIPT | LOADING | STALE;
  const following = ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING;
  const ending = ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY | TIMED;
  const told = ACL_ADMIN | ACL_DANGEROUS;
  command.define('time', time, 1, LOADING | STALE | FAST, 0, 0, 0, 0);
  command.define('lastsave', lastSave, 1, LOADING | STALE | FAST, 0, 0, 0, told);
  command.define('save', save, 1, saving | NO_MULTI, 0, 0, 0, 0);
  command.define('bgsave', bgSave, -1, saving, 0, 0, 0, 0);
  command.define('shutdown', shutDown, -1, ending, 0, 0, 0, 0);
  command.define('lolwut', drawSomething, -1, READONLY | FAST, 0, 0, 0, 0);
  command.define('role', role, 1, NOSCRIPT | LOADING | STALE | FAST, 0, 0, 0, told);
  command.define('replicaof', replicaOf, 3, following, 0, 0, 0, 0);
  command.define('slaveof', replicaOf, 3, following, 0, 0, 0, 0);
  command.define('acl', null, -2, 0, 0, 0, 0, 0);
  command.define('acl|cat', aclCategories, -2, acl, 0, 0, 0, 0);
  command.define('acl|help', help.put, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('acl|list', aclList, 2, ADMIN | acl, 0, 0, 0, 0);
  command.define('acl|users', aclUsers, 2, ADMIN | acl, 0, 0, 0, 0);
  command.define('acl|whoami', aclWhoAmI, 2, acl, 0, 0, 0, 0);
}

/** TIME */
function time(): void {
  const us = clock.ms() * 1000 + <i64>max<f64>(0, clockUs() - clock.us());
  reply.array(2);
  reply.bulkInteger(us / 1000000);
  reply.bulkInteger(us % 1000000);
}

/** LASTSAVE */
function lastSave(): void {
  reply.integer(persistence.lastSaveSeconds());
}

/** SAVE */
function save(): void {
  if (persistence.isSaving()) return reply.error('ERR Background save already in progress');
  if (persistence.save()) reply.ok();
  else reply.error('ERR');
}

/** BGSAVE [SCHEDULE]: nothing here has to be waited for, so a scheduled save starts at once. */
function bgSave(): void {
  if (args.count() > 2 || (args.count() == 2 && !args.is(1, 'schedule'))) {
    return reply.error('ERR syntax error');
  }
  if (persistence.isSaving()) return reply.error('ERR Background save already in progress');
  if (persistence.startSave()) reply.status('Background saving started');
  else reply.error('ERR');
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT] */
function shutDown(): void {
  let flags: u32 = 0;
  for (let i: u32 = 1; i < args.count(); i++) {
    if (args.is(i, 'nosave')) flags |= abi.SHUTDOWN_NOSAVE;
    else if (args.is(i, 'save')) flags |= abi.SHUTDOWN_SAVE;
    else if (args.is(i, 'now')) flags |= abi.SHUTDOWN_NOW;
    else if (args.is(i, 'force')) flags |= abi.SHUTDOWN_FORCE;
    else if (args.is(i, 'abort')) flags |= abi.SHUTDOWN_ABORT;
    else return reply.error('ERR syntax error');
  }
  const isBoth =
    (flags & (abi.SHUTDOWN_NOSAVE | abi.SHUTDOWN_SAVE)) ==
    (abi.SHUTDOWN_NOSAVE | abi.SHUTDOWN_SAVE);
  if (isBoth || (flags & abi.SHUTDOWN_ABORT && flags != abi.SHUTDOWN_ABORT))
    return reply.error('ERR syntax error');
  if (flags & abi.SHUTDOWN_ABORT) return reply.error('ERR No shutdown in progress.');
  if (!shutdown.begin(flags)) return reply.error('ERR Errors trying to SHUTDOWN. Check logs.');
  // Its commands behind this one are not run: a change after the save must not get an OK.
  client.current().flags |= client.CLOSE_ASAP;
}

// --- Replication, which is not offered ---------------------------------------------------------------------

/** ROLE */
function role(): void {
  reply.array(3);
  reply.bulkText('master');
  reply.integer(0);
  reply.array(0);
}

/** REPLICAOF NO ONE is what holds already; anything else is refused. */
function replicaOf(): void {
  if (args.is(1, 'no') && args.is(2, 'one')) return reply.ok();
  if (!args.isInteger(2) || number.parsed < 0 || number.parsed > 65535) {
    return reply.error('ERR Invalid master port');
  }
  reply.error('ERR replication is not supported by this server');
}

// --- Users: only `default`, which may do everything --------------------------------------------------------

function aclWhoAmI(): void {
  reply.bulkText(identity.USER);
}

function aclUsers(): void {
  reply.array(1);
  reply.bulkText(identity.USER);
}

function aclList(): void {
  reply.array(1);
  reply.bulkText(
    identity.hasPassword() ? 'user default on ~* &* +@all' : 'user default on nopass ~* &* +@all',
  );
}

/** ACL CAT [category] */
function aclCategories(): void {
  if (args.count() > 3) return errors.badSubcommand();
  if (args.count() == 2) {
    reply.array(names.CATEGORY_COUNT);
    for (let i: u32 = 0; i < names.CATEGORY_COUNT; i++) reply.bulkText(names.ofCategory(1 << i));
    return;
  }
  const category = names.categoryNamed(args.ptr(2), args.len(2));
  if (category == 0) {
    reply.errorBegin("ERR Unknown category '");
    reply.plain(args.ptr(2), args.len(2));
    reply.text("'");
    return reply.errorEnd();
  }
  const mark = reply.deferArray();
  let found: u32 = 0;
  for (let i: u32 = 0; i < command.count(); i++) {
    const row = command.rowAt(i);
    if (!(command.aclOf(row) & category)) continue;
    reply.bulk(command.nameAddress(row), command.nameBytes(row));
    found++;
  }
  reply.endArray(mark, found);
}

// --- LOLWUT ------------------------------------------------------------------------------------------------

const RINGS_DEFAULT: i64 = 8;

/** LOLWUT [VERSION version] [rings] */
function drawSomething(): void {
  let next: u32 = 1;
  if (args.count() > 2 && args.is(1, 'version')) {
    if (!args.isInteger(2)) return reply.error('ERR value is not an integer or out of range');
    next = 3;
  }
  let rings = RINGS_DEFAULT;
  if (args.count() > next) {
    if (!args.isInteger(next)) return reply.error('ERR value is not an integer or out of range');
    rings = max<i64>(1, min<i64>(24, number.parsed));
  }
  text.begin();
  lolwut.put(<u32>rings, ((<u64>random.bits()) << 32) | random.bits());
  text.ascii('\nThe way in leads through the gaps, to ring 0.\nRedis ver. ');
  text.ascii(identity.VERSION);
  text.ascii(' (ringzero)\n');
  reply.verbatim(text.address(), text.length());
  text.end();
}
