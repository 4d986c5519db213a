// The slab heap of a guest: size classes without headers, in spans of 64 KiB.
//
// Interface   boot() once; alloc(kind, bytes) returns an address, or 0 if memory.grow is refused;
//             free(address); resize(address, bytes) in place or not at all; usable(address). nextLive() walks
//             the live objects of a kind in address order. One guest thread calls all of these; a walk on a
//             snapshot sees the moment of the snapshot.
// Structure   A run is 1..7 adjacent spans cut into equal slots of one class, or one large object of any
//             length. Spans have descriptors of 32 bytes in separate chunks of 64 KiB, 2048 in each:
//
//              0        4          6      7       8            12     16     20      24
//             [bitmap  |class     |kind  |state  |live / spans|prev  |next  |low    |bits           ]
//
//             bitmap  where the free bits are: `bits` for up to 64 slots, else the start of the run
//             live    slots in use of a small run; spans of a large one; index of the first span, in a tail
//             prev,   partial runs of the same kind and class, 0 = none
//             next
//             low     no word of the bitmap below this one has a free bit
// Invariants  SLAB-1  A run is in its class's list if and only if it has a free slot and a live one.
//             SLAB-2  A run without live slots is freed at once: its spans serve any class.
//             SLAB-3  liveBytes is the sum of the class sizes of live slots and of the spans of large
//                     objects.
//             SLAB-4  The free slot and the free span with the lowest address are used first, so that memory
//                     dense; among partial runs the head of the list goes first.
//             SLAB-5  The end of a range is never computed: at 4 GiB it would be 0.
// Cost        alloc 4 loads and 3 stores if the head run has a free slot; a free touches the descriptor,
//             not the object, so that it dirties no page of the object.

import { CHECKED } from '../machine/checked';
import { CLASSES, classOf, sizeOfClass } from './size-class';

export const SPAN_SHIFT: u32 = 16;
export const SPAN_BYTES: u32 = 65536;
export const KINDS: u32 = 4;

const CLASS_BYTES: u32 = 16;
const CLASS_SIZE: u32 = 0; // u32, bytes of a slot
const CLASS_SLOTS: u32 = 4; // u32, slots of a run
const CLASS_SPANS: u32 = 8; // u32, spans of a run
const CLASS_FIRST: u32 = 12; // u32, offset of the first slot: the bitmap precedes it
/** The largest object that shares a run with others. */
const SMALL_MAX: u32 = 262144;
const INLINE_SLOTS: u32 = 64;
const SPANS_MAX: u32 = 65536;
const RUN_SPANS_MAX: u32 = 7;

const CHUNK_SHIFT: u32 = 11; // descriptors of 2048 spans in one chunk
const CHUNK_SPANS: u32 = 2048;
const DESC_SHIFT: u32 = 5;
const DESC_BITMAP: u32 = 0;
const DESC_CLASS: u32 = 4;
const DESC_KIND: u32 = 6;
const DESC_STATE: u32 = 7;
const DESC_LIVE: u32 = 8;
const DESC_PREV: u32 = 12;
const DESC_NEXT: u32 = 16;
const DESC_LOW: u32 = 20;
const DESC_BITS: u32 = 24;

const POISON: u8 = 0xdd; // what a freed object contains, in checked builds

const STATE_OUTSIDE: u32 = 0; // not part of the heap
const STATE_FREE: u32 = 1;
const STATE_SMALL: u32 = 2;
const STATE_LARGE: u32 = 3;
const STATE_TAIL: u32 = 4;

// The fixed tables, at the start of the heap's first span.
const META_CHUNKS: u32 = 0; // 32 x u32, addresses of the descriptor chunks
const META_FREE: u32 = 128; // 65536 bits, 1 = the span is free
const META_CLASSES: u32 = META_FREE + SPANS_MAX / 8;
const META_HEADS: u32 = META_CLASSES + CLASSES * CLASS_BYTES;
const META_BYTES: u32 = META_HEADS + KINDS * CLASSES * 4;

const GROW_SPANS: u32 = 16; // requested at once, so that growing is rare
/** Free spans that large objects leave to small ones, so that a refusal can still be reported. */
const RESERVE_SPANS: u32 = 8;

let meta: u32 = 0;
let spanCount: u32 = 0; // spans below this index exist
let freeSpans: u32 = 0;
let lowSpan: u32 = 0; // no span below this index is free
let live: u64 = 0;

/** Takes memory from the guest's static data to the break; later memory is obtained by memory.grow. */
export function boot(): void {
  const first = <u32>((__heap_base + SPAN_BYTES - 1) >> SPAN_SHIFT);
  const have = <u32>memory.size();
  if (have < first + 2 && memory.grow(<i32>(first + 2 - have)) < 0) unreachable();
  meta = first << SPAN_SHIFT;
  memory.fill(meta, 0, META_BYTES);
  store<u32>(meta + ((first >> CHUNK_SHIFT) << 2), (first + 1) << SPAN_SHIFT, META_CHUNKS);
  memory.fill((first + 1) << SPAN_SHIFT, 0, SPAN_BYTES);
  spanCount = first + 2;
  lowSpan = spanCount;
  bootClasses();
  adopt(<u32>memory.size());
}

function bootClasses(): void {
  for (let index: u32 = 0; index < CLASSES; index++) {
    const size = sizeOfClass(index);
    const at = meta + META_CLASSES + index * CLASS_BYTES;
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
  return meta + META_CLASSES + index * CLASS_BYTES;
}


@inline
function headAt(kind: u32, index: u32): u32 {
  return meta + META_HEADS + ((kind * CLASSES + index) << 2);
}


@inline
function descOf(span: u32): u32 {
  return (
    load<u32>(meta + ((span >> CHUNK_SHIFT) << 2), META_CHUNKS) +
    ((span & (CHUNK_SPANS - 1)) << DESC_SHIFT)
  );
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

/** Bytes of memory that the heap has taken, free spans included. */
export function heapBytes(): u64 {
  return (<u64>(spanCount - (meta >> SPAN_SHIFT))) << SPAN_SHIFT;
}

/** Bytes of spans that hold no object. */
export function freeBytes(): u64 {
  return (<u64>freeSpans) << SPAN_SHIFT;
}

// --- Small objects -----------------------------------------------------------------------------------------

/** An object of at least `bytes` bytes, not zeroed, aligned to 8; 0 if there is no memory. */
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

function setRun(span: u32, spans: u32, kind: u32, state: u32): void {
  const desc = descOf(span);
  store<u8>(desc, <u8>kind, DESC_KIND);
  store<u8>(desc, <u8>state, DESC_STATE);
  for (let i: u32 = 1; i < spans; i++) setTail(span + i, span);
}

function setTail(span: u32, first: u32): void {
  const tail = descOf(span);
  store<u8>(tail, <u8>STATE_TAIL, DESC_STATE);
  store<u32>(tail, first, DESC_LIVE);
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
  else {
    for (let i = old; i < spans; i++) {
      if (span + i >= spanCount || !isFree(span + i)) return false;
    }
    if (freeSpans < spans - old + RESERVE_SPANS) return false;
    for (let i = old; i < spans; i++) {
      markTaken(span + i);
      setTail(span + i, span);
    }
  }
  store<u32>(desc, spans, DESC_LIVE);
  live += ((<u64>spans) << SPAN_SHIFT) - ((<u64>old) << SPAN_SHIFT);
  return true;
}

// --- Spans -------------------------------------------------------------------------------------------------

@inline
function isFree(span: u32): bool {
  return (load<u8>(meta + (span >> 3), META_FREE) & (1 << (span & 7))) != 0;
}

function markTaken(span: u32): void {
  const at = meta + (span >> 3);
  store<u8>(at, load<u8>(at, META_FREE) & ~(<u8>((<u32>1) << (span & 7))), META_FREE);
  freeSpans--;
}

function markFree(span: u32): void {
  const at = meta + (span >> 3);
  store<u8>(at, load<u8>(at, META_FREE) | (<u8>((<u32>1) << (span & 7))), META_FREE);
  store<u8>(descOf(span), <u8>STATE_FREE, DESC_STATE);
  freeSpans++;
}

/** The lowest run of free spans; grows the memory if there is none. `spare` free spans must be left. */
function takeRun(spans: u32, spare: u32): u32 {
  if (freeSpans < spans + spare && !ensureSpans(spans + spare)) return 0;
  let span = findRun(spans);
  // Enough free spans, but not adjacent: new ones are, except one that may be used for descriptors.
  for (let turn = 0; span == 0 && turn < 2; turn++) {
    if (!growBy(spans)) return 0;
    span = findRun(spans);
  }
  if (span == 0) return 0;
  for (let i: u32 = 0; i < spans; i++) markTaken(span + i);
  if (span == lowSpan) lowSpan = span + spans;
  return span;
}

function findRun(spans: u32): u32 {
  let length: u32 = 0;
  let span = lowSpan;
  while (span < spanCount) {
    // at most SPANS_MAX turns
    if ((span & 63) == 0 && load<u64>(meta + (span >> 3), META_FREE) == 0) {
      length = 0;
      span += 64;
      continue;
    }
    if (!isFree(span)) length = 0;
    else {
      if (length == 0 && spans == 1) {
        lowSpan = span;
        return span;
      }
      if (++length == spans) return span + 1 - spans;
    }
    span++;
  }
  return 0;
}

function giveRun(span: u32, spans: u32): void {
  for (let i: u32 = 0; i < spans; i++) markFree(span + i);
  if (span < lowSpan) lowSpan = span;
}

/** Whether at least `spans` spans are free, after growing if necessary. */
export function ensureSpans(spans: u32): bool {
  if (freeSpans >= spans) return true;
  const missing = spans - freeSpans;
  return growBy(missing < GROW_SPANS ? GROW_SPANS : missing) || growBy(missing);
}

/** Whether objects of `bytes` bytes in total can be expected to fit, with the reserve left over. */
@inline
export function hasRoom(bytes: u32): bool {
  const spans = (bytes >> SPAN_SHIFT) + RESERVE_SPANS;
  return freeSpans >= spans || ensureSpans(spans);
}

function growBy(spans: u32): bool {
  if (spans > SPANS_MAX - <u32>memory.size()) return false;
  const old = memory.grow(<i32>spans);
  if (old < 0) return false;
  adopt(<u32>old + spans);
  return true;
}

/** Takes the spans up to `end` into the heap. */
function adopt(end: u32): void {
  for (; spanCount < end; spanCount++) {
    const chunk = meta + ((spanCount >> CHUNK_SHIFT) << 2);
    if (load<u32>(chunk, META_CHUNKS) != 0) markFree(spanCount);
    else if (addChunk(chunk)) markFree(spanCount);
  }
}

/**
 * Creates descriptors for the chunk that starts at span `spanCount`; false if that span itself holds them.
 */
function addChunk(chunk: u32): bool {
  // A free span at a lower address is better: this one may become the middle of a large object.
  const span = freeSpans == 0 ? 0 : findRun(1);
  const at = (span == 0 ? spanCount : span) << SPAN_SHIFT;
  if (span != 0) {
    markTaken(span);
    store<u8>(descOf(span), <u8>STATE_OUTSIDE, DESC_STATE);
    lowSpan = span + 1;
  }
  memory.fill(at, 0, SPAN_BYTES);
  store<u32>(chunk, at, META_CHUNKS);
  return span != 0;
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
