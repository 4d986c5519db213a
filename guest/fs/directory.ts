// Directories: entries in the directory's content, found by a hash of the name through buckets, listed in the
// order in which they lie.
//
//   content   heads of the lists of free entries (by length) | entries ... | up to INODE_TAIL
//   index     INODE_BUCKETS offsets of the first entry of each bucket
//
// Interface   find(), then what it left in registers. add() and remove() need blocks that addMost() says.
// Invariants  FS-4  INODE_ENTRIES is the number of entries in use; each is in the bucket of its hash. An
//                   empty directory has no content.
//             FS-5  Entries fill each block without gaps: a cookie inside an entry leads to the next one.
//                   Entries do not move, so one that stays is listed exactly once.
// Cost        One bucket for each look-up, with 1.5 entries on average at most. Doubling the buckets reads
//             every entry.

import { ENAMETOOLONG, ENOENT } from '../../assembly/abi/errno';
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  COOKIE_FIRST,
  ENTRIES_AT,
  ENTRY_BYTES,
  ENTRY_HASH,
  ENTRY_INODE,
  ENTRY_MIN,
  ENTRY_NAME,
  ENTRY_NAME_BYTES,
  ENTRY_NEXT,
  ENTRY_TYPE,
  ENTRY_UNIT,
  INODE_BUCKETS,
  INODE_ENTRIES,
  INODE_INDEX,
  INODE_MAP,
  INODE_SIZE,
  INODE_TAIL,
  LISTED_COOKIE,
  LISTED_NAME,
  LISTED_NAME_BYTES,
  LISTED_TYPE,
  NAME_BYTES_MAX,
  SUPER_CHANGES,
} from './abi';
import * as map from './map';
import * as space from './space';

const BUCKETS_PER_BLOCK: u32 = 1024;
const BUCKETS_FIRST: u32 = 1024;
const BUCKETS_MAX: u32 = 1048576;

/** Set by find(): the entry's offset and address, and the word that leads to it. */
let foundOffset: u32 = 0;
let foundAddress: u32 = 0;
let foundBy: u32 = 0;

/** 0 for a name that an entry can have, or a negative errno. */
export function checkName(bytes: u32): i32 {
  if (bytes == 0) return -ENOENT;
  return bytes > NAME_BYTES_MAX ? -ENAMETOOLONG : 0;
}

function hashOf(name: u32, bytes: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < bytes; i++) hash = (hash ^ load<u8>(name + i)) * 0x01000193;
  hash ^= hash >> 15;
  hash *= 0x2c1b3c6d;
  return hash ^ (hash >> 13);
}

/** Address of a byte of the content. */
function at(directory: u32, offset: u32): u32 {
  const block = map.find(directory + INODE_MAP, offset >> BLOCK_SHIFT);
  return space.addressOf(block) + (offset & (BLOCK_BYTES - 1));
}

/** Address of the word with the first entry of a hash's bucket; there are buckets. */
function bucketOf(directory: u32, hash: u32): u32 {
  const bucket = hash & (load<u32>(directory, INODE_BUCKETS) - 1);
  const block = map.find(directory + INODE_INDEX, bucket / BUCKETS_PER_BLOCK);
  return space.addressOf(block) + ((bucket % BUCKETS_PER_BLOCK) << 2);
}

/** The inode of an entry, or 0. */
export function find(directory: u32, name: u32, bytes: u32): u32 {
  if (load<u32>(directory, INODE_ENTRIES) == 0) return 0;
  const hash = hashOf(name, bytes);
  let word = bucketOf(directory, hash);
  let offset = load<u32>(word);
  while (offset != 0) {
    const entry = at(directory, offset);
    if (load<u32>(entry, ENTRY_HASH) == hash && isNamed(entry, name, bytes)) {
      foundOffset = offset;
      foundAddress = entry;
      foundBy = word;
      return load<u32>(entry, ENTRY_INODE);
    }
    word = entry + ENTRY_NEXT;
    offset = load<u32>(word);
  }
  return 0;
}

function isNamed(entry: u32, name: u32, bytes: u32): bool {
  if (load<u8>(entry, ENTRY_NAME_BYTES) != bytes) return false;
  for (let i: u32 = 0; i < bytes; i++)
    if (load<u8>(entry + i, ENTRY_NAME) != load<u8>(name + i)) return false;
  return true;
}

/** Blocks that add() can need. */
export function addMost(directory: u32): u32 {
  const isFull = load<u32>(directory, INODE_ENTRIES) >= load<u32>(directory, INODE_BUCKETS);
  const buckets = max<u32>(load<u32>(directory, INODE_BUCKETS) * 2, BUCKETS_FIRST);
  return 2 * map.MOST + (isFull ? buckets / BUCKETS_PER_BLOCK + map.MOST : 0);
}

/** Adds an entry that is not there. addMost() blocks are reserved. */
export function add(directory: u32, name: u32, bytes: u32, ino: u32, mode: u32): void {
  const entries = load<u32>(directory, INODE_ENTRIES);
  const buckets = load<u32>(directory, INODE_BUCKETS);
  if (entries >= buckets && buckets < BUCKETS_MAX)
    rehash(directory, max<u32>(buckets * 2, BUCKETS_FIRST));
  const offset = place(directory, lengthOf(bytes));
  const entry = at(directory, offset);
  const hash = hashOf(name, bytes);
  const bucket = bucketOf(directory, hash);
  store<u32>(entry, ino, ENTRY_INODE);
  store<u32>(entry, hash, ENTRY_HASH);
  store<u32>(entry, load<u32>(bucket), ENTRY_NEXT);
  store<u8>(entry, bytes, ENTRY_NAME_BYTES);
  store<u8>(entry, mode >> 12, ENTRY_TYPE);
  memory.copy(entry + ENTRY_NAME, name, bytes);
  store<u32>(bucket, offset);
  store<u32>(directory, entries + 1, INODE_ENTRIES);
}

function lengthOf(nameBytes: u32): u32 {
  return max<u32>(ENTRY_MIN, (ENTRY_NAME + nameBytes + ENTRY_UNIT - 1) & ~(ENTRY_UNIT - 1));
}

/** Address of the head of the list of free entries of that length. */
function listOf(directory: u32, length: u32): u32 {
  return at(directory, ((length - ENTRY_MIN) / ENTRY_UNIT) << 2);
}

/** Offset of an entry of that length, which is free. */
function place(directory: u32, length: u32): u32 {
  if (load<u32>(directory, INODE_TAIL) == 0) begin(directory);
  const list = listOf(directory, length);
  const free = load<u32>(list);
  if (free != 0) {
    store<u32>(list, load<u32>(at(directory, free), ENTRY_NEXT));
    return free;
  }
  const tail = load<u32>(directory, INODE_TAIL);
  const left = BLOCK_BYTES - (tail & (BLOCK_BYTES - 1));
  if (left >= length && left != BLOCK_BYTES) return extend(directory, tail, length);
  if (left != BLOCK_BYTES) release(directory, tail, left);
  const start = (tail + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1);
  map.ensure(directory + INODE_MAP, start >> BLOCK_SHIFT);
  store<u64>(directory, start + BLOCK_BYTES, INODE_SIZE);
  return extend(directory, start, length);
}

function begin(directory: u32): void {
  const block = map.ensure(directory + INODE_MAP, 0);
  memory.fill(space.addressOf(block), 0, ENTRIES_AT);
  store<u32>(directory, ENTRIES_AT, INODE_TAIL);
  store<u64>(directory, BLOCK_BYTES, INODE_SIZE);
}

function extend(directory: u32, tail: u32, length: u32): u32 {
  store<u16>(at(directory, tail), length, ENTRY_BYTES);
  store<u32>(directory, tail + length, INODE_TAIL);
  return tail;
}

/** Makes the range a free entry; one that is too short for a name is only passed over. */
function release(directory: u32, offset: u32, length: u32): void {
  const entry = at(directory, offset);
  store<u32>(entry, 0, ENTRY_INODE);
  store<u16>(entry, length, ENTRY_BYTES);
  if (length < ENTRY_MIN) return;
  const list = listOf(directory, length);
  store<u32>(entry, load<u32>(list), ENTRY_NEXT);
  store<u32>(list, offset);
}

/** Removes the entry that find() has found. */
export function removeFound(directory: u32): void {
  changed();
  store<u32>(foundBy, load<u32>(foundAddress, ENTRY_NEXT));
  const entries = load<u32>(directory, INODE_ENTRIES) - 1;
  store<u32>(directory, entries, INODE_ENTRIES);
  if (entries != 0) return release(directory, foundOffset, load<u16>(foundAddress, ENTRY_BYTES));
  map.cut(directory + INODE_MAP, 0);
  map.cut(directory + INODE_INDEX, 0);
  store<u32>(directory, 0, INODE_BUCKETS);
  store<u32>(directory, 0, INODE_TAIL);
  store<u64>(directory, 0, INODE_SIZE);
}

/** Changes what the entry that find() has found refers to. */
export function setFound(ino: u32, mode: u32): void {
  changed();
  store<u32>(foundAddress, ino, ENTRY_INODE);
  store<u8>(foundAddress, mode >> 12, ENTRY_TYPE);
}

/** What remembers inodes by names must look them up again. */
function changed(): void {
  const count = load<u32>(space.superblock, SUPER_CHANGES);
  store<u32>(space.superblock, count + 1, SUPER_CHANGES);
}

function rehash(directory: u32, buckets: u32): void {
  for (let i: u32 = 0; i < buckets / BUCKETS_PER_BLOCK; i++) {
    const block = map.ensure(directory + INODE_INDEX, i);
    memory.fill(space.addressOf(block), 0, BLOCK_BYTES);
  }
  store<u32>(directory, buckets, INODE_BUCKETS);
  const tail = load<u32>(directory, INODE_TAIL);
  for (let offset = ENTRIES_AT; offset < tail;) {
    const entry = at(directory, offset);
    if (load<u32>(entry, ENTRY_INODE) != 0) {
      const bucket = bucketOf(directory, load<u32>(entry, ENTRY_HASH));
      store<u32>(entry, load<u32>(bucket), ENTRY_NEXT);
      store<u32>(bucket, offset);
    }
    offset += load<u16>(entry, ENTRY_BYTES);
  }
}

/** Puts entries from `cookie` on into a block of results, as many as fit; returns their bytes. */
export function list(directory: u32, cookie: u32, result: u32): u32 {
  const tail = load<u32>(directory, INODE_TAIL);
  let used: u32 = 0;
  for (let offset = firstFrom(directory, cookie); offset < tail;) {
    const entry = at(directory, offset);
    offset += load<u16>(entry, ENTRY_BYTES);
    if (load<u32>(entry, ENTRY_INODE) == 0) continue;
    const bytes = <u32>load<u8>(entry, ENTRY_NAME_BYTES);
    const length = (LISTED_NAME + bytes + 3) & ~3;
    if (used + length > BLOCK_BYTES) break;
    const one = result + used;
    store<u32>(one, load<u32>(entry, ENTRY_INODE));
    store<u32>(one, offset, LISTED_COOKIE);
    store<u8>(one, load<u8>(entry, ENTRY_TYPE), LISTED_TYPE);
    store<u8>(one, bytes, LISTED_NAME_BYTES);
    memory.copy(one + LISTED_NAME, entry + ENTRY_NAME, bytes);
    used += length;
  }
  return used;
}

/** Offset of the first entry that does not lie before the cookie. */
function firstFrom(directory: u32, cookie: u32): u32 {
  const tail = load<u32>(directory, INODE_TAIL);
  if (cookie <= COOKIE_FIRST || tail == 0) return ENTRIES_AT;
  if (cookie >= tail) return tail;
  const start = cookie & ~(BLOCK_BYTES - 1);
  let offset = start == 0 ? ENTRIES_AT : start;
  while (offset < cookie) offset += load<u16>(at(directory, offset), ENTRY_BYTES);
  return offset;
}
