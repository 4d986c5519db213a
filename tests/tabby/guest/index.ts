// A guest for tests and benches of Tabby: pages of words, and ways to read and change them under the pool's
// rules.

import { SYS_OPEN } from '../../../assembly/abi/syscall';
import { syscall } from '../../../assembly/index';
import * as audits from './audit';
import * as cells from './cells';
import * as page from './page';
import * as stress from './stress';
import { hash, linkage, pool } from '../../../assembly/linked';

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

/** This vCPU is done with the pool. */
export function leavePool(): void {
  pool.detach();
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
export function createPage(number: u64, value: u32): i32 {
  const frame = pool.createPage(number);
  if (frame == 0) return -pool.failure;
  page.fill(frame, value);
  pool.release(frame);
  return 0;
}

/** The word that all of the page holds; -errno, or TORN. */
export function readPage(number: u64): i32 {
  pool.begin();
  const frame = pool.shared(number);
  if (frame == 0) {
    pool.end();
    return -pool.failure;
  }
  const value = page.readWords(frame, 0);
  pool.releaseShared(frame);
  pool.end();
  return value;
}

export function writePage(number: u64, value: u32): i32 {
  pool.begin();
  const frame = pool.exclusive(number);
  if (frame == 0) {
    pool.end();
    return -pool.failure;
  }
  page.fill(frame, value);
  pool.release(frame);
  pool.end();
  return 0;
}

/**
 * Adds one to the words of two pages that are pinned at the same time; the first pin ends first if `order` is
 * 0.
 */
export function addToBoth(a: u64, b: u64, order: u32): i32 {
  pool.begin();
  const first = pool.exclusive(a);
  const second = pool.exclusive(b);
  if (first == 0 || second == 0) return -pool.failure;
  page.fill(first, page.readWords(first, 0) + 1);
  page.fill(second, page.readWords(second, 0) + 1);
  pool.release(order == 0 ? first : second);
  pool.release(order == 0 ? second : first);
  pool.end();
  return 0;
}

/** Pins that outlive the call. */
export function pin(number: u64): i32 {
  return pool.shared(number) == 0 ? -pool.failure : 0;
}

export function unpin(number: u64): void {
  pool.releaseShared(pool.optimistic(number));
}

export function discardPage(number: u64): i32 {
  const frame = pool.exclusive(number);
  if (frame == 0) return -pool.failure;
  pool.discard(frame);
  return 0;
}

export function writeBack(): i32 {
  return pool.writeBack();
}

export function isResident(number: u64): bool {
  return pool.isResident(number);
}

export function stat(which: u32): f64 {
  return <f64>pool.stat(which);
}

export function open(path: u32, bytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>path, bytes, flags, 0, 0);
}

export function run(vcpu: u32, seed: u64, turns: u32, pages: u32, mode: u32): i32 {
  return stress.run(vcpu, seed, turns, pages, mode);
}

/** Parents behind the mayflies of stress.ts: pages with pointers. */
export function makeParents(pages: u32): i32 {
  return cells.make(pages + stress.MAYFLIES, pages);
}

export function swizzledCells(pages: u32): i32 {
  return cells.swizzled(pages + stress.MAYFLIES);
}

export function tally(number: u32): u32 {
  return atomic.load<u32>(stress.TALLY + (number << 2));
}

export function starved(): u32 {
  return stress.starved;
}
export function failed(): u32 {
  return stress.failed;
}
export function validated(): u32 {
  return stress.validated;
}
export function refuted(): u32 {
  return stress.refuted;
}

export function audit(pages: u64): i32 {
  return audits.audit(pages);
}

export {
  checksums,
  churn,
  exclusiveHot,
  faults,
  frameOf,
  makePages,
  nothing,
  operationsRandom,
  optimisticHot,
  optimisticRandom,
  rawHot,
  rawRandom,
  sharedHot,
  sharedRandom,
  swapHot,
} from './measure';
export {
  answer,
  askFor,
  callOne,
  callOthers,
  echoWords,
  enterHandlers,
  isAnswered,
  made,
  onCall,
  pingWords,
  roundTrips,
  serveUntil,
  served,
} from './calls';
export {
  askOthers,
  entryOf,
  fillTlb,
  joinCalls,
  lookUpTlb,
  mapPages,
  newTable,
  protectPages,
  remapPages,
  retire,
  serveCalls,
  shootDown,
  shootDownAll,
  translatePage,
  unmapPages,
  useTranslation,
} from './machine';
