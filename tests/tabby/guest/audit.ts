// What must hold of the pool when no vCPU is in an operation; looks behind the interface.

import { FRAME_BYTES, VCPUS_MAX } from '../../../assembly/abi/limits';
import { DESIGN, HASHED, SWIZZLE } from '../../../assembly/designs/design';
import * as hashTable from '../../../assembly/designs/hash-table';
import * as swips from '../../../assembly/designs/swips';
import { pageTable, pte } from '../../../assembly/linked';
import * as area from '../../../assembly/tabby/area';
import * as descriptor from '../../../assembly/tabby/descriptor';
import * as header from '../../../assembly/tabby/header';

const PINNED: i32 = -1;
const PTE_ELSEWHERE: i32 = -2;
const LEAKED: i32 = -3;
const PTE_DANGLING: i32 = -4;
const TWO_FRAMES: i32 = -5;
const SWIP_DANGLING: i32 = -6;

/**
 * Resident pages; or which rule of TAB-1, TAB-3, TAB-7, SWIP-1 is broken. PTEs of pages below `pages` are
 * looked at.
 */
export function audit(pages: u64): i32 {
  let resident: u32 = 0;
  for (let frame = area.first; frame < area.end; frame += FRAME_BYTES) {
    const now = load<u64>(frame);
    if (DESIGN == SWIZZLE && isMisled(frame)) return SWIP_DANGLING;
    if (!descriptor.isResident(frame)) {
      if (now != 0 && header.stateOf(now) != header.INVALID) return PINNED;
      continue;
    }
    if (header.stateOf(now) != 0) return PINNED;
    if (!isMapped(header.pageOf(now), frame)) return PTE_ELSEWHERE;
    for (let other = frame + FRAME_BYTES; other < area.end; other += FRAME_BYTES)
      if (isSamePage(load<u64>(other), now)) return TWO_FRAMES;
    resident += 1;
  }
  if (resident + freeFrames() != area.frames) return LEAKED;
  for (let page: u64 = 0; page < pages; page++) if (isDangling(page)) return PTE_DANGLING;
  return <i32>resident;
}

/**
 * A cell leads to the frame that says so, from a resident page; a cell that leads nowhere is not a parent.
 */
function isMisled(frame: u32): bool {
  const swip = swips.swipOf(frame);
  if (swip == 0) return !descriptor.isResident(frame) && !swips.isLoose(frame);
  const value = load<u32>(swip);
  const isThere = descriptor.isResident(frame) && descriptor.isResident(swip & ~(FRAME_BYTES - 1));
  return !isThere || !swips.isSwizzled(value) || swips.frameOf(value) != frame;
}

function isMapped(page: u64, frame: u32): bool {
  if (HASHED) return hashTable.find(page) == frame;
  const at = pageTable.entry(area.root, page);
  return at != 0 && leadsTo(load<u64>(at), frame);
}

function leadsTo(entry: u64, frame: u32): bool {
  return (entry & (pte.PRESENT | pte.LOCKED)) == pte.PRESENT && pte.frameOf(entry) == frame;
}

function isSamePage(a: u64, b: u64): bool {
  return a != 0 && header.stateOf(a) != header.INVALID && header.pageOf(a) == header.pageOf(b);
}

/** Free frames, and frames that vCPUs keep. */
function freeFrames(): u32 {
  let count: u32 = 0;
  for (let frame = area.first; frame < area.end; frame += FRAME_BYTES) {
    if (!descriptor.claim(frame)) continue;
    descriptor.free(frame);
    count += 1;
  }
  for (let vcpu: u32 = 0; vcpu < VCPUS_MAX; vcpu++) {
    const other = area.areaOf(vcpu);
    if (other != 0) count += load<u32>(other, area.AREA_KEPT);
  }
  return count;
}

function isDangling(page: u64): bool {
  const at = pageTable.entry(area.root, page);
  const entry = at == 0 ? 0 : load<u64>(at);
  if (entry & pte.LOCKED) return true;
  return (entry & pte.PRESENT) != 0 && header.pageOf(load<u64>(pte.frameOf(entry))) != page;
}
