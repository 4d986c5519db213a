// DEBUG DIGEST and DEBUG DIGEST-VALUE: signatures of what the databases hold, the same numbers that redis-server computes.
//
// Method   What has an order is mixed in: digest = SHA1(digest xor SHA1(text)). What has none, keys of a database and fields
//          of a hash, is only combined by xor. Keys that have expired and are not deleted yet count, as in Redis.

import * as args from '../wire/args.ts';
import * as dict from '../keyspace/dict.ts';
import * as entry from '../keyspace/entry.ts';
import * as hash from '../types/hash/value.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as reply from '../wire/reply.ts';
import * as sha1 from '../bytes/sha1.ts';
import * as space from '../keyspace/space.ts';
import * as string from '../types/string/value.ts';

const WHOLE: usize = memory.data(20, 4);
const KEY: usize = memory.data(20, 4);
const FIELD: usize = memory.data(20, 4);
const HASHED: usize = memory.data(20, 4);
const NUMBER: usize = memory.data(4, 4);
const EXPIRES: usize = memory.data(10, 4);

// Redis's numbers of the types.
const STRING: u32 = 0;
const HASH: u32 = 4;

function clear(digest: usize): void {
  memory.fill(digest, 0, sha1.DIGEST_BYTES);
}

function combine(digest: usize, from: u32, bytes: u32): void {
  sha1.digest(from, bytes, <u32>HASHED);
  for (let i: u32 = 0; i < sha1.DIGEST_BYTES; i += 4)
    store<u32>(digest + i, load<u32>(digest + i) ^ load<u32>(HASHED + i));
}

function mix(digest: usize, from: u32, bytes: u32): void {
  combine(digest, from, bytes);
  sha1.digest(<u32>digest, sha1.DIGEST_BYTES, <u32>digest);
}

function mixNumber(digest: usize, number: u32): void {
  store<u32>(NUMBER, bswap(number));
  mix(digest, <u32>NUMBER, 4);
}

/** Adds type, value and whether there is an expiry to KEY. */
function addValue(found: u32): void {
  const isHash = entry.type(found) == entry.TYPE_HASH;
  mixNumber(KEY, isHash ? HASH : STRING);
  if (isHash) {
    for (let more = hash.begin(found); more; more = hash.advance()) addField();
  } else {
    string.read(found);
    mix(KEY, string.address(), string.bytes());
  }
  if (entry.hasExpiry(found)) addExpiry();
}

/** The text !!expire!! stands for an expiry of any time. */
function addExpiry(): void {
  store<u64>(EXPIRES, 0x6572697078652121);
  store<u16>(EXPIRES, 0x2121, 8);
  combine(KEY, <u32>EXPIRES, 10);
}

function addField(): void {
  clear(FIELD);
  hash.readField();
  mix(FIELD, hash.text(), hash.textBytes());
  hash.readValue();
  mix(FIELD, hash.text(), hash.textBytes());
  combine(KEY, <u32>FIELD, sha1.DIGEST_BYTES);
}

function addKey(found: u32): void {
  clear(KEY);
  mix(KEY, entry.key(found), entry.keyBytes(found));
  addValue(found);
  combine(WHOLE, <u32>KEY, sha1.DIGEST_BYTES);
}

function put(digest: usize): void {
  reply.text('+');
  for (let i: u32 = 0; i < sha1.DIGEST_BYTES; i++) {
    const byte: u32 = load<u8>(digest + i);
    reply.character(hexDigit(byte >> 4));
    reply.character(hexDigit(byte & 15));
  }
  reply.crlf();
}

function hexDigit(nibble: u32): u32 {
  return nibble < 10 ? 48 + nibble : 87 + nibble;
}

/** DEBUG DIGEST */
export function ofAll(): void {
  clear(WHOLE);
  for (let i: u32 = 0; i < space.databases(); i++) {
    if (space.keyCount(i) == 0) continue;
    mixNumber(WHOLE, i);
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
    clear(KEY);
    if (found != 0) addValue(found);
    put(KEY);
  }
}
