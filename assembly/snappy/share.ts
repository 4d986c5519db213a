// Frames that several snapshots' tables own, because one is a fork of the other: weighted references.
//
// The frame's tag has its weight, the sum of what its entries have. An entry has a power of two, as an
// exponent in ENTRY_SHARE: 1 for 2^0, 21 for 2^20. A fork halves the parent's share and takes the other half,
// which leaves the tag alone. Only an entry that has 1 left asks the tag for more.
//
// Interface   split() for each entry that a fork copies (fork.ts); end() for one that a table gives up.
// Invariants  SHARE-1  A frame's weight is the sum of its entries' shares. It is freed when that is 0.
// Concurrency A share belongs to its snapshot: its vCPU changes it, or the forking vCPU while none runs.
//             The weight is atomic. Limbo frames (limbo.ts) use the same tag, and have no shares.
// Cost        The first split() of a frame is one store, the next 20 none; end() is one atomic instruction.

import { FRAMES_MAX, FRAME_SHIFT } from '../abi/limits';
import { ENTRY_OWNED, ENTRY_SHARE } from '../abi/snapshot-block';
import * as map from '../machine/map';

/** A share of 1. Of more, a split leaves one less in ENTRY_SHARE. */
const SHARE_ONE: u32 = 0x10;
const SHARE_SHIFT: u32 = 4; // log2 SHARE_ONE
/** What both have after a first split: 2^20. At most 2^11 entries lead to a frame. */
const SHARE_FIRST: u32 = 21 << SHARE_SHIFT;
const WEIGHT_FIRST: u32 = 1 << 20;

function tag(entry: u32, page: u32): u32 {
  return map.frameTag((page + (entry >> FRAME_SHIFT)) & (FRAMES_MAX - 1)); // as table.frameOf()
}

function weight(entry: u32): u32 {
  return 1 << (((entry & ENTRY_SHARE) >> SHARE_SHIFT) - 1);
}

/** What an entry becomes in both tables. */
export function split(entry: u32, page: u32): u32 {
  if (entry & ENTRY_OWNED) {
    store<u32>(tag(entry, page), 2 * WEIGHT_FIRST); // no other vCPU reads it before it sees a share
    return (entry ^ ENTRY_OWNED) | SHARE_FIRST;
  }
  const share = entry & ENTRY_SHARE;
  if (share == 0) return entry;
  if (share != SHARE_ONE) return entry - SHARE_ONE;
  atomic.add<u32>(tag(entry, page), 2 * WEIGHT_FIRST - 1);
  return (entry ^ SHARE_ONE) | SHARE_FIRST;
}

/** Whether none of four entries has a share of 1. */

@inline
export function areHalvable(entries: v128): bool {
  const shares = v128.and(entries, i32x4.splat(ENTRY_SHARE));
  return !v128.any_true(i32x4.eq(shares, i32x4.splat(SHARE_ONE)));
}

/** split() of four entries, of `page` and the pages after it, none of which has a share of 1. */

@inline
export function splitFour(entries: v128, page: u32): v128 {
  const shares = v128.and(entries, i32x4.splat(ENTRY_SHARE));
  const isShared = i32x4.ne(shares, i32x4.splat(0));
  const halved = i32x4.sub(entries, v128.and(isShared, i32x4.splat(SHARE_ONE)));
  const owned = v128.and(entries, i32x4.splat(ENTRY_OWNED));
  if (!v128.any_true(owned)) return halved;
  beginIfOwned(i32x4.extract_lane(entries, 0), page);
  beginIfOwned(i32x4.extract_lane(entries, 1), page + 1);
  beginIfOwned(i32x4.extract_lane(entries, 2), page + 2);
  beginIfOwned(i32x4.extract_lane(entries, 3), page + 3);
  const isOwned = i32x4.ne(owned, i32x4.splat(0));
  return v128.or(v128.xor(halved, owned), v128.and(isOwned, i32x4.splat(SHARE_FIRST)));
}

/** No other vCPU reads the tag before it sees an entry with a share. */

@inline
function beginIfOwned(entry: u32, page: u32): void {
  if (entry & ENTRY_OWNED) store<u32>(tag(entry, page), 2 * WEIGHT_FIRST);
}

/** Gives up a share; true if it was the last. */
export function end(entry: u32, page: u32): bool {
  const own = weight(entry);
  return atomic.sub<u32>(tag(entry, page), own) == own;
}

/** Whether no other table has a share. */
export function isLast(entry: u32, page: u32): bool {
  return atomic.load<u32>(tag(entry, page)) == weight(entry);
}
