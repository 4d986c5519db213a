// Translation between page numbers and frames, in both directions. The only file of the pool that knows for
// which design it was compiled (designs/design.ts): each function is a compile-time choice, of which one line
// remains.
//
// Interface   A page's cell is the word that records its translation: its PTE, or a bucket of a hash table.
//             It says that the page is resident, that a vCPU has claimed it, or where it is in storage.
//             claim() makes this vCPU the one that loads the page; unclaim(), restore() and publish() end
//             that. Readers first use what their vCPU has cached: remembered() and names(), or, after
//             following a pointer, followed() and leads(); the header of the frame decides.
// Invariants  TAB-10 A PTE is LOCKED by the one vCPU that loads the page; others wait for the PTE.
// Cost        for Tabby: one load and a compare for remembered(); a TLB miss about 5 ns if the page is at
//             home or its PTE is in the walk cache.

import { PANIC_LATCH_NOT_HELD, PANIC_PTE, PANIC_SWIP } from '../abi/panic';
import { DESIGN, EAGER, HASHED, SWIZZLE, TABBY } from '../designs/design';
import * as hashTable from '../designs/hash-table';
import * as swips from '../designs/swips';
import { CHECKED, panic } from '../machine/checked';
import * as vcpu from '../machine/vcpu';
import * as pte from '../mmu/pte';
import * as shootdown from '../mmu/shootdown';
import * as tlb from '../mmu/tlb';
import * as walkCache from '../mmu/walk-cache';
import * as area from './area';
import * as counter from './counter';
import * as header from './header';

// --- the pool's regions ------------------------------------------------------------------------------------

/** Claims the memory that the design needs for a pool of `frames`; false without room. */
export function layout(block: u32, frames: u32): bool {
  if (!HASHED) return true;
  const table = hashTable.layout(frames);
  const links = DESIGN == SWIZZLE ? swips.layout(frames) : 0;
  store<u32>(block, table, area.HASH_TABLE);
  store<u32>(block, links, area.SWIP_LINKS);
  return table != 0 && (DESIGN != SWIZZLE || links != 0);
}

export function attach(): void {
  if (HASHED) hashTable.attach(load<u32>(area.block, area.HASH_TABLE));
  if (DESIGN == SWIZZLE) swips.attach(load<u32>(area.block, area.SWIP_LINKS));
  walkCache.attach(area.own + area.AREA_CACHES, area.root);
  tlb.attach(area.own + area.AREA_CACHES + walkCache.CACHE_BYTES);
}

// --- translations cached by a vCPU -------------------------------------------------------------------------

/** The TLB entry for the page; it may be another page's. */
@inline
export function remembered(page: u64): u64 {
  return HASHED ? 0 : load<u64>(tlb.at(page));
}

/** Whether the entry is for this page. */
@inline
export function names(entry: u64, page: u64): bool {
  return !HASHED && entry >> tlb.PAGE_SHIFT == page;
}

/** Like remembered(), for a value read from the cell at `swip`, which may be a swizzled pointer. */
@inline
export function followed(value: u64, swip: u32): u64 {
  return DESIGN == SWIZZLE ? swips.follow(value, swip) : remembered(value);
}

/** Like names(), for an entry of followed(). */
@inline
export function leads(entry: u64, value: u64): bool {
  return DESIGN == SWIZZLE || names(entry, value);
}

/** The frame of an entry of followed(). */
@inline
export function frameFollowed(entry: u64): u32 {
  return DESIGN == SWIZZLE ? <u32>entry : pte.frameOf(entry);
}

/** Whether a frame with header `now` holds the page that followed() found, and is not latched exclusively. */
@inline
export function isOpen(now: u64, entry: u64, value: u64): bool {
  if (DESIGN != SWIZZLE) return header.agrees(now, entry, header.CLOSED);
  const isRight = swips.isSwizzled(value) || (header.pageOf(now) == value && entry != 0);
  return isRight && (now & header.CLOSED) == 0;
}

/**
 * Whether a reader that followed `value` may use a frame with header `now`. If a swizzled pointer leads to a
 * frame whose page has left, the pointer has changed: its reader will detect that, and must not wait.
 */
@inline
export function mayRead(now: u64, value: u64): bool {
  if (DESIGN == SWIZZLE && swips.isSwizzled(value)) return header.stateOf(now) != header.EXCLUSIVE;
  return header.pageOf(now) == value && header.stateOf(now) < header.EXCLUSIVE;
}

/**
 * A reader of the cell at `swip`, in a page with header `over`, found the page in a frame with header `now`.
 */
@inline
export function arrivedBy(value: u64, swip: u32, over: u64, frame: u32, now: u64): void {
  if (DESIGN == SWIZZLE && !swips.isSwizzled(value)) swips.found(swip, over, frame, now);
}

/** The page number that a cell holds, or to which it leads if swizzled. */
@inline
export function numberIn(value: u32): u32 {
  if (DESIGN != SWIZZLE || !swips.isSwizzled(value)) return value;
  return <u32>header.pageOf(load<u64>(swips.frameOf(value)));
}

/** The frame in which the page probably is, without a fault; 0 if it is in storage. */
export function peek(value: u64): u32 {
  if (DESIGN == SWIZZLE && swips.isSwizzled(value)) return swips.frameOf(value);
  if (HASHED) return hashTable.find(value);
  const known = tlb.lookup(value);
  if (known != 0) return known;
  const entry = atomic.load<u64>(walkCache.entry(value));
  if ((entry & pte.PRESENT) == 0) return 0;
  tlb.fill(value, pte.frameOf(entry));
  return pte.frameOf(entry);
}

/** Caches where the page is. A different cached frame was refuted by its header. */
export function remember(page: u64, frame: u32): void {
  if (HASHED) return;
  const known = tlb.lookup(page);
  if (known != 0 && known != frame) counter.count(counter.STALE);
  tlb.fill(page, frame);
}

// --- faults ------------------------------------------------------------------------------------------------

/** The frame where the page is put if that is available; 0 = any frame. */
@inline
export function home(page: u64): u32 {
  return DESIGN == TABBY ? area.home(page) : 0;
}

/** A frame that may hold the page, found without its cell, to be checked by confirms(); 0 = none. */
@inline
export function guess(value: u64): u32 {
  if (DESIGN == SWIZZLE) return swips.isSwizzled(value) ? swips.frameOf(value) : 0;
  return home(value);
}

/** Whether guess() is right. TAB-1: a header that names the page is sufficient. */
@inline
export function confirms(frame: u32, page: u64): bool {
  if (DESIGN == SWIZZLE) return true;
  const now = load<u64>(frame);
  return header.pageOf(now) == page && header.stateOf(now) != header.INVALID;
}

/** Address of the page's cell; 0 if no frame is free for a page table. */
@inline
export function cellOf(page: u64): u32 {
  return HASHED ? hashTable.bucketOf(page) : walkCache.entry(page);
}

/** Current value of the page's cell. */
@inline
export function read(cell: u32, page: u64): u64 {
  return HASHED ? hashTable.findIn(cell, page) : atomic.load<u64>(cell);
}


@inline
export function isResident(entry: u64): bool {
  return HASHED ? entry != 0 : (entry & pte.PRESENT) != 0;
}

/**
 * Whether a vCPU is loading the page. A hash table already leads to the frame being loaded: there such a page
 * counts as resident.
 */
@inline
export function isClaimed(entry: u64): bool {
  return !HASHED && (entry & pte.LOCKED) != 0;
}

/** The frame of a resident page. */
@inline
export function frameIn(entry: u64): u32 {
  return HASHED ? <u32>entry : pte.frameOf(entry);
}

/** Slot in storage of a page that is not resident. */
@inline
export function slotIn(page: u64, entry: u64): u64 {
  return HASHED || entry == 0 ? page : pte.slotOf(entry);
}

/**
 * Makes this vCPU the one that loads the page, if the cell is still `entry`. The claim holds it (vcpu.hold).
 */
@inline
export function claim(cell: u32, entry: u64): bool {
  if (HASHED) return true;
  if (atomic.cmpxchg<u64>(cell, entry, entry | pte.LOCKED) != entry) return false;
  vcpu.hold();
  return true;
}

/** Ends the hold of claim(): the page is published, and its frame is unlatched or passed to the caller. */
@inline
export function letGo(): void {
  if (!HASHED) vcpu.letGo();
}

/** Releases a claim that got no frame: the cell gets its previous value. */
export function unclaim(cell: u32, entry: u64): void {
  if (HASHED) return;
  atomic.store<u64>(cell, entry);
  letGo();
}

/** Assigns the latched frame to the page: 0, or the frame of another vCPU that was faster. */
@inline
export function enter(page: u64, frame: u32): u32 {
  return HASHED ? hashTable.insert(page, frame) : 0;
}

/** Publishes the page in its latched frame: readers may find it. */
export function publish(page: u64, frame: u32, cell: u32, entry: u64): void {
  if (CHECKED && header.stateOf(load<u64>(frame)) != header.EXCLUSIVE) panic(PANIC_LATCH_NOT_HELD); // TAB-11
  if (HASHED) return;
  remember(page, frame);
  if (CHECKED && atomic.load<u64>(cell) != (entry | pte.LOCKED)) panic(PANIC_PTE); // TAB-10
  atomic.store<u64>(cell, pte.present(slotIn(page, entry), frame, pte.WRITABLE));
}

/** The page could not be loaded into the frame. TAB-12: it is in storage as before. */
export function restore(page: u64, frame: u32, cell: u32, entry: u64): void {
  if (HASHED) hashTable.remove(page, frame);
  else atomic.store<u64>(cell, entry);
  letGo();
}

// --- pages that leave --------------------------------------------------------------------------------------

/** The page has been latched to be changed. Returns whether that changed its header. */
@inline
export function exclusiveBegins(frame: u32): bool {
  return DESIGN == SWIZZLE && swips.restore(frame);
}

/** The page has been latched to be written to storage. */
@inline
export function writeBegins(frame: u32): void {
  if (DESIGN == SWIZZLE) swips.restore(frame);
}

/** One step of the clock towards eviction. Returns whether no other step is needed. */
@inline
export function cool(frame: u32): bool {
  return DESIGN != SWIZZLE || swips.cool(frame);
}

/** Whether the page of the latched frame can leave: no pointer leads to it. */
@inline
export function mayLeave(frame: u32): bool {
  return DESIGN != SWIZZLE || swips.isLoose(frame);
}

/** Slot in storage of a resident page. */
@inline
export function slotOf(page: u64): u64 {
  return HASHED ? page : pte.slotOf(atomic.load<u64>(walkCache.entry(page)));
}

/** Removes the page from its latched frame: to its slot in storage, or permanently. */
export function retract(page: u64, frame: u32, keepSlot: bool): void {
  if (CHECKED && !mayLeave(frame)) panic(PANIC_SWIP);
  if (HASHED) return hashTable.remove(page, frame);
  const cell = walkCache.entry(page);
  const entry = atomic.load<u64>(cell);
  if (CHECKED && ((entry & pte.PRESENT) == 0 || pte.frameOf(entry) != frame)) panic(PANIC_PTE);
  atomic.store<u64>(cell, keepSlot ? pte.absent(pte.slotOf(entry)) : 0);
  if (DESIGN == EAGER) shootdown.page(page);
}

/** Whether the page is resident. */
export function isMapped(page: u64): bool {
  if (HASHED) return hashTable.find(page) != 0;
  const cell = walkCache.existing(page);
  return cell != 0 && (atomic.load<u64>(cell) & pte.PRESENT) != 0;
}
