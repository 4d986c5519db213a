// The write fault: the first store to a page in an epoch.
//
//   1. wait until every running vCPU has acknowledged this epoch        (EPOCH-2)
//   2. lock the page: its byte in the epoch table becomes PAGE_LOCKED   (one winner, the others wait)
//   3. copy the old content and publish it in the snapshots that see it (SNAP-3)
//   4. fence, mark the page with the view, fence; then the store happens (SNAP-4)
//
// Interface   A failed write check calls fault(); faultRange() serves bulk instructions and system calls.
//             Both return with the pages writable, or trap.
// Invariants  SNAP-3  A snapshot that sees a page and has no entry for it finds the right content in main
//                     memory.
//             SNAP-4  The entry is visible before the mark, the mark before the store: a reader that read
//                     main memory too late finds the entry when it checks again (copyView).
//             SNAP-5  A store never waits for a snapshot, and never fails because of one: if there is no
//                     frame, the snapshot is lost (snapshot.lose) and the store continues.
//             SNAP-8  A page that a snapshot does not have, because the guest grew later, reads as zero
//                     there: it gets the zero frame before the guest's first store to it.
//             SNAP-7  No answer of the guest makes a page writable. Its answers, and their effects:
//                     - the page-fault handler (slot 32) says "handled": break and epoch are checked again,
//                       and the store traps unless the page is now guest memory (outside);
//                     - the system-call handler (slot 33): its result goes to the guest alone. The host
//                       checks every address from a guest before it writes there (transfer.ts);
//                     - an interrupt handler has no answer. It may end the epoch, so the main image's poll
//                       makes the pages of the interrupted code writable again;
//                     - allocators that glue calls: faultRange() makes what they return writable, or traps.
//                     A page-fault handler takes no snapshot and adopts no epoch (vcpu.freeze): the code that
//                     faulted continues with pages that it made writable before.
// Concurrency faultBegin/faultEnd bracket every use of VM_ACTIVE: a released snapshot is cleared only after
//             all faults that may have seen it have ended (snapshot.release).
// Cost        about 50 ns without a snapshot; with one, the copy of a frame, some 0.5 us if warm. Paper, 4.1.

import { COUNTER_COPIES, COUNTER_FAULTS } from '../abi/counter';
import { FRAME_BYTES, FRAME_SHIFT, PAGE_LOCKED } from '../abi/limits';
import { PANIC_EPOCH_UNSETTLED, PANIC_PAGE_NOT_LOCKED, PANIC_SNAPSHOT_STATE } from '../abi/panic';
import {
  ENTRY_OWNED,
  ENTRY_PRESENT,
  SNAPSHOT_BREAK,
  SNAPSHOT_EPOCH,
  SNAPSHOT_FRAMES,
} from '../abi/snapshot-block';
import { TRAP_OUTSIDE, VCPU_EPOCH, VCPU_VIEW } from '../abi/vcpu-block';
import { VM_ACTIVE, VM_GUARD, VM_SETTLED } from '../abi/vm-block';
import * as fileMemory from '../kernel/file-memory';
import * as frames from '../kernel/frames';
import * as guestMemory from '../kernel/guest-memory';
import * as trap from '../kernel/trap';
import { loadFence, storeFence } from '../machine/barrier';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import { pause } from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as epoch from './epoch';
import * as limbo from './limbo';
import * as snapshot from './snapshot';
import * as table from './table';

/** Makes the page of `address` writable in this vCPU's epoch. */
export function fault(address: u32): void {
  const page = address >> FRAME_SHIFT;
  if (!isWritable(page)) outside(address, page);
  makeWritable(page);
}

/** The same for code of the file system: also pages of file memory. */
export function fileFault(address: u32): void {
  const page = address >> FRAME_SHIFT;
  if (!isWritable(page) && !fileMemory.has(page)) vcpu.trap(TRAP_OUTSIDE, address);
  makeWritable(page);
}

function makeWritable(page: u32): void {
  vcpu.count(COUNTER_FAULTS);
  const mine = load<u32>(vcpu.block, VCPU_EPOCH);
  epoch.settle(mine);
  vcpu.faultBegin();
  if (lock(page)) {
    const active = atomic.load<u32>(map.vm, VM_ACTIVE);
    if (active != 0) preserve(page, active, mine);
    mark(page, mine);
  }
  vcpu.faultEnd();
}

/** Makes every page of a range writable. A range beyond VM memory is left to the instruction, which traps. */
export function faultRange(address: u32, bytes: u32): void {
  if (bytes == 0) return;
  const last = (<u64>address + <u64>bytes - 1) >> FRAME_SHIFT;
  if (last >= <u64>map.frameCount) return;
  const view = <u8>load<u32>(vcpu.block, VCPU_VIEW);
  for (let page = address >> FRAME_SHIFT; page <= <u32>last; page++) {
    if (load<u8>(map.epochs + page) != view)
      fault(page == address >> FRAME_SHIFT ? address : page << FRAME_SHIFT);
  }
}

/** Like faultRange(), for code of the file system. */
export function fileFaultRange(address: u32, bytes: u32): void {
  if (bytes == 0) return;
  const last = (<u64>address + <u64>bytes - 1) >> FRAME_SHIFT;
  if (last >= <u64>map.frameCount) return;
  const view = <u8>load<u32>(vcpu.block, VCPU_VIEW);
  for (let page = address >> FRAME_SHIFT; page <= <u32>last; page++)
    if (load<u8>(map.epochs + page) != view) fileFault(page << FRAME_SHIFT);
}

function isWritable(page: u32): bool {
  return page < guestMemory.breakPage() && page >= load<u32>(map.vm, VM_GUARD);
}

/**
 * The page is not guest memory; the guest's handler may grow it. Returns if it now is guest memory (SNAP-7).
 */
function outside(address: u32, page: u32): void {
  const epoch = load<u32>(vcpu.block, VCPU_EPOCH);
  const isHandled = trap.pageFault(address);
  if (isHandled && isWritable(page) && load<u32>(vcpu.block, VCPU_EPOCH) == epoch) return;
  vcpu.trap(TRAP_OUTSIDE, address);
}

/** True if this vCPU must copy and mark the page; false if the page is now writable. */
function lock(page: u32): bool {
  const byte = map.epochs + page;
  const view = <u8>load<u32>(vcpu.block, VCPU_VIEW);
  let turn: u32 = 0;
  while (true) {
    const old = atomic.load<u8>(byte);
    if (old == view) return false;
    if (old == <u8>PAGE_LOCKED) pause(turn++, byte & ~3);
    else if (atomic.cmpxchg<u8>(byte, old, <u8>PAGE_LOCKED) == old) return true;
  }
}

function mark(page: u32, mine: u32): void {
  if (CHECKED && epoch.isOlder(atomic.load<u32>(map.vm, VM_SETTLED), mine))
    panic(PANIC_EPOCH_UNSETTLED);
  if (CHECKED && atomic.load<u8>(map.epochs + page) != <u8>PAGE_LOCKED)
    panic(PANIC_PAGE_NOT_LOCKED);
  epoch.note(page, mine);
  storeFence(); // SNAP-4: pairs with the re-check in copyView() and in the snapshot image
  atomic.store<u8>(map.epochs + page, <u8>load<u32>(vcpu.block, VCPU_VIEW));
  storeFence();
}

/** Copies the page once for all snapshots of earlier epochs that see it and have no entry for it. */
function preserve(page: u32, active: u32, mine: u32): void {
  if (CHECKED && atomic.load<u8>(map.epochs + page) != <u8>PAGE_LOCKED)
    panic(PANIC_PAGE_NOT_LOCKED);
  const seers = seersOf(page, active, mine);
  if (seers == 0) return;
  const frame = frames.alloc();
  if (frame == 0) return loseAll(seers);
  vcpu.count(COUNTER_COPIES);
  const address = page << FRAME_SHIFT;
  memory.copy(frame, address, FRAME_BYTES);
  storeFence(); // the copy is complete before its entry is visible
  if (popcnt(seers) == 1) {
    const slot = ctz(seers);
    const entry = (frame - address) | ENTRY_PRESENT | ENTRY_OWNED;
    if (!table.tryPut(slot, page, entry)) return frames.free(frame); // the snapshot wrote to the page first
    atomic.add<u32>(map.snapshotBlock(slot), 1, SNAPSHOT_FRAMES);
    return;
  }
  let rest = seers;
  while (rest != 0) {
    // at most SNAPSHOTS_MAX turns
    table.tryPut(ctz(rest), page, (frame - address) | ENTRY_PRESENT);
    rest &= rest - 1;
  }
  limbo.defer(frame, mine);
}

/**
 * The active snapshots, one bit each, whose only copy of the page is main memory. Others get the zero frame.
 */
function seersOf(page: u32, active: u32, mine: u32): u32 {
  let seers: u32 = 0;
  let rest = active;
  while (rest != 0) {
    // at most SNAPSHOTS_MAX turns
    const slot = ctz(rest);
    rest &= rest - 1;
    const block = map.snapshotBlock(slot);
    if (!epoch.isOlder(load<u32>(block, SNAPSHOT_EPOCH), mine)) continue;
    if (table.get(slot, page) != 0) continue;
    const isSeen = page < load<u32>(block, SNAPSHOT_BREAK) || fileMemory.isSeen(block, page);
    if (isSeen) seers |= 1 << slot;
    else table.tryPut(slot, page, table.zeroEntry(page)); // SNAP-8
  }
  return seers;
}

function loseAll(seers: u32): void {
  let rest = seers;
  while (rest != 0) {
    snapshot.lose(ctz(rest));
    rest &= rest - 1;
  }
}

/** Copies a page as a snapshot sees it: the simplest form of SNAP-4's re-check. The bytes are in one page. */
export function copyView(slot: u32, address: u32, target: u32, bytes: u32): void {
  const page = address >> FRAME_SHIFT;
  if (CHECKED && (address & (FRAME_BYTES - 1)) + bytes > FRAME_BYTES) panic(PANIC_SNAPSHOT_STATE);
  let entry = table.get(slot, page);
  memory.copy(target, table.frameOf(entry, page) + (address & (FRAME_BYTES - 1)), bytes);
  if (entry != 0) return;
  loadFence(); // pairs with mark()
  entry = table.get(slot, page);
  if (entry != 0)
    memory.copy(target, table.frameOf(entry, page) + (address & (FRAME_BYTES - 1)), bytes);
}
