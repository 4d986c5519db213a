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
//   exclusive      invalid           | clock, pool.discard | clean or discarded, its PTE is already absent
//   invalid        exclusive         | fault               | by the vCPU that took the frame off the free list
//
// Interface   make() and accessors of the fields; swap(), put(), publish() and set() store a header, and
//             nothing else does.
// Invariants  TAB-1  A page is in at most one frame: the one whose header names it, to which its PTE leads.
//             TAB-2  The version belongs to the frame and never decreases: each release with a change, each
//                    eviction and each load advances it. If a frame has the same header at two moments,
//                    nothing changed between them.
//             TAB-3  Only the holder accesses the bytes of an invalid or exclusive frame; at every moment a
//                    frame of the pool is a header and a page, and nothing else.
// Concurrency 64-bit atomics, except that the holder of the exclusive state may use a plain store
//             (barrier.publish64).

import { PANIC_HEADER_STATE, PANIC_LATCH_NOT_HELD } from '../abi/panic';
import * as barrier from '../machine/barrier';
import { CHECKED, panic } from '../machine/checked';

/** 20 bits; checked test guests have 5, so that a version wraps within milliseconds. */
const VERSION_BITS: u64 = isDefined(RZ_TINY) ? 5 : 20;

export const VPN_SHIFT: u64 = 28;
export const VERSION_SHIFT: u64 = 8;
export const VERSION_ONE: u64 = 1 << 8;
export const VERSION_MASK: u64 = ((1 << VERSION_BITS) - 1) << 8;
export const STATE_MASK: u64 = 127;
const VPN_MASK: u64 = ~((1 << VPN_SHIFT) - 1);
export const SHARED_MAX: u64 = 63;
/** Bit that is set in the states exclusive and invalid, and in no other. */
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

/** The version, at its bit position. */
@inline
export function versionOf(header: u64): u64 {
  return header & VERSION_MASK;
}


@inline
export function isDirty(header: u64): bool {
  return (header & DIRTY) != 0;
}

/** Whether the header names the page of the TLB entry and has none of the bits `states`, in one test. */
@inline
export function agrees(header: u64, entry: u64, states: u64): bool {
  return ((header ^ entry) & (VPN_MASK | states)) == 0;
}

// --- storing a header: the checked build compares each step with the table above ---------------------------

/** Stores `to` if the header is still `from`. */
@inline
export function swap(frame: u32, from: u64, to: u64): bool {
  if (CHECKED) check(from, to);
  return atomic.cmpxchg<u64>(frame, from, to) == from;
}

/** For the holder, which keeps the latch. */
@inline
export function put(frame: u32, from: u64, to: u64): void {
  if (CHECKED) checkHeld(from, to);
  store<u64>(frame, to);
}

/** For the holder, which releases the latch: ordered after all of its stores to the page. */
@inline
export function publish(frame: u32, from: u64, to: u64): void {
  if (CHECKED) checkHeld(from, to);
  barrier.publish64(frame, to);
}

/** For the vCPU that alone owns the frame, while its page enters or leaves. */
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
    // 0: the frame was never used.
    if (before == INVALID || from == 0) return isNext || to == (from | EXCLUSIVE);
    return before == 0 && to == (from | EXCLUSIVE);
  }
  return after <= SHARED_MAX && before <= SHARED_MAX && (to == from + 1 || to == from - 1);
}
