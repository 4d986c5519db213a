// Bytes between the host and a guest: system calls stage what they move (paper, 4.3).
//
// Interface   The host gets a contiguous range to read from lend(), and calls deliver() to copy what it has
//             put into this vCPU's staging buffer. A store that skips the write check would be visible in
//             snapshots, so the host writes guest memory itself only where receive() has just allowed it.
//             Untranslated modules that work with a guest copy their input with fetch(), and the host reads
//             their output in place.
// Concurrency The staging buffer belongs to one vCPU; a call uses it from start to end.
// Cost        main image: lend() and receive() copy nothing, deliver() once. Snapshot: one copy each way.

import { FRAME_BYTES, FRAME_SHIFT, STAGING_BYTES } from '../abi/limits';
import { ENTRY_OWNED, SNAPSHOT_BREAK } from '../abi/snapshot-block';
import { TRAP_OUTSIDE, VCPU_STAGING } from '../abi/vcpu-block';
import { VM_BREAK } from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as table from '../snappy/table';
import { viewFault } from '../snappy/view';
import { copyView, faultRange } from '../snappy/write-fault';
import * as fileMemory from './file-memory';
import * as guestMemory from './guest-memory';

function bytesLeftInPage(address: u32): u32 {
  return FRAME_BYTES - (address & (FRAME_BYTES - 1));
}

/** Whether the range is guest memory of this vCPU's image. */
export function isGuestRange(address: u32, bytes: u32): bool {
  return <u64>address + <u64>bytes <= (<u64>guestMemory.breakPage()) << FRAME_SHIFT;
}

/** Whether the range is kernel memory: it starts after the break and ends within the VM. */
export function isKernelRange(address: u32, bytes: u32): bool {
  const end = <u64>address + <u64>bytes;
  return isKernel(address) && end <= (<u64>map.frameCount) << FRAME_SHIFT;
}

/**
 * Beyond the main image's break and beyond this image's own (a snapshot may have grown by itself), and not
 * file memory.
 */
function isKernel(address: u32): bool {
  const page = address >> FRAME_SHIFT;
  if (page < <u32>atomic.load<u64>(map.vm, VM_BREAK) || page < guestMemory.breakPage())
    return false;
  return !fileMemory.has(page);
}

/** Address where the host may read the range: its own in the main image, else up to STAGING_BYTES, staged. */
export function lend(address: u32, bytes: u32): u32 {
  const slot = vcpu.snapshotSlot();
  if (slot < 0 || isKernel(address)) return address;
  const staging = load<u32>(vcpu.block, VCPU_STAGING);
  return copyOut(slot, address, min<u32>(bytes, STAGING_BYTES), staging);
}

/** Copies a range of the guest, as this vCPU sees it, to memory of the kernel. */
export function fetch(address: u32, bytes: u32, target: u32): void {
  if (!isKernelRange(target, bytes)) return vcpu.trap(TRAP_OUTSIDE, target);
  const slot = vcpu.snapshotSlot();
  if (slot < 0) memory.copy(target, address, bytes);
  else copyOut(slot, address, bytes, target);
}

/** Copies a range of a snapshot to `target`, which is not guest memory; returns `target`. */
export function copyOut(slot: u32, address: u32, bytes: u32, target: u32): u32 {
  let done: u32 = 0;
  while (done < bytes) {
    const part = min<u32>(bytes - done, bytesLeftInPage(address + done));
    copyView(slot, address + done, target + done, part);
    done += part;
  }
  return target;
}

/**
 * Address where the host may put what it reads at once from a file. In the main image this is the range
 * itself: its pages are writable, and the vCPU counts as running from then on, as during a store of its own.
 * In a snapshot it is the staging buffer, from which deliver() copies.
 */
export function receive(address: u32, bytes: u32): u32 {
  if (vcpu.snapshotSlot() >= 0) return load<u32>(vcpu.block, VCPU_STAGING);
  vcpu.resume();
  faultRange(address, bytes);
  return address;
}

/** Copies from the staging buffer to guest memory. From then on the vCPU counts as running. */
export function deliver(address: u32, bytes: u32): void {
  vcpu.resume();
  const staging = load<u32>(vcpu.block, VCPU_STAGING);
  const slot = vcpu.snapshotSlot();
  if (slot < 0) {
    faultRange(address, bytes);
    memory.copy(address, staging, bytes);
    return;
  }
  let done: u32 = 0;
  while (done < bytes) {
    const at = address + done;
    const part = min<u32>(bytes - done, bytesLeftInPage(at));
    let entry = table.get(slot, at >> FRAME_SHIFT);
    if ((entry & ENTRY_OWNED) == 0) entry = viewFault(at);
    memory.copy(
      table.frameOf(entry, at >> FRAME_SHIFT) + (at & (FRAME_BYTES - 1)),
      staging + done,
      part,
    );
    done += part;
  }
}

/** Bytes of guest memory that a snapshot covers. */
export function snapshotBytes(slot: u32): u64 {
  return (<u64>load<u32>(map.snapshotBlock(slot), SNAPSHOT_BREAK)) << FRAME_SHIFT;
}
