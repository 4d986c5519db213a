// File memory: the pages of the file system in the VM. It begins a quarter of memory below the frames in use
// and grows downwards, towards the break. Snapshots cover it like guest memory; only code of the file system
// writes to it.
//
//   0 .. break            guest memory
//   files .. top          file memory; `files` moves down by FILES_CHUNK_PAGES
//   top ..                frames for copies: the floor stays above
//
// Interface   open() once per VM, by the host; grow() by the file system. The first page that a vCPU sees is
//             VM_FILES, on a snapshot SNAPSHOT_FILES.
// Invariants  FILES-1  A page is guest memory or file memory, or neither. What moves a border stores it, then
//                      looks at the other border, and moves back if they have crossed.
//             FILES-2  A snapshot sees every page that was part of file memory when its vCPUs acknowledged
//                      its epoch. What grows in an older epoch lowers SNAPSHOT_FILES of the snapshot, too.
//                      take() copies VM_FILES before the snapshot is active, and compares afterwards.
//             FILES-3  The content of a page that grow() adds is undefined: the file system writes before it
//                      reads.
// Concurrency The file system grows under its own lock.

import { FILES_CHUNK_PAGES, FILES_NONE } from '../abi/limits';
import { SNAPSHOT_BREAK, SNAPSHOT_EPOCH, SNAPSHOT_FILES } from '../abi/snapshot-block';
import { VCPU_EPOCH } from '../abi/vcpu-block';
import { VM_ACTIVE, VM_BREAK, VM_FILES, VM_FILES_TOP } from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as epoch from '../snappy/epoch';

/** Of all frames, the share that stays free for copies. */
const RESERVE: u32 = 4;

/** Whether the page is file memory of this vCPU's image. */
export function has(page: u32): bool {
  const slot = vcpu.snapshotSlot();
  if (slot >= 0) return isSeen(map.snapshotBlock(slot), page);
  return page >= atomic.load<u32>(map.vm, VM_FILES) && page < top();
}

/** Whether it is file memory of the snapshot with this block. */
export function isSeen(block: u32, page: u32): bool {
  return page >= atomic.load<u32>(block, SNAPSHOT_FILES) && page < top();
}

/** The page after file memory, 0 = none. */
export function top(): u32 {
  return atomic.load<u32>(map.vm, VM_FILES_TOP);
}

/** The page after file memory, which is still empty; 0 if memory is too small. */
export function open(): u32 {
  if (top() != 0) return top();
  const both = atomic.load<u64>(map.vm, VM_BREAK);
  const floor = <u32>(both >> 32);
  const reserve = map.frameCount / RESERVE;
  if (floor < reserve) return 0;
  const end = (floor - reserve) & ~(FILES_CHUNK_PAGES - 1);
  if (end < <u32>both + FILES_CHUNK_PAGES) return 0;
  atomic.store<u32>(map.vm, end, VM_FILES);
  atomic.store<u32>(map.vm, end, VM_FILES_TOP);
  const after = atomic.load<u64>(map.vm, VM_BREAK); // FILES-1
  if (<u32>after <= end && <u32>(after >> 32) >= end) return end;
  atomic.store<u32>(map.vm, FILES_NONE, VM_FILES);
  atomic.store<u32>(map.vm, 0, VM_FILES_TOP);
  return 0;
}

/** Pages of file memory: of a snapshot, or of main memory (-1). */
export function pagesOf(slot: i32): u32 {
  const first =
    slot >= 0
      ? atomic.load<u32>(map.snapshotBlock(slot), SNAPSHOT_FILES)
      : atomic.load<u32>(map.vm, VM_FILES);
  return first >= top() ? 0 : top() - first;
}

/** One chunk more than `pages`, which the file system has; false if memory is full. */
export function grow(pages: u32): bool {
  if (top() < pages + FILES_CHUNK_PAGES) return false;
  const wanted = top() - pages - FILES_CHUNK_PAGES;
  const slot = vcpu.snapshotSlot();
  return slot >= 0 ? growSnapshot(map.snapshotBlock(slot), wanted) : growMain(wanted);
}

function growSnapshot(block: u32, wanted: u32): bool {
  if (wanted < load<u32>(block, SNAPSHOT_BREAK)) return false;
  if (wanted < load<u32>(block, SNAPSHOT_FILES)) atomic.store<u32>(block, wanted, SNAPSHOT_FILES);
  return true;
}

function growMain(wanted: u32): bool {
  const old = atomic.load<u32>(map.vm, VM_FILES);
  if (wanted >= old) return true; // grown by an operation that failed
  if (wanted < <u32>atomic.load<u64>(map.vm, VM_BREAK)) return false;
  atomic.store<u32>(map.vm, wanted, VM_FILES);
  if (<u32>atomic.load<u64>(map.vm, VM_BREAK) > wanted) {
    atomic.store<u32>(map.vm, old, VM_FILES); // FILES-1
    return false;
  }
  let rest = atomic.load<u32>(map.vm, VM_ACTIVE);
  while (rest != 0) {
    // at most SNAPSHOTS_MAX turns
    const block = map.snapshotBlock(ctz(rest));
    rest &= rest - 1;
    if (!epoch.isOlder(load<u32>(block, SNAPSHOT_EPOCH), load<u32>(vcpu.block, VCPU_EPOCH)))
      atomic.store<u32>(block, wanted, SNAPSHOT_FILES); // FILES-2
  }
  return true;
}
