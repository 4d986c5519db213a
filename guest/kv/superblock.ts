// The superblocks, pages 0 and 1 of the file: written alternately, so that one is always valid.
//
//   0   header and checksum, like every page (assembly/tabby/storage.ts)
//   16  u64  magic "RINGZERO"        24  u32  format version        28  u32  bytes of a page
//   32  u64  sequence: the greater of two valid ones counts         40  u32  CLOSED, IN_USE or LOGGED
//   44  u32  allocation groups       48  u64  entries               56  u32  no page from this number on has ever been used
//   64  64 x u32 root pages, 0 = no tree                           320  u64  LOGGED: the log that belongs to it
//
// Interface   read() finds the newest, fills the store block and returns the state; isMissing() when there
//             never was one; compose() builds the next one in a frame, write(state) writes it and waits for
//             the device.
// Invariants  SUPER-1  A CLOSED store has every page on storage as it was left. A LOGGED one has them as of
//                      the last checkpoint, once the log's part of it is in its place (recovery.ts).

import { EBADMSG, EPROTO } from '../../assembly/abi/errno';
import { SYS_PREAD, SYS_SIZE, SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { poolArea, poolHeader, storage } from '../../assembly/linked';
import { GROUP_PAGES } from './allocator';
import * as map from './memory-map';

const MAGIC: u64 = 0x4f52455a474e4952; // "RINGZERO", little-endian
const VERSION: u32 = 1;
export const SUPERBLOCKS: u64 = 2;

const MAGIC_AT: u32 = 16;
const VERSION_AT: u32 = 24;
const PAGE_BYTES_AT: u32 = 28;
export const SEQUENCE_AT: u32 = 32;
const STATE_AT: u32 = 40;
const GROUPS_AT: u32 = 44;
const ENTRIES_AT: u32 = 48;
const HIGH_AT: u32 = 56;
const TREES_AT: u32 = 64;
const TREE_WORDS_BYTES: u32 = map.TREES_MAX * 4;
const LOG_ID_AT: u32 = 320;

export const IN_USE: i32 = 0;
export const CLOSED: i32 = 1;
export const LOGGED: i32 = 2;

/** Whether read() has found no data at all in either place. */
export let isBlank: bool = false;

/**
 * The state, or -EBADMSG when neither is valid, -EPROTO when the file is not a store, or has another format.
 */
export function read(): i32 {
  const frame = poolArea.scratch;
  let best: u64 = 0;
  let state: i32 = 0;
  let failure = -EBADMSG;
  let isStore = false;
  let isEmpty = true;
  for (let page: u64 = 0; page < SUPERBLOCKS; page++) {
    memory.fill(frame, 0, 4096);
    const got = storage.move(SYS_PREAD, load<i32>(map.STORAGE), frame, 4096, page);
    if (got < 0) return got;
    if (load<u64>(frame, MAGIC_AT) == MAGIC) isStore = true;
    if (!isZero(frame)) isEmpty = false;
    if (got != 4096 || storage.check(frame, page) != 0) continue;
    if (
      load<u64>(frame, MAGIC_AT) != MAGIC ||
      load<u32>(frame, VERSION_AT) != VERSION ||
      load<u32>(frame, PAGE_BYTES_AT) != 4096
    ) {
      failure = -EPROTO;
      continue;
    }
    const sequence = load<u64>(frame, SEQUENCE_AT);
    if (sequence < best) continue;
    best = sequence;
    state = load<i32>(frame, STATE_AT);
    store<u64>(map.SEQUENCE, sequence);
    store<u32>(map.GROUPS, load<u32>(frame, GROUPS_AT));
    store<i64>(map.ENTRIES, load<i64>(frame, ENTRIES_AT));
    const high = load<u32>(frame, HIGH_AT);
    store<u32>(map.HIGH, high != 0 ? high : load<u32>(map.GROUPS) * GROUP_PAGES);
    store<u64>(map.LOG_ID, load<u64>(frame, LOG_ID_AT));
    memory.copy(map.TREES, frame + TREES_AT, TREE_WORDS_BYTES);
  }
  isBlank = isEmpty;
  if (best != 0) return state;
  return isStore || isEmpty ? failure : -EPROTO;
}

function isZero(frame: u32): bool {
  for (let at: u32 = 0; at < 4096; at += 8) if (load<u64>(frame + at) != 0) return false;
  return true;
}

/** Stores the size of the file in map.WORD; 0 or -errno. */
function fileBytes(): i32 {
  return syscall(SYS_SIZE, load<i32>(map.STORAGE), map.WORD, 0, 0, 0);
}

/** Pages of an empty store: superblocks, a bitmap, a root. */
const PAGES_MIN: u64 = 4;

/**
 * Whether creation of the store was interrupted: its second superblock, page 0, was never written, and there
 * are only the first pages.
 */
export function isMissing(): bool {
  const frame = poolArea.scratch;
  if (fileBytes() < 0 || load<u64>(map.WORD) > PAGES_MIN * 4096) return false;
  memory.fill(frame, 0, 4096);
  if (storage.move(SYS_PREAD, load<i32>(map.STORAGE), frame, 4096, 0) < 0) return false;
  return isZero(frame);
}

/** Builds the page that the store block describes and returns it; the frame then has its storage format. */
export function compose(frame: u32, state: i32): u64 {
  const sequence = load<u64>(map.SEQUENCE) + 1;
  const page = sequence % SUPERBLOCKS;
  memory.fill(frame, 0, 4096);
  store<u64>(frame, poolHeader.make(page, 0, poolHeader.EXCLUSIVE));
  store<u64>(frame, MAGIC, MAGIC_AT);
  store<u32>(frame, VERSION, VERSION_AT);
  store<u32>(frame, 4096, PAGE_BYTES_AT);
  store<u64>(frame, sequence, SEQUENCE_AT);
  store<i32>(frame, state, STATE_AT);
  store<u32>(frame, load<u32>(map.GROUPS), GROUPS_AT);
  store<i64>(frame, map.entries(), ENTRIES_AT);
  store<u32>(frame, load<u32>(map.HIGH), HIGH_AT);
  store<u64>(frame, load<u64>(map.LOG_ID), LOG_ID_AT);
  memory.copy(frame + TREES_AT, map.TREES, TREE_WORDS_BYTES);
  storage.seal(frame, page);
  return page;
}

/** Writes what the store block says; 0 or -errno. */
export function write(state: i32): i32 {
  const frame = poolArea.scratch;
  const page = compose(frame, state);
  const result = storage.write(frame, page, page);
  if (result != 0) return result;
  store<u64>(map.SEQUENCE, load<u64>(map.SEQUENCE) + 1);
  return syscall(SYS_SYNC, load<i32>(map.STORAGE), 0, 0, 0, 0);
}
