// The loader: reads an RDB file of redis-server 7.0 or older into the databases.
//
// Interface   start(), more() as long as it is true, finish(): 0 or a negative errno. What was loaded before
//             a failure is still there, and the caller drops it. Clients may be served in between, if they
//             leave the keys alone. A file with what this server does not have is refused, unless start()
//             allows to leave that out: then it is read over and counted. Keys that have expired are read
//             over, too.
// Invariants  LOAD-1  By construction: a key is linked when its whole value has been read, or, of a hash,
//                     field by field.
//             LOAD-2  A file that is wrong anywhere is refused: a checksum that does not match, a wrong
//                     length, a key or field that occurs twice.

import { PROGRESS_LOAD } from '../abi.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as entry from '../keyspace/entry.ts';
import * as format from './format.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as log from '../border/log.ts';
import * as lru from '../keyspace/lru.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reader from './reader.ts';
import * as skip from './skip.ts';
import * as types from '../keyspace/type.ts';
import * as ascii from '../bytes/ascii.ts';
import * as space from '../keyspace/space.ts';
import { KIND_BLOCK } from '../bytes/heap.ts';
import { slab, syscall } from '../../../assembly/index.ts';
import { SYS_PROGRESS } from '../../../assembly/abi/syscall.ts';

let loadedKeys: u64 = 0;
let expiredKeys: u64 = 0;
let leftOut: u64 = 0;
let mayReplace: bool = false;
let mayLeaveOut: bool = false;
let database: u32 = 0;
let isAtEnd: bool = false;

// What stands before a key.
let expiresMs: i64 = -1;
let idleSeconds: i64 = -1;
let frequency: i32 = -1;

export function loaded(): u64 {
  return loadedKeys;
}

export function expired(): u64 {
  return expiredKeys;
}

/** Keys and libraries of functions that the last load left out. */
export function leftOutCount(): u64 {
  return leftOut;
}

/**
 * Begins with a file; 0 or a negative errno. `replaces`: a key of the file takes the place of one that is
 * there; else that is an error.
 */
export function start(path: u32, pathBytes: u32, replaces: bool, leavesOut: bool): i32 {
  loadedKeys = 0;
  expiredKeys = 0;
  leftOut = 0;
  mayReplace = replaces;
  mayLeaveOut = leavesOut;
  database = 0;
  isAtEnd = false;
  forgetAttributes();
  const opened = reader.open(path, pathBytes);
  if (opened == 0) magic();
  return opened;
}

/** Reads records for `bytes` bytes of the file or a little more; false at the end, and after a failure. */
export function more(bytes: u64): bool {
  space.select(database);
  const end = <u64>reader.position() + bytes;
  while (!reader.hasFailed() && !isAtEnd && <u64>reader.position() < end) record();
  database = space.selected();
  return !reader.hasFailed() && !isAtEnd;
}

/** After the last record, or instead of it: 0 or a negative errno. */
export function finish(): i32 {
  const result = reader.failure();
  reader.close();
  if (result == 0) syscall(SYS_PROGRESS, PROGRESS_LOAD, 1000, 0, 0, 0);
  if (result == 0 && leftOut != 0) warnLeftOut();
  return result;
}

function warnLeftOut(): void {
  log.begin('Keys and functions that this server has no type for were left out: ');
  log.integer(leftOut);
  log.end(log.WARNING);
}

/** Counts something that this server lacks; false, and the file is refused, unless that may be left out. */
function leaveOut(what: string, isKey: bool): bool {
  leftOut++;
  if (mayLeaveOut) return true;
  log.begin('The RDB file has ');
  log.ascii(what);
  if (isKey) {
    log.ascii(" at key '");
    log.bytes(name, min<u32>(nameBytes, 128));
    log.ascii("'");
  }
  log.ascii(', which this server does not have. Load it with a redis-server, or start with');
  log.ascii(' --rdb-skip-unknown-types yes to leave out all such data:');
  log.ascii(' the file is kept under another name then.');
  log.end(log.WARNING);
  return reader.fail('unsupported type');
}

/** What a type that this server lacks is called; empty for one that redis-server 7.0 lacks, too. */
function nameOfType(type: u32): string {
  switch (type) {
    case format.TYPE_LIST:
    case format.TYPE_LIST_ZIPLIST:
    case format.TYPE_LIST_QUICKLIST:
    case format.TYPE_LIST_QUICKLIST_2:
      return 'a list';
    case format.TYPE_SET:
    case format.TYPE_SET_INTSET:
      return 'a set';
    case format.TYPE_ZSET:
    case format.TYPE_ZSET_2:
    case format.TYPE_ZSET_ZIPLIST:
    case format.TYPE_ZSET_LISTPACK:
      return 'a sorted set';
    case format.TYPE_STREAM:
    case format.TYPE_STREAM_2:
      return 'a stream';
    case format.TYPE_MODULE_2:
      return "a module's value";
    default:
      return '';
  }
}

/** The first nine bytes: a name, and a version that is not above ours. */
function magic(): bool {
  const at = reader.take(format.MAGIC_BYTES);
  if (at == 0) return false;
  if (load<u32>(at) != 0x49444552 || load<u8>(at, 4) != 0x53) {
    return reader.fail('Wrong signature trying to load DB from file');
  }
  let version: u32 = 0;
  for (let i: u32 = 5; i < format.MAGIC_BYTES; i++) {
    const digit: u32 = <u32>load<u8>(at + i) - 48;
    if (digit > 9) return reader.fail('Wrong signature trying to load DB from file');
    version = version * 10 + digit;
  }
  if (version >= 1 && version <= format.VERSION) {
    isSummed = version >= 5;
    return true;
  }
  log.begin("Can't handle RDB format version ");
  log.integer(version);
  log.end(log.WARNING);
  return reader.fail('unsupported version');
}

let isSummed: bool = false;

function forgetAttributes(): void {
  expiresMs = -1;
  idleSeconds = -1;
  frequency = -1;
}

/** Reads a record: a byte at least. */
function record(): void {
  const opcode = reader.byte();
  if (reader.hasFailed()) return;
  if (opcode == format.OP_EOF) {
    isAtEnd = true;
    checkSum();
  } else if (opcode >= format.OP_FUNCTION2) special(opcode);
  else {
    key(opcode);
    forgetAttributes();
  }
}

function checkSum(): void {
  if (!isSummed) return;
  const ours = reader.checksum();
  const theirs = reader.raw64();
  if (reader.hasFailed() || config.number(option.RDBCHECKSUM) == 0) return;
  if (theirs == 0) {
    return log.line(log.NOTICE, 'RDB file was saved with checksum disabled: no check performed.');
  }
  if (ours == theirs) return;
  log.begin('Wrong RDB checksum expected: (');
  log.hexadecimal(theirs);
  log.ascii(') but got (');
  log.hexadecimal(ours);
  log.ascii('). Aborting now.');
  log.end(log.WARNING);
  reader.fail('RDB CRC error');
}

/** Everything that is not a key. */
function special(opcode: u32): void {
  switch (opcode) {
    case format.OP_EXPIRE_MS:
      expiresMs = <i64>reader.raw64();
      break;
    case format.OP_EXPIRE:
      expiresMs = <i64>(<i32>reader.raw32()) * 1000;
      break;
    case format.OP_IDLE:
      idleSeconds = <i64>reader.length();
      break;
    case format.OP_FREQ:
      frequency = <i32>reader.byte();
      break;
    case format.OP_SELECT:
      selectDatabase(reader.length());
      break;
    case format.OP_RESIZE:
      reader.length();
      reader.length();
      break;
    case format.OP_AUX:
      aux();
      break;
    case format.OP_MODULE_AUX:
      if (!leaveOut('data of a module', false)) return;
      reader.length();
      reader.length();
      reader.length();
      skip.moduleValue();
      break;
    case format.OP_FUNCTION2:
      if (leaveOut('a library of functions', false)) reader.skipString();
      break;
    default:
      reader.fail('Pre-release function format not supported');
  }
}

function selectDatabase(number: u64): void {
  if (reader.hasFailed()) return;
  if (number < space.databases()) return space.select(<u32>number);
  log.begin('Data file was created with a Redis server configured to handle more than ');
  log.integer(space.databases());
  log.ascii(' databases.');
  log.end(log.WARNING);
  reader.fail('database number out of range');
}

/** A note about the file itself. What is known is logged, the rest ignored. */
function aux(): void {
  if (!reader.readText(0)) return;
  const name = reader.textAt;
  const nameBytes = reader.textBytes;
  if (!reader.readText(1)) return;
  const text = reader.textAt;
  const bytes = reader.textBytes;
  if (ascii.isWord(name, nameBytes, 'redis-ver')) {
    log.begin('Loading RDB produced by version ');
    log.bytes(text, bytes);
    log.end(log.NOTICE);
  } else if (ascii.isWord(name, nameBytes, 'ctime') && number.parse(text, bytes)) {
    log.begin('RDB age ');
    log.integer(max<i64>(clock.ms() / 1000 - number.parsed, 0));
    log.ascii(' seconds');
    log.end(log.NOTICE);
  } else if (ascii.isWord(name, nameBytes, 'used-mem') && number.parse(text, bytes)) {
    log.begin('RDB memory usage when created ');
    log.decimal(<f64>number.parsed / 1048576);
    log.ascii(' Mb');
    log.end(log.NOTICE);
  }
}

// --- Keys --------------------------------------------------------------------------------------------------

const NAME_FIRST: u32 = 1024;
let name: u32 = 0;
let nameRoom: u32 = 0;
let nameBytes: u32 = 0;

/** Reads a key to where it stays while its value is read. */
function readName(): bool {
  if (!reader.readText(0)) return false;
  nameBytes = reader.textBytes;
  if (name == 0 || nameBytes > nameRoom) {
    if (name != 0) slab.free(name);
    nameRoom = max(nameBytes, NAME_FIRST);
    name = slab.alloc(KIND_BLOCK, nameRoom);
    if (name == 0) return reader.failMemory();
  }
  memory.copy(name, reader.textAt, nameBytes);
  return true;
}

function key(type: u32): void {
  if (!readName()) return;
  if (expiresMs >= 0 && expiresMs < clock.ms()) {
    if (skip.value(type)) expiredKeys++;
    return;
  }
  if (!types.canLoad(type)) {
    const called = nameOfType(type);
    if (called.length == 0 || leaveOut(called, true)) skip.value(type);
    return;
  }
  const old = keyspace.find(name, nameBytes);
  if (old != 0) {
    if (!mayReplace) {
      reader.fail('RDB has a duplicated key');
      return;
    }
    keyspace.removeEntry(old, option.LAZYFREE_LAZY_SERVER_DEL);
  }
  const made = types.loadValue(type, name, nameBytes);
  if (reader.hasFailed()) return;
  if (made == 0) warnEmpty();
  else complete(made);
}

function warnEmpty(): void {
  log.begin('Skipping empty key: ');
  log.bytes(name, nameBytes);
  log.end(log.NOTICE);
}

/** Gives a new key what stood before it. */
function complete(made: u32): void {
  if (expiresMs != -1 && !keyspace.setExpiry(made, expiresMs)) {
    reader.failMemory();
    return;
  }
  if (lru.isFrequency()) {
    if (frequency >= 0) entry.setAccess(made, (entry.access(made) & 0xffff00) | (<u32>frequency));
  } else if (idleSeconds >= 0) {
    const idle = <u32>min<i64>(idleSeconds, 0xffffff);
    entry.setAccess(made, (clock.lru() - idle) & 0xffffff);
  }
  loadedKeys++;
}
