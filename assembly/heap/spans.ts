// The spans of the heap: 64 KiB each, from the guest's static data to the break, free or part of a run.
//
// Interface   bootSpans() once, with the bytes of fixed tables that slab.ts wants at META_TABLES; takeRun()
//             and giveRun(), extendRun(); ensureSpans() and hasRoom() grow memory in advance. One guest
//             thread calls all of these.
// Structure   Spans have descriptors of 32 bytes in separate chunks of 64 KiB, 2048 in each:
//
//              0        4          6      7       8            12     16     20      24
//             [bitmap  |class     |kind  |state  |live / spans|prev  |next  |low    |bits           ]
//
//             bitmap  where the free bits are: `bits` for up to 64 slots, else the start of the run
//             live    slots in use of a small run; spans of a large one; index of the first span, in a tail
//             prev,   partial runs of the same kind and class, 0 = none
//             next
//             low     no word of the bitmap below this one has a free bit
// Invariants  SPAN-1  The free spans with the lowest addresses are used first, so that memory stays dense. By
//                     construction.

export const SPAN_SHIFT: u32 = 16;
export const SPAN_BYTES: u32 = 65536;
const SPANS_MAX: u32 = 65536;

const CHUNK_SHIFT: u32 = 11; // descriptors of 2048 spans in one chunk
const CHUNK_SPANS: u32 = 2048;
const DESC_SHIFT: u32 = 5;
export const DESC_BITMAP: u32 = 0;
export const DESC_CLASS: u32 = 4;
export const DESC_KIND: u32 = 6;
export const DESC_STATE: u32 = 7;
export const DESC_LIVE: u32 = 8;
export const DESC_PREV: u32 = 12;
export const DESC_NEXT: u32 = 16;
export const DESC_LOW: u32 = 20;
export const DESC_BITS: u32 = 24;

const STATE_OUTSIDE: u32 = 0; // not part of the heap
export const STATE_FREE: u32 = 1;
export const STATE_SMALL: u32 = 2;
export const STATE_LARGE: u32 = 3;
export const STATE_TAIL: u32 = 4;

// The fixed tables, at the start of the heap's first span.
const META_CHUNKS: u32 = 0; // 32 x u32, addresses of the descriptor chunks
const META_FREE: u32 = 128; // 65536 bits, 1 = the span is free
export const META_TABLES: u32 = META_FREE + SPANS_MAX / 8; // those of slab.ts

const GROW_SPANS: u32 = 16; // requested at once, so that growing is rare
/** Free spans that large objects leave to small ones, so that a refusal can still be reported. */
export const RESERVE_SPANS: u32 = 8;

export let meta: u32 = 0;
export let spanCount: u32 = 0; // spans below this index exist
let freeSpans: u32 = 0;
let lowSpan: u32 = 0; // no span below this index is free

/** Takes memory from the guest's static data to the break; later memory is obtained by memory.grow. */
export function bootSpans(tableBytes: u32): void {
  const first = <u32>((__heap_base + SPAN_BYTES - 1) >> SPAN_SHIFT);
  const have = <u32>memory.size();
  if (have < first + 2 && memory.grow(<i32>(first + 2 - have)) < 0) unreachable();
  meta = first << SPAN_SHIFT;
  memory.fill(meta, 0, META_TABLES + tableBytes);
  store<u32>(meta + ((first >> CHUNK_SHIFT) << 2), (first + 1) << SPAN_SHIFT, META_CHUNKS);
  memory.fill((first + 1) << SPAN_SHIFT, 0, SPAN_BYTES);
  spanCount = first + 2;
  lowSpan = spanCount;
  adopt(<u32>memory.size());
}


@inline
export function descOf(span: u32): u32 {
  return (
    load<u32>(meta + ((span >> CHUNK_SHIFT) << 2), META_CHUNKS) +
    ((span & (CHUNK_SPANS - 1)) << DESC_SHIFT)
  );
}

/** Bytes of memory that the heap has taken, free spans included. */
export function heapBytes(): u64 {
  return (<u64>(spanCount - (meta >> SPAN_SHIFT))) << SPAN_SHIFT;
}

/** Bytes of spans that hold no object. */
export function freeBytes(): u64 {
  return (<u64>freeSpans) << SPAN_SHIFT;
}

export function setRun(span: u32, spans: u32, kind: u32, state: u32): void {
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
export function takeRun(spans: u32, spare: u32): u32 {
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

/** Makes a run of `old` spans one of `wanted`, if those behind it are free and the reserve is left. */
export function extendRun(span: u32, old: u32, wanted: u32): bool {
  for (let i = old; i < wanted; i++) {
    if (span + i >= spanCount || !isFree(span + i)) return false;
  }
  if (freeSpans < wanted - old + RESERVE_SPANS) return false;
  for (let i = old; i < wanted; i++) {
    markTaken(span + i);
    setTail(span + i, span);
  }
  return true;
}

export function giveRun(span: u32, spans: u32): void {
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
