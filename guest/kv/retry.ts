// Restarts of operations on the tree.
//
// Interface   judge() says what an unsuccessful attempt means; pause() before the next one.

import { ENOMEM } from '../../assembly/abi/errno';
import { pool, poolRetained, spinlock } from '../../assembly/linked';
import { FAILED, RETRY } from './descent';
import * as map from './memory-map';

/** Pins that fill the pool are released soon: an operation without pins retries this many times. */
const FULL_RETRIES: u32 = 200;
/**
 * Retries when pages cannot be written: the pages that the operation needs might evict each other forever.
 */
const STUCK_RETRIES: u32 = 50;

/** Ends an attempt before the next one, and waits briefly from the third restart on. */
export function pause(turn: u32): void {
  pool.end();
  if (turn > 2) spinlock.pause(turn * 8, map.STATE);
}

/**
 * What an unsuccessful attempt means. FAILED: RETRY while the pool is full only of pins, not of retained
 * pages. RETRY: an error where dirty pages cannot be written and the rest of the pool may be too small for a
 * path from root to leaf.
 */
export function judge(result: i32, turn: u32): i32 {
  if (result == FAILED) {
    const errno = pool.failure;
    return errno == ENOMEM && turn < FULL_RETRIES && !poolRetained.isPressed() ? RETRY : -errno;
  }
  if (result == RETRY && turn > STUCK_RETRIES && pool.writeFailure != 0) return -pool.writeFailure;
  return result;
}
