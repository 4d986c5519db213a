// A snapshot's page table: flat, one 32-bit entry per page, 0 = not copied. Flags: abi/snapshot-block.ts.
//
//   31                    12 11     8       4   3   2   1   0
//   +-----------------------+-------+-------+---+---+---+---+   P present, O owned by this table alone
//   | frame - page address  |   0   |   S   | 0 | F | O | P |   F forgotten
//   +-----------------------+-------+-------+---+---+---+---+   S share of a frame of several tables (share.ts)
//
// from -> to               function                       what must hold
// 0 -> P, 0 -> P|O         tryPut (write fault)           the copy is complete, the page not yet marked
// 0 -> P                   tryPut (write fault)           the zero frame: the snapshot does not have the page
// P -> P|O                 put (private growth)           it was the zero frame
// 0 -> P|O                 tryPut (private write)         the copy was made before the swap
// P -> P|O                 put (private write)            only the snapshot's vCPU turns a shared entry into its own
// P|O, P|S -> P|S          fork.ts                        no vCPU runs on the snapshot
// P|S -> P|O               put (private write)            the other tables have dropped their shares
// any -> F                 forget (view.ts)               the snapshot's vCPU itself forgets the page
// any -> 0                 clear                          no vCPU is in a write fault that saw the snapshot
//
// Invariants  SNAP-1  The table of a free slot is all zero: taking a snapshot touches no entry.
//             SNAP-2  A chunk with a nonzero entry has its flag set; flags are only cleared with the chunk.
// Concurrency Entries are atomic. Flags are set before the entry and read only after a grace period.

import { FRAME_SHIFT, TABLE_CHUNK_PAGES } from '../abi/limits';
import { PANIC_TABLE_ENTRY } from '../abi/panic';
import {
  ENTRY_FLAGS,
  ENTRY_OWNED,
  ENTRY_PRESENT,
  ENTRY_SHARE,
  SNAPSHOT_CHUNKS,
} from '../abi/snapshot-block';
import { VM_ZERO_FRAME } from '../abi/vm-block';
import * as frames from '../kernel/frames';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as share from './share';

export const CHUNK_SHIFT: u32 = 10; // log2 TABLE_CHUNK_PAGES
export const CHUNK_BYTES: u32 = TABLE_CHUNK_PAGES << 2;

export function entryAddress(slot: u32, page: u32): u32 {
  return map.snapshotTable(slot) + (page << 2);
}


@inline
export function get(slot: u32, page: u32): u32 {
  return atomic.load<u32>(entryAddress(slot, page));
}

export function flagChunk(slot: u32, page: u32): void {
  store<u8>(map.snapshotBlock(slot) + (page >> CHUNK_SHIFT), 1, SNAPSHOT_CHUNKS);
}

/** Address of the frame to which an entry of `page` leads. */
export function frameOf(entry: u32, page: u32): u32 {
  return (page << FRAME_SHIFT) + (entry & ~ENTRY_FLAGS);
}

/** Entry for a page that the snapshot does not have: zeros, read-only. */
export function zeroEntry(page: u32): u32 {
  return (load<u32>(map.vm, VM_ZERO_FRAME) - (page << FRAME_SHIFT)) | ENTRY_PRESENT;
}

/** Installs an entry if there is none; false if another vCPU was faster. */
export function tryPut(slot: u32, page: u32, entry: u32): bool {
  if (CHECKED) check(page, entry);
  flagChunk(slot, page);
  return atomic.cmpxchg<u32>(entryAddress(slot, page), 0, entry) == 0;
}

export function put(slot: u32, page: u32, entry: u32): void {
  if (CHECKED) check(page, entry);
  flagChunk(slot, page);
  atomic.store<u32>(entryAddress(slot, page), entry);
}

/**
 * Panics unless the entry leads to a frame of this VM, as each row of the table above except the last two.
 */
function check(page: u32, entry: u32): void {
  const frame = frameOf(entry, page);
  const isFrame = frame != 0 && frame >> FRAME_SHIFT < map.frameTop();
  if (!isFrame || (entry & ENTRY_FLAGS & ~ENTRY_OWNED) != ENTRY_PRESENT) panic(PANIC_TABLE_ENTRY);
}

export function exchange(slot: u32, page: u32, entry: u32): u32 {
  flagChunk(slot, page);
  return atomic.xchg<u32>(entryAddress(slot, page), entry);
}

/** The table no longer has the entry: frees the frame if no other table owns it. */
export function drop(entry: u32, page: u32): void {
  const isLast = (entry & ENTRY_SHARE) != 0 ? share.end(entry, page) : (entry & ENTRY_OWNED) != 0;
  if (isLast) frames.free(frameOf(entry, page));
}

/** Empties the table and frees the frames that it alone owns. The cost is proportional to the chunks used. */
export function clear(slot: u32): void {
  const flags = map.snapshotBlock(slot) + SNAPSHOT_CHUNKS;
  const chunks = map.tableChunks();
  for (let word: u32 = 0; word < chunks; word += 8) {
    if (load<u64>(flags + word) == 0) continue;
    for (let chunk = word; chunk < min<u32>(word + 8, chunks); chunk++) {
      if (load<u8>(flags + chunk) != 0) clearChunk(slot, chunk << CHUNK_SHIFT);
    }
    store<u64>(flags + word, 0);
  }
}

function clearChunk(slot: u32, first: u32): void {
  const start = entryAddress(slot, first);
  for (let i: u32 = 0; i < TABLE_CHUNK_PAGES; i++) {
    const entry = load<u32>(start + (i << 2));
    if (entry & (ENTRY_OWNED | ENTRY_SHARE)) drop(entry, first + i);
  }
  memory.fill(start, 0, CHUNK_BYTES);
}
