// libdbos, the guest kernel: everything that images, guests and the hypervisor call. Each vCPU has an
// instance; all share one memory.

import { COUNTER_SYSCALLS } from './abi/counter';
import { FILES_NONE, FRAME_BYTES, STAGING_BYTES, VIEW_FIRST } from './abi/limits';
import { SNAPSHOT_FRAMES } from './abi/snapshot-block';
import { VCPU_DEPTH, VCPU_PENDING, VCPU_SNAPSHOT, VCPU_STAGING } from './abi/vcpu-block';
import {
  VM_BREAK,
  VM_EPOCH,
  VM_FILES,
  VM_GUARD,
  VM_GUEST_LIMIT,
  VM_SETTLED,
  VM_WEAK,
  VM_ZERO_FRAME,
} from './abi/vm-block';
import * as counters from './kernel/counters';
import * as fileMemory from './kernel/file-memory';
import * as frames from './kernel/frames';
import * as guestMemory from './kernel/guest-memory';
import * as interrupt from './kernel/interrupt';
import * as timer from './kernel/timer';
import * as transfer from './kernel/transfer';
import * as trapTable from './kernel/trap';
import * as barrier from './machine/barrier';
import * as call from './machine/call';
import * as map from './machine/map';
import * as vcpu from './machine/vcpu';
import * as forks from './snappy/fork';
import * as snapshots from './snappy/snapshot';
import * as view from './snappy/view';
import * as writeFault from './snappy/write-fault';


@external('hypervisor', 'syscall')
declare function hostSyscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

// --- boot --------------------------------------------------------------------------------------------------

/** Once per VM, by the booting vCPU: `guestPages` and `guestLimit` are pages of 4 KiB. */
export function boot(
  frameCount: u32,
  guestPages: u32,
  guestLimit: u32,
  guard: u32,
  weak: u32,
): void {
  map.attach(frameCount); //                                        where things are
  store<u32>(map.vm, guestLimit, VM_GUEST_LIMIT); //                how far the break may go
  store<u32>(map.vm, FILES_NONE, VM_FILES); //                      no file memory
  store<u32>(map.vm, guard, VM_GUARD); //                           pages that trap, from address 0
  store<u32>(map.vm, weak, VM_WEAK); //                             memory order
  // Guest memory and frames.
  atomic.store<u64>(map.vm, ((<u64>map.frameTop()) << 32) | (<u64>guestPages), VM_BREAK);
  atomic.store<u64>(map.vm, ((<u64>VIEW_FIRST) << 32) | 1, VM_EPOCH); // the first epoch
  atomic.store<u32>(map.vm, 1, VM_SETTLED); //                      no vCPU is behind it
  const zero = frames.run(1);
  if (zero != 0) memory.fill(zero, 0, FRAME_BYTES);
  store<u32>(map.vm, zero, VM_ZERO_FRAME); //                       what a snapshot reads beyond its memory
}

/** Makes this instance a vCPU; returns its number, or -1 if another does not fit. */
export function attach(frameCount: u32): i32 {
  map.attach(frameCount);
  barrier.attach();
  const number = vcpu.claim();
  if (number < 0) return -1;
  const block = map.vcpuBlock(number);
  if (load<u32>(block, VCPU_STAGING) == 0) {
    // Stays with the block, for later vCPUs of this number.
    const staging = frames.run(STAGING_BYTES / FRAME_BYTES);
    if (staging == 0) {
      vcpu.abandon(number, false);
      return -1;
    }
    store<u32>(block, staging, VCPU_STAGING);
  }
  vcpu.attach(number);
  timer.attach();
  return number;
}

/**
 * Makes this instance the vCPU `number`, whose thread has ended; the caller alone has set its state to
 * VCPU_DEAD. The frames that it kept stay in its block.
 */
export function replace(frameCount: u32, number: u32): void {
  map.attach(frameCount);
  barrier.attach();
  frames.recount(map.vcpuBlock(number));
  vcpu.replace(number);
  vcpu.attach(number);
  timer.attach();
}

/** Ends this vCPU: its frames return to the VM, and no other vCPU waits for it. */
export function detach(): void {
  timer.turnOff();
  frames.flush();
  vcpu.abandon(vcpu.index, false);
}

/** Does the same for a vCPU whose thread ended inside the guest. */
export function bury(number: u32): void {
  frames.inherit(map.vcpuBlock(number));
  vcpu.abandon(number, true);
}

/** Address of this vCPU's block (abi/vcpu-block.ts). */
export function block(): u32 {
  return vcpu.block;
}

// --- what images call --------------------------------------------------------------------------------------

/** Enters the guest; nests. */
export function enter(): void {
  vcpu.enter();
}

/** Leaves the guest. */
export function leave(): void {
  vcpu.leave();
}

/** Write fault: makes the page of `address` writable, or traps. */
export function fault(address: u32): void {
  writeFault.fault(address);
}

/** Makes every page of a range writable, or traps. */
export function faultRange(address: u32, bytes: u32): void {
  writeFault.faultRange(address, bytes);
}

/** On a snapshot: makes the page of `address` the snapshot's own; returns its table entry. */
export function viewFault(address: u32): u32 {
  return view.viewFault(address);
}

/** Delivers pending interrupts. */
export function safepoint(): void {
  interrupt.safepoint();
}

/** memory.size, in pages of 64 KiB. */
export function size(): i32 {
  return guestMemory.size();
}

/** memory.grow: the old size, or -1. */
export function grow(pages: u32): i32 {
  return guestMemory.grow(pages);
}

// --- what the image of the file system calls ---------------------------------------------------------------

/** Enters the file system; from a host call of the guest, too. */
export function enterFiles(): void {
  vcpu.enterFiles();
}

export function leaveFiles(): void {
  vcpu.leaveFiles();
}

/** As fault(), also for file memory. */
export function fileFault(address: u32): void {
  writeFault.fileFault(address);
}

/** As faultRange(), also for file memory. */
export function fileFaultRange(address: u32, bytes: u32): void {
  writeFault.fileFaultRange(address, bytes);
}

/** As viewFault(), also for file memory. */
export function fileViewFault(address: u32): u32 {
  return view.fileViewFault(address);
}

/** Makes file memory one chunk larger than `pages`, in this vCPU's image; false if memory is full. */
export function growFiles(pages: u32): bool {
  return fileMemory.grow(pages);
}

// --- what guests call --------------------------------------------------------------------------------------

/** On a snapshot: forgets the whole pages of a range. Elsewhere it does nothing. */
export function forget(address: u32, bytes: u32): void {
  view.forget(address, bytes);
}

/** For untranslated modules: copies a range of the guest, as this vCPU sees it, to kernel memory. */
export function fetch(address: u32, bytes: u32, target: u32): void {
  transfer.fetch(address, bytes, target);
}

/** An explicit poll, for guests built without safepoints in their loops. */
export function poll(): void {
  if (atomic.load<u32>(vcpu.block, VCPU_PENDING) != 0) interrupt.safepoint();
}

/** Page fault of a linked guest's virtual memory; returns its handler's result (mmu/mmu.ts). */
export function pageFault(page: u64, access: u32): i32 {
  return trapTable.mmuFault(page, access);
}

/** Runs the guest's handler of remote calls (mmu/remote-call.ts). */
export function serveCall(fn: u32, arg: u64): u64 {
  return trapTable.serveCall(fn, arg);
}

/** A system call: the guest's own handler, else the host. Epochs advance while the host works. */
export function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  if (trapTable.hasSyscallHandler()) return trapTable.syscall(nr, a, b, c, d, e);
  return proxy(nr, a, b, c, d, e);
}

/** The host's system call, also for a guest's handler that passes one on. */
export function proxy(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  vcpu.count(COUNTER_SYSCALLS);
  vcpu.suspend();
  const result = hostSyscall(nr, a, b, c, d, e);
  vcpu.resume();
  return result;
}

/** Sets this vCPU's timer (kernel/timer.ts). */
export function setTimer(us: u32, everyUs: u32): i32 {
  return timer.set(us, everyUs);
}

/** A counter or gauge of abi/counter.ts; counters are sums over all vCPUs. */
export function counter(index: u32): f64 {
  return counters.read(index);
}

// --- what the hypervisor calls -----------------------------------------------------------------------------

/** Takes a snapshot: its slot, or a negative errno. */
export function takeSnapshot(): i32 {
  return snapshots.take();
}

/** Takes a snapshot of a snapshot on which no vCPU runs: its slot, or a negative errno. */
export function forkSnapshot(slot: u32): i32 {
  return forks.fork(slot);
}

/** Before the first read of a snapshot: waits until every store that belongs to it has happened. */
export function settleSnapshot(slot: u32): void {
  snapshots.settle(slot);
}

/** Frees a snapshot that no vCPU reads. */
export function releaseSnapshot(slot: u32): void {
  snapshots.release(slot);
}

/** Ends every call on a snapshot, including calls that have not begun. */
export function stopReaders(slot: u32): void {
  snapshots.stop(slot);
}

/** Whether `by` (ENDING_*) may end the snapshot. */
export function endSnapshot(slot: u32, by: u32): bool {
  return snapshots.end(slot, by);
}

/** SNAPSHOT_GOOD, _LOST or _STOPPED. */
export function snapshotState(slot: u32): u32 {
  return snapshots.state(slot);
}

/** Address of a snapshot's block (abi/snapshot-block.ts). */
export function snapshotBlock(slot: u32): u32 {
  return map.snapshotBlock(slot);
}

/** Address of a snapshot's page table. */
export function snapshotTable(slot: u32): u32 {
  return map.snapshotTable(slot);
}

/** Bytes of guest memory that a snapshot covers. */
export function snapshotBytes(slot: u32): f64 {
  return <f64>transfer.snapshotBytes(slot);
}

/** Frames that a snapshot owns. */
export function snapshotFrames(slot: u32): u32 {
  return atomic.load<u32>(map.snapshotBlock(slot), SNAPSHOT_FRAMES);
}

/** Switches this vCPU to a snapshot (slot + 1) or back to main memory (0). */
export function lookAt(slotPlusOne: u32): void {
  timer.turnOff();
  atomic.and<u32>(vcpu.block, 0, VCPU_PENDING);
  atomic.store<u32>(vcpu.block, slotPlusOne, VCPU_SNAPSHOT);
}

/**
 * Copies a range of a snapshot, at most STAGING_BYTES, to this vCPU's staging buffer; returns its address.
 */
export function readSnapshot(slot: u32, address: u32, bytes: u32): u32 {
  return transfer.copyOut(slot, address, bytes, load<u32>(vcpu.block, VCPU_STAGING));
}

/** Whether the range is guest memory, as this vCPU sees it. */
export function isGuestRange(address: u32, bytes: u32): bool {
  return transfer.isGuestRange(address, bytes);
}

/** Whether the range is kernel memory, windows included. */
export function isKernelRange(address: u32, bytes: u32): bool {
  return transfer.isKernelRange(address, bytes);
}

/** Gives the VM file memory, once; returns the page after it, 0 if memory is too small. */
export function openFiles(): u32 {
  return fileMemory.open();
}

/** The page after file memory; 0 if the VM has none. */
export function openedFiles(): u32 {
  return fileMemory.top();
}

/** Pages of file memory of a snapshot; of main memory for -1. */
export function filePages(slot: i32): u32 {
  return fileMemory.pagesOf(slot);
}

/** Address at which the host may read a range of guest memory. */
export function lend(address: u32, bytes: u32): u32 {
  return transfer.lend(address, bytes);
}

/** Address where the host may put what it reads for a range of guest memory; deliver() copies it there. */
export function receive(address: u32, bytes: u32): u32 {
  return transfer.receive(address, bytes);
}

/** Moves the break down to `pages` of 64 KiB, which the host has zeroed; no vCPU is in the guest. */
export function shrink(pages: u32): void {
  guestMemory.shrink(pages);
}

/** Copies the staging buffer to guest memory. */
export function deliver(address: u32, bytes: u32): void {
  transfer.deliver(address, bytes);
}

/** Address of `frameCount` adjacent frames, never freed; 0 without room. */
export function claimWindow(frameCount: u32): u32 {
  return frames.run(frameCount);
}

/** A frame, not zeroed, for a linked guest; 0 if there is none. */
export function allocFrame(): u32 {
  return frames.alloc();
}

/** Frees a frame of allocFrame(). */
export function freeFrame(frame: u32): void {
  frames.free(frame);
}

/** Raises an interrupt on a vCPU. */
export function post(vcpuIndex: u32, vector: u32): void {
  interrupt.post(vcpuIndex, vector);
}

/** Records that the slot of the trap table has a handler of the guest. */
export function bindHandler(slot: u32): void {
  trapTable.bind(slot);
}

/** Records that the slot has none. */
export function unbindHandler(slot: u32): void {
  trapTable.unbind(slot);
}

/** Nesting depth of guest entries on this vCPU. */
export function depth(): u32 {
  return load<u32>(vcpu.block, VCPU_DEPTH);
}

/** After a trap: returns this vCPU to depth `toDepth`. */
export function unwind(toDepth: u32): void {
  call.unwind(toDepth);
  vcpu.unwind(toDepth);
  trapTable.unwind();
  timer.unwind(toDepth);
}
