// COMMAND: what this server can do, for client libraries and for people.

import * as args from '../wire/args.ts';
import * as ascii from '../bytes/ascii.ts';
import * as command from '../command/command.ts';
import * as entry from '../command/docs/entry.ts';
import * as names from '../command/names.ts';
import * as glob from '../bytes/glob.ts';
import * as help from './help.ts';
import * as record from '../command/docs/record.ts';
import * as reply from '../wire/reply.ts';
import { ACL_CONNECTION, LOADING, STALE } from '../command/command.ts';

export function register(): void {
  const flags = LOADING | STALE;
  command.define('command', all, -1, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|count', count, 2, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|docs', docs, -2, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|getkeys', getKeys, -4, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|getkeysandflags', getKeysAndFlags, -4, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|help', help.put, 2, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|info', info, -2, flags, 0, 0, 0, ACL_CONNECTION);
  command.define('command|list', list, -2, flags, 0, 0, 0, ACL_CONNECTION);
}

function commandCount(): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < command.count(); i++)
    if (command.containerOf(command.rowAt(i)) == 0) found++;
  return found;
}

/** COMMAND */
function all(): void {
  reply.array(commandCount());
  for (let i: u32 = 0; i < command.count(); i++) {
    if (command.containerOf(command.rowAt(i)) == 0) entry.putInfo(command.rowAt(i));
  }
}

/** COMMAND COUNT */
function count(): void {
  reply.integer(<i64>commandCount());
}

/** COMMAND INFO [name ...] */
function info(): void {
  if (args.count() == 2) return all();
  reply.array(args.count() - 2);
  for (let i: u32 = 2; i < args.count(); i++) {
    const row = command.find(args.ptr(i), args.len(i));
    if (row != 0) entry.putInfo(row);
    else reply.none();
  }
}

/** COMMAND DOCS [name ...] */
function docs(): void {
  const named = args.count() > 2;
  let found: u32 = 0;
  if (!named) found = commandCount();
  for (let i: u32 = 2; i < args.count(); i++)
    if (command.find(args.ptr(i), args.len(i)) != 0) found++;
  reply.map(found);
  const end = named ? args.count() - 2 : command.count();
  for (let i: u32 = 0; i < end; i++) {
    const row = named ? command.find(args.ptr(i + 2), args.len(i + 2)) : command.rowAt(i);
    if (row == 0 || (!named && command.containerOf(row) != 0)) continue;
    reply.bulk(command.nameAddress(row), command.nameBytes(row));
    entry.putDocs(row);
  }
}

const PATTERN_BYTES: u32 = 256;
const PATTERN: usize = memory.data(256, 8);

/** Copies a pattern in lower case, as the names are; false when it is too long. */
function lowerPattern(index: u32): bool {
  const bytes = args.len(index);
  if (bytes > PATTERN_BYTES) return false;
  for (let i: u32 = 0; i < bytes; i++)
    store<u8>(PATTERN + i, <u8>ascii.lower(load<u8>(args.ptr(index) + i)));
  return true;
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
function list(): void {
  if (args.count() == 2) return listWhere(0, 0);
  if (args.count() != 5 || !args.is(2, 'filterby')) return reply.error('ERR syntax error');
  if (args.is(3, 'module')) return reply.array(0); // the server loads no modules
  if (args.is(3, 'aclcat')) {
    const category = names.categoryNamed(args.ptr(4), args.len(4));
    return category == 0 ? reply.array(0) : listWhere(category, 0);
  }
  if (args.is(3, 'pattern')) return listWhere(0, 4);
  reply.error('ERR syntax error');
}

/** Lists the commands and subcommands of a category, or those that match argument `pattern`, or all. */
function listWhere(category: u32, pattern: u32): void {
  if (pattern != 0 && !lowerPattern(pattern)) return reply.array(0);
  const mark = reply.deferArray();
  let found: u32 = 0;
  for (let i: u32 = 0; i < command.count(); i++) {
    const row = command.rowAt(i);
    if (category != 0 && !(command.aclOf(row) & category)) continue;
    const name = command.nameAddress(row);
    const bytes = command.nameBytes(row);
    if (pattern != 0 && !glob.matches(<u32>PATTERN, args.len(pattern), name, bytes)) continue;
    reply.bulk(name, bytes);
    found++;
  }
  reply.endArray(mark, found);
}

// --- Keys of a command -------------------------------------------------------------------------------------

/** The row of the command that starts at argument 2, or 0 after an error reply. */
function targetRow(): u32 {
  let row = command.find(args.ptr(2), args.len(2));
  if (row != 0 && command.subcommandCount(row) != 0 && args.count() > 3) {
    row = command.findSubcommand(row, args.ptr(3), args.len(3));
  }
  if (row == 0) {
    reply.error('ERR Invalid command specified');
    return 0;
  }
  if (command.firstKey(row) == 0) {
    reply.error('ERR The command has no key arguments');
    return 0;
  }
  const given = <i32>args.count() - 2;
  const arity = command.arityOf(row);
  if (arity > 0 ? given == arity : given >= -arity) return row;
  reply.error('ERR Invalid number of arguments specified for command');
  return 0;
}

function lastKeyOf(row: u32): i32 {
  const last = command.lastKey(row);
  return last < 0 ? <i32>args.count() - 2 + last : last;
}

/** COMMAND GETKEYS command argument ... */
function getKeys(): void {
  const row = targetRow();
  if (row == 0) return;
  const last = lastKeyOf(row);
  const step = command.keyStep(row);
  const mark = reply.deferArray();
  let found: u32 = 0;
  for (let key = command.firstKey(row); key <= last; key += step) {
    reply.bulk(args.ptr(<u32>key + 2), args.len(<u32>key + 2));
    found++;
  }
  reply.endArray(mark, found);
}

/** SET reads the old value only where it is asked for; Redis says so here. */
function putSetFlags(): void {
  let reads = false;
  for (let i: u32 = 5; i < args.count(); i++) if (args.is(i, 'get')) reads = true;
  reply.set(reads ? 3 : 2);
  reply.status(reads ? 'RW' : 'OW');
  if (reads) reply.status('access');
  reply.status('update');
}

function putFlags(row: u32, notes: u32, index: u32): void {
  if (ascii.isWord(command.nameAddress(row), command.nameBytes(row), 'set')) return putSetFlags();
  if (notes == 0) return reply.set(0);
  entry.putLineSet(entry.keyFlags(notes, index));
}

/** COMMAND GETKEYSANDFLAGS command argument ... */
function getKeysAndFlags(): void {
  const row = targetRow();
  if (row == 0) return;
  const notes = record.find(command.nameAddress(row), command.nameBytes(row));
  const specs = notes == 0 ? 0 : entry.keySpecs(notes);
  const last = lastKeyOf(row);
  const step = command.keyStep(row);
  const mark = reply.deferArray();
  let found: u32 = 0;
  for (let key = command.firstKey(row); key <= last; key += step) {
    reply.array(2);
    reply.bulk(args.ptr(<u32>key + 2), args.len(<u32>key + 2));
    putFlags(row, notes, specs > 1 ? found : 0);
    found++;
  }
  reply.endArray(mark, found);
}
