// Virtual memory of a linked guest: 48-bit addresses, translated by the TLB, the page table, or the guest's
// own page-fault handler.
//
// Interface   create() makes an address space; attach(root) on each vCPU that uses it. read() and write()
//             return the physical address of a virtual one, or 0 with the handler's errno in `failure`; an
//             access must not cross the end of its page. map() maps a page to a frame, unmap() ends that and
//             returns the frame. The handler is the guest's export onPageFault(page: u64, access: u32): i32,
//             or one in TypeScript (`handlers`). It returns 0 = the page is mapped, PAGE_STAGED = its content
//             is in the staging buffer, or a negative errno.
// Invariants  MMU-1  Before the TLB has an entry that allows stores, DIRTY is set in the page table.
//             MMU-2  A handler has no page faults itself, and a fault is served or ends the call: no access
//                    reaches other memory.
// Concurrency A vCPU trusts its TLB: code that unmaps pages that others use makes them flush it
//             (shootdown.page).
// Cost        a hit 1 ns; a miss four loads; a fault 10 ns to the handler and back.

import { EFAULT, ENOMEM } from '../abi/errno';
import { PAGE_STAGED } from '../abi/handler';
import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { TRAP_FAULT_AGAIN, TRAP_FAULT_RESULT, VCPU_STAGING } from '../abi/vcpu-block';
import * as vcpu from '../machine/vcpu';
import * as linkage from './linkage';
import * as pageTable from './page-table';
import * as pte from './pte';
import * as tlb from './tlb';


@external('libdbos', 'pageFault')
declare function pageFault(page: u64, access: u32): i32;

export const READ: u32 = 0;
export const WRITE: u32 = 1;

/** Retries after the handler reported success: another vCPU may have unmapped the page again each time. */
const ATTEMPTS: u32 = 8;
const OFFSET: u64 = FRAME_BYTES - 1;

/** Errno of the last read() or write() that returned 0. Valid until the next call of either. */
export let failure: i32 = 0;
let root: u32 = 0;

/** The root of an empty address space, 0 if no frame is free for it. */
export function create(): u32 {
  return pageTable.create();
}

/** Switches this vCPU to the address space; false without room for its TLB. */
export function attach(space: u32): bool {
  if (root == 0) {
    const cells = linkage.claimFrames(tlb.TLB_BYTES >> FRAME_SHIFT);
    if (cells == 0) return false;
    tlb.attach(cells);
  } else tlb.flush();
  root = space;
  return true;
}

/** Physical address for a load at `virtual`. */
@inline
export function read(virtual: u64): u32 {
  const page = virtual >> FRAME_SHIFT;
  const entry = load<u64>(tlb.at(page));
  if (entry >> tlb.PAGE_SHIFT == page) return pte.frameOf(entry) | (<u32>(virtual & OFFSET));
  return fault(virtual, READ);
}

/** Physical address for a store at `virtual`. */
@inline
export function write(virtual: u64): u32 {
  const page = virtual >> FRAME_SHIFT;
  const entry = load<u64>(tlb.at(page));
  if (entry >> tlb.PAGE_SHIFT == page && (entry & pte.DIRTY) != 0)
    return pte.frameOf(entry) | (<u32>(virtual & OFFSET));
  return fault(virtual, WRITE);
}

/** TLB miss: the page table, then the handler. */
function fault(virtual: u64, access: u32): u32 {
  const page = virtual >> FRAME_SHIFT;
  if (page >= pageTable.PAGES_MAX) {
    failure = EFAULT;
    return 0;
  }
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const frame = pageTable.translate(root, page, access == WRITE);
    if (frame != 0) {
      store<u64>(tlb.at(page), cellOf(page, frame, access));
      return frame | (<u32>(virtual & OFFSET));
    }
    let result = pageFault(page, access);
    if (result == PAGE_STAGED) result = mapStaged(page);
    if (result > 0) vcpu.trap(TRAP_FAULT_RESULT, <u32>page);
    if (result < 0) {
      failure = -result;
      return 0;
    }
  }
  vcpu.trap(TRAP_FAULT_AGAIN, <u32>page);
  return 0;
}


@inline
function cellOf(page: u64, frame: u32, access: u32): u64 {
  return pte.present(page, frame, access == WRITE ? pte.DIRTY : 0) ^ pte.PRESENT;
}

function mapStaged(page: u64): i32 {
  const frame = linkage.allocFrame();
  if (frame == 0) return -ENOMEM;
  memory.copy(frame, load<u32>(vcpu.block, VCPU_STAGING), FRAME_BYTES);
  return map(page, frame, true) ? 0 : -ENOMEM;
}

/** Maps the page to the frame; false if a table is missing and no frame is free for it. */
export function map(page: u64, frame: u32, writable: bool): bool {
  return pageTable.map(root, page, 1, frame, writable ? pte.WRITABLE : 0);
}

/** Unmaps the page: the frame that it was in, or 0. Other vCPUs may still have it in their TLB. */
export function unmap(page: u64): u32 {
  const at = pageTable.entry(root, page);
  if (at == 0) return 0;
  const old = atomic.xchg<u64>(at, 0);
  tlb.invlpg(page);
  return (old & pte.PRESENT) != 0 ? pte.frameOf(old) : 0;
}

/** Whether the page was stored to since it was mapped. */
export function isDirty(page: u64): bool {
  const at = pageTable.entry(root, page);
  return at != 0 && (atomic.load<u64>(at) & pte.DIRTY) != 0;
}

/**
 * Whether the page was used since the last call; clears the mark. For a pager that looks for unused pages.
 */
export function takeAccessed(page: u64): bool {
  const at = pageTable.entry(root, page);
  if (at == 0) return false;
  tlb.invlpg(page);
  return (atomic.and<u64>(at, ~pte.ACCESSED) & pte.ACCESSED) != 0;
}
