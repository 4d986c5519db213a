// DEBUG DIGEST and DEBUG DIGEST-VALUE: signatures of what the databases hold, the same numbers that
// redis-server computes.
//
// Method   Types mix their values in (keyspace/type.ts). Keys have no order: they are combined. Keys that
//          have expired and are not deleted yet count, as in Redis.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as digest from '../bytes/digest.ts';
import * as dict from '../keyspace/dict.ts';
import * as entry from '../keyspace/entry.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import * as type from '../keyspace/type.ts';

const WHOLE: usize = memory.data(20, 4);
const KEY: usize = memory.data(20, 4);
const EXPIRES: usize = memory.data(10, 4);

/** Adds type, value and whether there is an expiry to KEY. */
function addValue(found: u32): void {
  const kind = entry.type(found);
  digest.mixNumber(<u32>KEY, kind - entry.TYPE_FIRST);
  type.digest(kind, found, <u32>KEY);
  if (entry.hasExpiry(found)) addExpiry();
}

/** The text !!expire!! stands for an expiry of any time. */
function addExpiry(): void {
  store<u64>(EXPIRES, 0x6572697078652121);
  store<u16>(EXPIRES, 0x2121, 8);
  digest.combine(<u32>KEY, <u32>EXPIRES, 10);
}

function addKey(found: u32): void {
  digest.clear(<u32>KEY);
  digest.mix(<u32>KEY, entry.key(found), entry.keyBytes(found));
  addValue(found);
  digest.combine(<u32>WHOLE, <u32>KEY, digest.BYTES);
}

function put(from: usize): void {
  reply.text('+');
  for (let i: u32 = 0; i < digest.BYTES; i++) {
    const byte: u32 = load<u8>(from + i);
    reply.character(hexDigit(byte >> 4));
    reply.character(hexDigit(byte & 15));
  }
  reply.crlf();
}

function hexDigit(nibble: u32): u32 {
  return nibble < 10 ? ascii.ZERO + nibble : 87 + nibble;
}

/** DEBUG DIGEST */
export function ofAll(): void {
  digest.clear(<u32>WHOLE);
  for (let i: u32 = 0; i < space.databases(); i++) {
    if (space.keyCount(i) == 0) continue;
    digest.mixNumber(<u32>WHOLE, i);
    let cursor: u64 = 0;
    do cursor = dict.scan(space.dictOf(i), cursor, addKey);
    while (cursor != 0);
  }
  put(WHOLE);
}

/** DEBUG DIGEST-VALUE key ... */
export function ofValues(): void {
  reply.array(args.count() - 2);
  for (let i: u32 = 2; i < args.count(); i++) {
    const found = keyspace.find(args.ptr(i), args.len(i));
    digest.clear(<u32>KEY);
    if (found != 0) addValue(found);
    put(KEY);
  }
}
