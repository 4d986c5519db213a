// A node of the B+-tree: one page, slotted, with prefix truncation and key heads in the slots.
//
//   0   u64 x 2  header and checksum, the pool's              16  u8   level, 0 = leaf
//   18  u16  records                                          20  u16  start of the heap: lowest byte used by records
//   22  u16  bytes of the heap that no record uses            24  u16  prefix bytes
//   26  u16  low fence bytes     28  u16  its offset          30  u16  high fence bytes, NO_FENCE = unbounded
//   32  u16  its offset          36  u32  page of the last child (inner nodes)
//   48  slots, 8 bytes each: u32 head, u16 offset, u16 bytes of the key after the prefix
//   ..  heap, from the end of the page downwards
//
//   record of a leaf:        u16 value bytes or OVERFLOW, key after the prefix, value (or u32 bytes, u32 first page)
//   record of an inner node: u32 page of the child, key after the prefix
//
// A node covers the keys from its low fence up to, and not including, its high fence. They all begin with the
// prefix, the common prefix of both fences. Child i of an inner node covers keys below key i; the last child
// the rest. A head is the first four bytes after the prefix, big-endian, zero-filled: most comparisons end
// there.
//
// Interface   find() is safe on a page that changes during the call: every offset and length is bounded, so
//             its result may be wrong but it terminates and accesses nothing beyond memory. The others need
//             the page pinned exclusively.
// Invariants  NODE-1  Keys ascend strictly, and lie between the fences.
//             NODE-2  Bytes from the heap start to the end of the page = records + fences + garbage.

export const PAGE_BYTES: u32 = 4096;
export const LEVEL: u32 = 16;
export const COUNT: u32 = 18;
export const HEAP: u32 = 20;
export const GARBAGE: u32 = 22;
export const PREFIX: u32 = 24;
export const LOW_BYTES: u32 = 26;
export const LOW_AT: u32 = 28;
export const HIGH_BYTES: u32 = 30;
export const HIGH_AT: u32 = 32;
export const LAST_CHILD: u32 = 36;
export const SLOTS: u32 = 48;
export const SLOT_BYTES: u32 = 8;
export const NO_FENCE: u32 = 0xffff;
export const OVERFLOW: u32 = 0xffff;
export const RECORD_HEAD: u32 = 2;
export const CHILD_BYTES: u32 = 4;
export const OVERFLOW_BYTES: u32 = 8;
export const KEY_BYTES_MAX: u32 = 1024;
/**
 * A value that would make its record longer than this goes to overflow pages, unless the value is not longer
 * than the reference to them.
 */
export const INLINE_MAX: u32 = 1016;

export const OFFSET_MASK: u32 = PAGE_BYTES - 1;
const COUNT_MAX: u32 = (PAGE_BYTES - SLOTS) / SLOT_BYTES;

/** Set by find(): index of the first key not below, and whether it is equal. */
export let index: u32 = 0;
export let isEqual: bool = false;

/** Keeps loads that only prefetch from being optimised away. */
let touched: u32 = 0;

// --- fields, safe on any bytes -----------------------------------------------------------------------------

@inline
export function level(node: u32): u32 {
  return load<u8>(node, LEVEL);
}


@inline
export function count(node: u32): u32 {
  return min<u32>(load<u16>(node, COUNT), COUNT_MAX);
}


@inline
export function slot(node: u32, i: u32): u32 {
  return node + SLOTS + (i << 3);
}

/** Address of a slot's record. */
@inline
export function recordAt(node: u32, i: u32): u32 {
  return node + ((<u32>load<u16>(slot(node, i), 4)) & OFFSET_MASK);
}

/** Bytes of a slot's key after the prefix. */
@inline
export function suffixBytes(node: u32, i: u32): u32 {
  return min<u32>(load<u16>(slot(node, i), 6), KEY_BYTES_MAX);
}


@inline
export function prefixBytes(node: u32): u32 {
  return min<u32>(load<u16>(node, PREFIX), KEY_BYTES_MAX);
}

/** Address of the prefix: the low fence begins with it. */
@inline
export function prefixAt(node: u32): u32 {
  return node + ((<u32>load<u16>(node, LOW_AT)) & OFFSET_MASK);
}


@inline
export function keyOffset(node: u32): u32 {
  return level(node) == 0 ? RECORD_HEAD : CHILD_BYTES;
}

/** Address of the cell with the page number of child i; i = count is the last. */
@inline
export function childCell(node: u32, i: u32): u32 {
  return i >= count(node) ? node + LAST_CHILD : recordAt(node, i);
}

/**
 * Page of child i, in a node that is pinned exclusively. Other callers decode the cell with pool.numberIn().
 */
@inline
export function child(node: u32, i: u32): u32 {
  return load<u32>(childCell(node, i));
}

/** Bytes of record i, without its slot. */
export function recordBytes(node: u32, i: u32): u32 {
  const key = suffixBytes(node, i);
  if (level(node) != 0) return CHILD_BYTES + key;
  const value = <u32>load<u16>(recordAt(node, i));
  return RECORD_HEAD + key + (value == OVERFLOW ? OVERFLOW_BYTES : value);
}


@inline
export function lowAt(node: u32): u32 {
  return node + ((<u32>load<u16>(node, LOW_AT)) & OFFSET_MASK);
}


@inline
export function lowBytes(node: u32): u32 {
  return load<u16>(node, LOW_BYTES);
}


@inline
export function highAt(node: u32): u32 {
  return node + ((<u32>load<u16>(node, HIGH_AT)) & OFFSET_MASK);
}


@inline
export function highBytes(node: u32): u32 {
  return load<u16>(node, HIGH_BYTES);
}

/** Copies the whole key of slot i to `target`; returns its length. */
export function copyKey(node: u32, i: u32, target: u32): u32 {
  const prefix = prefixBytes(node);
  const rest = suffixBytes(node, i);
  memory.copy(target, prefixAt(node), prefix);
  memory.copy(target + prefix, recordAt(node, i) + keyOffset(node), rest);
  return prefix + rest;
}

// --- comparing ---------------------------------------------------------------------------------------------

/** The first four of `bytes` bytes, as a number with the same order. */
@inline
export function headOf(key: u32, bytes: u32): u32 {
  if (bytes >= 4) return bswap<u32>(load<u32>(key));
  let head: u32 = 0;
  if (bytes > 0) head = (<u32>load<u8>(key)) << 24;
  if (bytes > 1) head |= (<u32>load<u8>(key, 1)) << 16;
  if (bytes > 2) head |= (<u32>load<u8>(key, 2)) << 8;
  return head;
}

/** Sign of a - b, as byte strings. */
export function compare(a: u32, aBytes: u32, b: u32, bBytes: u32): i32 {
  const shared = min<u32>(aBytes, bBytes);
  let i: u32 = 0;
  for (; i + 8 <= shared; i += 8) {
    const x = load<u64>(a + i);
    const y = load<u64>(b + i);
    if (x != y) return bswap<u64>(x) < bswap<u64>(y) ? -1 : 1;
  }
  for (; i < shared; i++) {
    const x = load<u8>(a + i);
    const y = load<u8>(b + i);
    if (x != y) return x < y ? -1 : 1;
  }
  return aBytes == bBytes ? 0 : aBytes < bBytes ? -1 : 1;
}

/** Length of the common prefix. */
export function common(a: u32, aBytes: u32, b: u32, bBytes: u32): u32 {
  const most = min<u32>(aBytes, bBytes);
  let i: u32 = 0;
  while (i < most && load<u8>(a + i) == load<u8>(b + i)) i++;
  return i;
}

/** Index of the first slot of [low, low + length) whose head is not below `head`. */
@inline
function firstHead(node: u32, low: u32, length: u32, head: u32): u32 {
  let at = slot(node, low);
  while (length > 1) {
    const half = length >> 1;
    at = select<u32>(at + (half << 3), at, load<u32>(at + ((half - 1) << 3)) < head);
    length -= half;
  }
  at += u32(length == 1 && load<u32>(at) < head) << 3;
  return (at - node - SLOTS) >> 3;
}

/** Sets `index` and `isEqual` for a key. */
export function find(node: u32, key: u32, bytes: u32): void {
  // A leaf's first lines are fetched together with its header: their addresses do not depend on it.
  touched = load<u32>(node + 64) | load<u32>(node + 128) | load<u32>(node + 192);
  const records = count(node);
  const prefix = min<u32>(prefixBytes(node), bytes);
  const suffix = key + prefix;
  const rest = bytes - prefix;
  const head = headOf(suffix, rest);
  let low = firstHead(node, 0, records, head);
  isEqual = false;
  if (low < records && load<u32>(slot(node, low)) == head)
    low = amongEqualHeads(node, low, records, head, suffix, rest);
  index = low;
}

/** As find(), for a key that is likely to be above all others. */
export function findFromEnd(node: u32, key: u32, bytes: u32): void {
  const records = count(node);
  if (records != 0 && bytes >= prefixBytes(node)) {
    const prefix = prefixBytes(node);
    const last = recordAt(node, records - 1) + keyOffset(node);
    if (compare(last, suffixBytes(node, records - 1), key + prefix, bytes - prefix) < 0) {
      index = records;
      isEqual = false;
      return;
    }
  }
  find(node, key, bytes);
}

/**
 * Sign of key `i` - suffix, whose heads are equal: short keys differ in their lengths, without their record.
 */
@inline
function compareTail(node: u32, i: u32, at: u32, suffix: u32, rest: u32): i32 {
  const bytes = suffixBytes(node, i);
  if (bytes <= 4 || rest <= 4) return <i32>min<u32>(bytes, 5) - <i32>min<u32>(rest, 5);
  return compare(recordAt(node, i) + at + 4, bytes - 4, suffix + 4, rest - 4);
}

/** Binary search by whole keys among the slots from `low` that have this head. */
function amongEqualHeads(
  node: u32,
  from: u32,
  records: u32,
  head: u32,
  suffix: u32,
  rest: u32,
): u32 {
  const at = keyOffset(node);
  let low = from;
  let high = from + 1;
  while (high < records && load<u32>(slot(node, high)) == head) {
    // doubling: at most 9 iterations
    low = high;
    high = min<u32>(records, high + (high - from) + 1);
  }
  // Every slot before `low` has the head, and so may slots up to `high`.
  low = from;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(slot(node, middle)) != head) {
      high = middle;
      continue;
    }
    const order = compareTail(node, middle, at, suffix, rest);
    if (order == 0) {
      isEqual = true;
      return middle;
    }
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the key is between the fences. */
export function covers(node: u32, key: u32, bytes: u32): bool {
  if (compare(key, bytes, lowAt(node), lowBytes(node)) < 0) return false;
  const high = highBytes(node);
  return high == NO_FENCE || compare(key, bytes, highAt(node), high) < 0;
}
