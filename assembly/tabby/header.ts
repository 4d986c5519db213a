// The page header: the first 8 bytes of every frame of the pool (paper, Tabby).
//
//   bits 63..28  vpn: the page that the frame holds        bit 7       dirty
//   bits 27..8   version                                   bits 6..0   state
//
//   state        0 unlocked, 1..63 shared pins, 126 exclusive, 127 invalid: the frame holds no page
//
//   from           to                | function            | what must hold
//   unlocked       shared, exclusive | pool                | the header names the page that was asked for
//   shared n       shared n +- 1     | pool                |
//   exclusive      unlocked          | pool.release        | by the holder; the version moves if the page changed
//   unlocked       exclusive         | clock, write-back   | victim, or to be written
//   exclusive      invalid           | clock, pool.discard | clean or given up, its PTE is absent already
//   invalid        exclusive         | fault               | by the vCPU that took the frame off the free list
//
// Interface   make() and the readers of its parts; swap(), put(), publish() and set() store a header, and
//             nothing else does.
// Invariants  TAB-1  A page is in at most one frame: the one whose header names it, which its PTE leads to.
//             TAB-2  The version belongs to the frame and never goes back: each release with a change, each
//                    eviction and each load moves it on. One frame with one header at two moments: nothing
//                    happened between.
//             TAB-3  Bytes of an invalid or exclusive frame are nobody's but the holder's; a frame of the
//                    pool is at no moment anything but header and page.
// Concurrency 64-bit atomics, except that the holder of the exclusive state may store plainly
//             (barrier.publish).

import { PANIC_HEADER_STATE, PANIC_LATCH_NOT_HELD } from '../abi/panic';
import * as barrier from '../machine/barrier';
import { CHECKED, panic } from '../machine/checked';

/** Of 20 bits; the checked build has few, so that a version wraps within milliseconds. */
export const VERSION_BITS: u64 = isDefined(RZ_TINY) ? 5 : 20;

export const VPN_SHIFT: u64 = 28;
export const VERSION_SHIFT: u64 = 8;
export const VERSION_ONE: u64 = 1 << 8;
export const VERSION_MASK: u64 = ((1 << VERSION_BITS) - 1) << 8;
export const STATE_MASK: u64 = 127;
export const VPN_MASK: u64 = ~((1 << VPN_SHIFT) - 1);
export const SHARED_MAX: u64 = 63;
/** Set in the states exclusive and invalid, and in no other. */
export const CLOSED: u64 = 64;
export const EXCLUSIVE: u64 = 126;
export const INVALID: u64 = 127;
export const DIRTY: u64 = 128;


@inline
export function make(page: u64, version: u64, state: u64): u64 {
  return (page << VPN_SHIFT) | version | state;
}


@inline
export function pageOf(header: u64): u64 {
  return header >> VPN_SHIFT;
}


@inline
export function stateOf(header: u64): u64 {
  return header & STATE_MASK;
}

/** The version, in its place. */
@inline
export function versionOf(header: u64): u64 {
  return header & VERSION_MASK;
}


@inline
export function isDirty(header: u64): bool {
  return (header & DIRTY) != 0;
}

/**
 * Whether the header names the page that the TLB's entry does, and its state has none of these bits: both in
 * one test.
 */
@inline
export function agrees(header: u64, entry: u64, states: u64): bool {
  return ((header ^ entry) & (VPN_MASK | states)) == 0;
}

// --- storing a header: the checked build compares each step with the table above ---------------------------

/** Stores `to` if the header is `from` still. */
@inline
export function swap(frame: u32, from: u64, to: u64): bool {
  if (CHECKED) check(from, to);
  return atomic.cmpxchg<u64>(frame, from, to) == from;
}

/** By the holder, who keeps the latch. */
@inline
export function put(frame: u32, from: u64, to: u64): void {
  if (CHECKED) checkHeld(from, to);
  store<u64>(frame, to);
}

/** By the holder, who gives the latch up: after all of its stores to the page. */
@inline
export function publish(frame: u32, from: u64, to: u64): void {
  if (CHECKED) checkHeld(from, to);
  barrier.publish64(frame, to);
}

/** By the vCPU that alone has the frame: as its page enters or leaves. */
@inline
export function set(frame: u32, from: u64, to: u64): void {
  if (CHECKED) check(from, to);
  atomic.store<u64>(frame, to);
}

function checkHeld(from: u64, to: u64): void {
  if (stateOf(from) != EXCLUSIVE) panic(PANIC_LATCH_NOT_HELD);
  check(from, to);
}

/** Panics unless the table has a row from one header to the other. */
function check(from: u64, to: u64): void {
  if (!isStep(from, to)) panic(PANIC_HEADER_STATE);
}

function isStep(from: u64, to: u64): bool {
  const before = stateOf(from);
  const after = stateOf(to);
  const isNext = ((versionOf(to) - versionOf(from)) & VERSION_MASK) == VERSION_ONE;
  if (before == EXCLUSIVE) {
    const isSame = versionOf(from) == versionOf(to);
    const isEnd = after == 0 || after == EXCLUSIVE || after == INVALID;
    return isEnd && pageOf(from) == pageOf(to) && (isSame || isNext);
  }
  if (after == EXCLUSIVE) {
    if (before == INVALID || from == 0) return isNext || to == (from | EXCLUSIVE); // 0: the frame was never used
    return before == 0 && to == (from | EXCLUSIVE);
  }
  return after <= SHARED_MAX && before <= SHARED_MAX && (to == from + 1 || to == from - 1);
}
