// The slab heap of a guest: size classes without headers, in spans of 64 KiB.
//
// Interface   boot() once; alloc(kind, bytes) returns an address, or 0 if memory.grow is refused;
//             free(address); resize(address, bytes) in place or not at all; usable(address). nextLive() walks
//             the live objects of a kind in address order. One guest thread calls all of these; a walk on a
//             snapshot sees the moment of the snapshot.
// Structure   A run is 1..7 adjacent spans cut into equal slots of one class, or one large object of any
//             length (spans.ts has the descriptors).
// Invariants  SLAB-1  A run is in its class's list if and only if it has a free slot and a live one.
//             SLAB-2  A run without live slots is freed at once: its spans serve any class.
//             SLAB-3  liveBytes is the sum of the class sizes of live slots and of the spans of large
//                     objects.
//             SLAB-4  The free slot with the lowest address is used first, so that memory stays dense; among
//                     partial runs the head of the list is used first. By construction.
//             SLAB-5  The end of a range is never computed: at 4 GiB it would be 0.
// Cost        alloc 4 loads and 3 stores if the head run has a free slot; a free touches the descriptor,
//             not the object, so that it dirties no page of the object.

import { CHECKED } from '../machine/checked';
import { CLASSES, classOf, sizeOfClass } from './size-class';
import {
  bootSpans,
  DESC_BITMAP,
  DESC_BITS,
  DESC_CLASS,
  DESC_KIND,
  DESC_LIVE,
  DESC_LOW,
  DESC_NEXT,
  DESC_PREV,
  DESC_STATE,
  descOf,
  extendRun,
  giveRun,
  meta,
  META_TABLES,
  RESERVE_SPANS,
  setRun,
  SPAN_BYTES,
  SPAN_SHIFT,
  spanCount,
  STATE_FREE,
  STATE_LARGE,
  STATE_SMALL,
  STATE_TAIL,
  takeRun,
} from './spans';

export { ensureSpans, freeBytes, hasRoom, heapBytes, SPAN_BYTES, SPAN_SHIFT } from './spans';

export const KINDS: u32 = 4;

const CLASS_BYTES: u32 = 16;
const CLASS_SIZE: u32 = 0; // u32, bytes of a slot
const CLASS_SLOTS: u32 = 4; // u32, slots of a run
const CLASS_SPANS: u32 = 8; // u32, spans of a run
const CLASS_FIRST: u32 = 12; // u32, offset of the first slot: the bitmap precedes it
/** The largest object that shares a run with others. */
const SMALL_MAX: u32 = 262144;
const INLINE_SLOTS: u32 = 64;
const RUN_SPANS_MAX: u32 = 7;

const POISON: u8 = 0xdd; // what a freed object contains, in checked builds

const TABLE_CLASSES: u32 = META_TABLES;
const TABLE_HEADS: u32 = TABLE_CLASSES + CLASSES * CLASS_BYTES;
const TABLE_BYTES: u32 = CLASSES * CLASS_BYTES + KINDS * CLASSES * 4;

let live: u64 = 0;

/** Takes memory from the guest's static data to the break; later memory is obtained by memory.grow. */
export function boot(): void {
  bootSpans(TABLE_BYTES);
  bootClasses();
}

function bootClasses(): void {
  for (let index: u32 = 0; index < CLASSES; index++) {
    const size = sizeOfClass(index);
    const at = meta + TABLE_CLASSES + index * CLASS_BYTES;
    let spans: u32 = 1;
    // A run may lose one part in 25 after its last slot.
    while (spans < RUN_SPANS_MAX && ((spans << SPAN_SHIFT) % size) * 25 > spans << SPAN_SHIFT)
      spans++;
    let slots = (spans << SPAN_SHIFT) / size;
    let first: u32 = 0;
    if (slots > INLINE_SLOTS) {
      first = (((slots + 63) >> 6) << 3) + 15;
      first &= ~15;
      slots = (SPAN_BYTES - first) / size;
    }
    store<u32>(at, size, CLASS_SIZE);
    store<u32>(at, slots, CLASS_SLOTS);
    store<u32>(at, spans, CLASS_SPANS);
    store<u32>(at, first, CLASS_FIRST);
  }
}


@inline
function classAt(index: u32): u32 {
  return meta + TABLE_CLASSES + index * CLASS_BYTES;
}


@inline
function headAt(kind: u32, index: u32): u32 {
  return meta + TABLE_HEADS + ((kind * CLASSES + index) << 2);
}

/** Bytes that an object of this size occupies. */
export function roundUp(bytes: u32): u32 {
  if (bytes <= SMALL_MAX) return load<u32>(classAt(classOf(bytes)), CLASS_SIZE);
  return spansFor(bytes) << SPAN_SHIFT;
}


@inline
function spansFor(bytes: u32): u32 {
  return ((bytes - 1) >> SPAN_SHIFT) + 1;
}

/** Bytes of all live objects, each rounded up to its class. */
@inline
export function liveBytes(): u64 {
  return live;
}

// --- Small objects -----------------------------------------------------------------------------------------

/** An object of at least `bytes` bytes, not zeroed, aligned to 8; 0 without memory. */
export function alloc(kind: u32, bytes: u32): u32 {
  if (bytes > SMALL_MAX) return allocLarge(kind, bytes);
  const index = classOf(bytes);
  const head = headAt(kind, index);
  let span = load<u32>(head);
  if (span == 0) {
    span = startRun(kind, index);
    if (span == 0) return 0;
  }
  const at = classAt(index);
  const desc = descOf(span);
  const bitmap = load<u32>(desc, DESC_BITMAP);
  let word = load<u32>(desc, DESC_LOW);
  let bits = load<u64>(bitmap + (word << 3));
  // At most 64 turns: SLAB-1 promises a free bit.
  while (bits == 0) bits = load<u64>(bitmap + (++word << 3));
  store<u64>(bitmap + (word << 3), bits & (bits - 1));
  if (word != load<u32>(desc, DESC_LOW)) store<u32>(desc, word, DESC_LOW);
  const count = load<u32>(desc, DESC_LIVE) + 1;
  store<u32>(desc, count, DESC_LIVE);
  const size = load<u32>(at, CLASS_SIZE);
  live += size;
  if (count == load<u32>(at, CLASS_SLOTS)) unlink(head, desc);
  return (span << SPAN_SHIFT) + load<u32>(at, CLASS_FIRST) + ((word << 6) + <u32>ctz(bits)) * size;
}

/** Frees an object. */
export function free(address: u32): void {
  let span = address >> SPAN_SHIFT;
  let desc = descOf(span);
  const state: u32 = load<u8>(desc, DESC_STATE);
  if (state == STATE_LARGE) return freeLarge(span, desc);
  if (CHECKED && state == STATE_FREE) unreachable(); // freed twice
  if (state == STATE_TAIL) {
    span = load<u32>(desc, DESC_LIVE);
    desc = descOf(span);
  }
  const index: u32 = load<u16>(desc, DESC_CLASS);
  const at = classAt(index);
  const size = load<u32>(at, CLASS_SIZE);
  const slot = (address - (span << SPAN_SHIFT) - load<u32>(at, CLASS_FIRST)) / size;
  const word = slot >> 6;
  const cell = load<u32>(desc, DESC_BITMAP) + (word << 3);
  const place: u64 = slot & 63;
  if (CHECKED) {
    const isObject = address == (span << SPAN_SHIFT) + load<u32>(at, CLASS_FIRST) + slot * size;
    const isLive = (load<u64>(cell) & ((<u64>1) << place)) == 0;
    if (load<u8>(desc, DESC_STATE) != STATE_SMALL || !isObject || !isLive) unreachable();
    memory.fill(address, POISON, size);
  }
  store<u64>(cell, load<u64>(cell) | ((<u64>1) << place));
  if (word < load<u32>(desc, DESC_LOW)) store<u32>(desc, word, DESC_LOW);
  live -= size;
  const count = load<u32>(desc, DESC_LIVE) - 1;
  store<u32>(desc, count, DESC_LIVE);
  const slots = load<u32>(at, CLASS_SLOTS);
  if (count != 0 && count + 1 != slots) return;
  const head = headAt(load<u8>(desc, DESC_KIND), index);
  if (count == 0) {
    if (slots != 1) unlink(head, desc);
    giveRun(span, load<u32>(at, CLASS_SPANS));
  } else link(head, span, desc);
}

/** Inserts a run that has a free slot again: before the head if its address is lower, else after it. */
function link(head: u32, span: u32, desc: u32): void {
  const first = load<u32>(head);
  let before: u32 = 0;
  let after = first;
  if (first != 0 && first < span) {
    before = first;
    after = load<u32>(descOf(first), DESC_NEXT);
  }
  store<u32>(desc, before, DESC_PREV);
  store<u32>(desc, after, DESC_NEXT);
  if (after != 0) store<u32>(descOf(after), span, DESC_PREV);
  if (before != 0) store<u32>(descOf(before), span, DESC_NEXT);
  else store<u32>(head, span);
}

function unlink(head: u32, desc: u32): void {
  const before = load<u32>(desc, DESC_PREV);
  const after = load<u32>(desc, DESC_NEXT);
  if (before != 0) store<u32>(descOf(before), after, DESC_NEXT);
  else store<u32>(head, after);
  if (after != 0) store<u32>(descOf(after), before, DESC_PREV);
}

function startRun(kind: u32, index: u32): u32 {
  const at = classAt(index);
  const spans = load<u32>(at, CLASS_SPANS);
  const span = takeRun(spans, 0);
  if (span == 0) return 0;
  const slots = load<u32>(at, CLASS_SLOTS);
  const desc = descOf(span);
  const bitmap = slots > INLINE_SLOTS ? span << SPAN_SHIFT : desc + DESC_BITS;
  setRun(span, spans, kind, STATE_SMALL);
  store<u16>(desc, <u16>index, DESC_CLASS);
  store<u32>(desc, bitmap, DESC_BITMAP);
  store<u32>(desc, 0, DESC_LIVE);
  store<u32>(desc, 0, DESC_LOW);
  for (let word: u32 = 0; word << 6 < slots; word++) {
    const rest = slots - (word << 6);
    const bits: u64 = rest >= 64 ? u64.MAX_VALUE : u64.MAX_VALUE >> (64 - rest);
    store<u64>(bitmap + (word << 3), bits);
  }
  link(headAt(kind, index), span, desc);
  return span;
}

// --- Large objects -----------------------------------------------------------------------------------------

function allocLarge(kind: u32, bytes: u32): u32 {
  const spans = spansFor(bytes);
  const span = takeRun(spans, RESERVE_SPANS);
  if (span == 0) return 0;
  setRun(span, spans, kind, STATE_LARGE);
  store<u32>(descOf(span), spans, DESC_LIVE);
  live += (<u64>spans) << SPAN_SHIFT;
  return span << SPAN_SHIFT;
}

function freeLarge(span: u32, desc: u32): void {
  if (CHECKED) memory.fill(span << SPAN_SHIFT, POISON, SPAN_BYTES);
  const spans = load<u32>(desc, DESC_LIVE);
  live -= (<u64>spans) << SPAN_SHIFT;
  giveRun(span, spans);
}

/** Bytes that fit in the object at this address. */
export function usable(address: u32): u32 {
  const desc = descOf(address >> SPAN_SHIFT);
  const state: u32 = load<u8>(desc, DESC_STATE);
  if (state == STATE_LARGE) return load<u32>(desc, DESC_LIVE) << SPAN_SHIFT;
  const owner = state == STATE_TAIL ? descOf(load<u32>(desc, DESC_LIVE)) : desc;
  return load<u32>(classAt(load<u16>(owner, DESC_CLASS)), CLASS_SIZE);
}

/** Changes the size of an object in place; false if its class or its neighbours do not allow it. */
export function resize(address: u32, bytes: u32): bool {
  const span = address >> SPAN_SHIFT;
  const desc = descOf(span);
  if (load<u8>(desc, DESC_STATE) != STATE_LARGE) return roundUp(bytes) == usable(address);
  if (bytes <= SMALL_MAX) return false;
  const old = load<u32>(desc, DESC_LIVE);
  const spans = spansFor(bytes);
  if (spans < old) giveRun(span + spans, old - spans);
  else if (!extendRun(span, old, spans)) return false;
  store<u32>(desc, spans, DESC_LIVE);
  live += ((<u64>spans) << SPAN_SHIFT) - ((<u64>old) << SPAN_SHIFT);
  return true;
}

// --- Walking -----------------------------------------------------------------------------------------------

/**
 * The first live object of a kind at or after an address, or 0. To continue, pass the object's address + 1.
 * Objects may be allocated and freed between calls; one that lives throughout is found exactly once.
 */
export function nextLive(kind: u32, from: u32): u32 {
  let span = from >> SPAN_SHIFT;
  const firstSpan = (meta >> SPAN_SHIFT) + 1;
  if (span < firstSpan) {
    span = firstSpan;
    from = span << SPAN_SHIFT;
  }
  if (span < spanCount && load<u8>(descOf(span), DESC_STATE) == STATE_TAIL) {
    span = load<u32>(descOf(span), DESC_LIVE);
  }
  while (span < spanCount) {
    // at most SPANS_MAX turns
    const desc = descOf(span);
    const state: u32 = load<u8>(desc, DESC_STATE);
    const isOurs = load<u8>(desc, DESC_KIND) == kind;
    if (state == STATE_SMALL) {
      if (isOurs) {
        const found = liveInRun(span, desc, from);
        if (found != 0) return found;
      }
      span += load<u32>(classAt(load<u16>(desc, DESC_CLASS)), CLASS_SPANS);
    } else if (state == STATE_LARGE) {
      if (isOurs && span << SPAN_SHIFT >= from) return span << SPAN_SHIFT;
      span += load<u32>(desc, DESC_LIVE);
    } else span++;
  }
  return 0;
}

function liveInRun(span: u32, desc: u32, from: u32): u32 {
  const at = classAt(load<u16>(desc, DESC_CLASS));
  const base = (span << SPAN_SHIFT) + load<u32>(at, CLASS_FIRST);
  const size = load<u32>(at, CLASS_SIZE);
  const slots = load<u32>(at, CLASS_SLOTS);
  const bitmap = load<u32>(desc, DESC_BITMAP);
  let slot: u32 = from > base ? (from - base + size - 1) / size : 0;
  while (slot < slots) {
    const place: u64 = slot & 63;
    const bits = ~load<u64>(bitmap + ((slot >> 6) << 3)) >> place;
    if (bits != 0) {
      slot += <u32>ctz(bits);
      return slot < slots ? base + slot * size : 0;
    }
    slot = (slot | 63) + 1;
  }
  return 0;
}
