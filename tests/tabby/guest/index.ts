// A guest for tests and benches of Tabby: pages of words, and ways to read and change them under the pool's rules.
//
// Layout of a page's content: word 0 is a count of changes, word 1 the page number, and words spread over the page
// repeat the count, so that a torn read shows.

import { SYS_OPEN } from '../../../assembly/abi/syscall';
import { syscall } from '../../../assembly/index';
import { pool, hash, linkage, storage } from '../../../assembly/linked';

const POOL: u32 = 1024; // guest memory: the word that holds the pool's address

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
}

export function create(frames: u32, descriptor: i32): i32 {
  const result = pool.create(POOL, frames, descriptor);
  return result == 0 ? pool.attach(POOL) : result;
}

/** For the vCPUs that did not create the pool. */
export function join(): i32 {
  return pool.attach(POOL);
}

export function checksum(address: u32, bytes: u32, seed: u64): u64 {
  return hash(address, bytes, seed);
}

export function put(address: u32, value: u32): void {
  store<u8>(address, <u8>value);
}

export function lastFailure(): i32 {
  return pool.failure;
}

/** Makes a page whose words are all `value`. */
export function createPage(page: u64, value: u32): i32 {
  const frame = pool.createPage(page);
  if (frame == 0) return -pool.failure;
  fill(frame, value);
  pool.release(frame);
  return 0;
}

function fill(frame: u32, value: u32): void {
  for (let at = storage.CONTENT; at < 4096; at += 4) store<u32>(frame + at, value);
}

/** The word that all of the page holds; -errno, or -1000 if words differ. */
export function readPage(page: u64): i32 {
  pool.begin();
  const frame = pool.shared(page);
  if (frame == 0) {
    pool.end();
    return -pool.failure;
  }
  const value = load<i32>(frame, storage.CONTENT);
  let same = true;
  for (let at = storage.CONTENT; at < 4096; at += 4) same = same && load<i32>(frame + at) == value;
  pool.releaseShared(frame);
  pool.end();
  return same ? value : -1000;
}

export function writePage(page: u64, value: u32): i32 {
  pool.begin();
  const frame = pool.exclusive(page);
  if (frame == 0) {
    pool.end();
    return -pool.failure;
  }
  fill(frame, value);
  pool.release(frame);
  pool.end();
  return 0;
}

export function discardPage(page: u64): i32 {
  const frame = pool.exclusive(page);
  if (frame == 0) return -pool.failure;
  pool.discard(frame);
  return 0;
}

export function writeBack(): i32 {
  return pool.writeBack();
}

export function isResident(page: u64): bool {
  return pool.isResident(page);
}

export function stat(which: u32): f64 {
  return <f64>pool.stat(which);
}

export function open(path: u32, bytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>path, bytes, flags, 0, 0);
}
