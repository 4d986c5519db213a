// A snapshot of a snapshot: a second table that begins as a copy of the first, to any depth.
//
//   1. copy the parent's table: what the parent owns, both own from then on      (share.ts)
//   2. activate the child in the parent's epoch: later faults serve both tables
//   3. wait for the faults that have seen the parent only
//   4. where the tables differ, the child gets the parent's entry
//
// Interface   fork(parent) while no vCPU runs on the parent.
// Invariants  FORK-1  Where neither table has an entry, main memory has the page as both see it: a write
//                     fault that begins after step 2 puts its copy into both. Until step 4 the child may get
//                     a wrong copy, of a page for which only the parent has an entry: nothing reads it, and
//                     step 4 replaces it.
// Concurrency An entry of the parent that is not 0 changes only here. Write faults turn a 0 of either table
//             into an entry at any time; so does only a swap here. take() may run in parallel.
// Cost        4 bytes to read and write for each page of a used chunk, and one store for each frame that the
//             parent alone owned; no frame.

import { EBUSY, ENOMEM } from '../abi/errno';
import { SNAPSHOTS_MAX } from '../abi/limits';
import { PANIC_SNAPSHOT_STATE } from '../abi/panic';
import {
  ENTRY_OWNED,
  ENTRY_SHARE,
  SNAPSHOT_BREAK,
  SNAPSHOT_CHUNKS,
  SNAPSHOT_EPOCH,
  SNAPSHOT_FILES,
  SNAPSHOT_FRAMES,
  SNAPSHOT_GOOD,
} from '../abi/snapshot-block';
import { VM_SLOTS, VM_SNAPSHOT_LOCK, VM_TAKEN } from '../abi/vm-block';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as share from './share';
import * as snapshot from './snapshot';
import * as table from './table';

/** Slot of the new snapshot; -EBUSY if all are in use, -ENOMEM if one of both was lost. */
export function fork(parent: u32): i32 {
  if (CHECKED && (atomic.load<u32>(map.vm, VM_SLOTS) & (1 << parent)) == 0)
    panic(PANIC_SNAPSHOT_STATE);
  snapshot.settle(parent); // SNAPSHOT_FILES changes no more (FILES-2)
  spinlock.acquire(map.vm + VM_SNAPSHOT_LOCK);
  const child = snapshot.claim();
  spinlock.release(map.vm + VM_SNAPSHOT_LOCK);
  if (child >= SNAPSHOTS_MAX) return -EBUSY;
  copyTable(parent, child);
  const from = map.snapshotBlock(parent);
  const to = map.snapshotBlock(child);
  atomic.store<u32>(to, atomic.load<u32>(from, SNAPSHOT_FILES), SNAPSHOT_FILES);
  snapshot.activate(
    child,
    load<u32>(from, SNAPSHOT_EPOCH),
    load<u32>(from, SNAPSHOT_BREAK),
    atomic.load<u32>(from, SNAPSHOT_FRAMES),
  );
  snapshot.awaitFaults();
  completeTable(parent, child);
  if (snapshot.state(parent) != SNAPSHOT_GOOD || snapshot.state(child) != SNAPSHOT_GOOD) {
    snapshot.release(child);
    return -ENOMEM;
  }
  atomic.add<u32>(map.vm, 1, VM_TAKEN);
  return child;
}

/** Before the child is active: nothing else puts entries into its table. */
function copyTable(parent: u32, child: u32): void {
  const flags = map.snapshotBlock(parent) + SNAPSHOT_CHUNKS;
  for (let chunk: u32 = 0; chunk < map.tableChunks(); chunk++) {
    if (load<u8>(flags + chunk) == 0) continue;
    const first = chunk << table.CHUNK_SHIFT;
    table.flagChunk(child, first);
    copyChunk(table.entryAddress(parent, first), table.entryAddress(child, first), first);
  }
}

function copyChunk(from: u32, to: u32, first: u32): void {
  for (let at: u32 = 0; at < table.CHUNK_BYTES; at += 16) {
    const entries = v128.load(from + at);
    if (!v128.any_true(entries)) continue;
    const page = first + (at >> 2);
    if (i32x4.all_true(entries) && share.areHalvable(entries)) {
      const halved = share.splitFour(entries, page);
      v128.store(from + at, halved);
      v128.store(to + at, halved);
      continue;
    }
    for (let i: u32 = 0; i < 4; i++)
      store<u32>(to + at + (i << 2), splitEntry(from + at + (i << 2), page + i));
  }
}

/** Changes the parent's entry to what both have from then on, and returns that. */
function splitEntry(place: u32, page: u32): u32 {
  const entry = atomic.load<u32>(place);
  const both = share.split(entry, page);
  if (both != entry) atomic.store<u32>(place, both);
  return both;
}

/** The child is active, and every fault in progress knows it. */
function completeTable(parent: u32, child: u32): void {
  const flags = map.snapshotBlock(parent) + SNAPSHOT_CHUNKS;
  for (let chunk: u32 = 0; chunk < map.tableChunks(); chunk++) {
    if (load<u8>(flags + chunk) == 0) continue;
    const first = chunk << table.CHUNK_SHIFT;
    const from = table.entryAddress(parent, first);
    const to = table.entryAddress(child, first);
    table.flagChunk(child, first);
    for (let at: u32 = 0; at < table.CHUNK_BYTES; at += 16) {
      if (!v128.any_true(v128.xor(v128.load(from + at), v128.load(to + at)))) continue;
      for (let i: u32 = 0; i < 4; i++)
        complete(child, from + at + (i << 2), to + at + (i << 2), first + (at >> 2) + i);
    }
  }
}

function complete(child: u32, from: u32, to: u32, page: u32): void {
  const entry = atomic.load<u32>(from);
  if (entry == 0 || entry == atomic.load<u32>(to)) return; // 0: a fault is putting one copy into both
  const both = splitEntry(from, page);
  const wrong = atomic.xchg<u32>(to, both);
  table.drop(wrong, page);
  const isMore = (both & ENTRY_SHARE) != 0 && (wrong & ENTRY_OWNED) == 0;
  if (isMore) atomic.add<u32>(map.snapshotBlock(child), 1, SNAPSHOT_FRAMES);
}
