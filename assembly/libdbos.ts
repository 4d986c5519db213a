// libdbos, the guest kernel: what the images and the hypervisor call. One instance per vCPU, all on one memory.

import { COUNTER_SYSCALLS } from './abi/counter';
import { FRAME_BYTES, STAGING_BYTES, VIEW_FIRST } from './abi/limits';
import { SNAPSHOT_FRAMES } from './abi/snapshot-block';
import { VCPU_DEPTH, VCPU_PENDING, VCPU_SNAPSHOT, VCPU_STAGING } from './abi/vcpu-block';
import {
  VM_BREAK,
  VM_EPOCH,
  VM_GUARD,
  VM_GUEST_LIMIT,
  VM_SETTLED,
  VM_WEAK,
  VM_ZERO_FRAME,
} from './abi/vm-block';
import * as counters from './kernel/counters';
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
import * as snapshots from './snappy/snapshot';
import * as view from './snappy/view';
import * as writeFault from './snappy/write-fault';

// @ts-ignore: decorator
@external('hypervisor', 'syscall')
declare function hostSyscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

// --- boot -----------------------------------------------------------------------------------------------------

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
  store<u32>(map.vm, guard, VM_GUARD); //                           pages that trap, from address 0
  store<u32>(map.vm, weak, VM_WEAK); //                             memory order
  atomic.store<u64>(map.vm, ((<u64>map.frameTop()) << 32) | (<u64>guestPages), VM_BREAK); // guest memory and frames
  atomic.store<u64>(map.vm, ((<u64>VIEW_FIRST) << 32) | 1, VM_EPOCH); // the first epoch
  atomic.store<u32>(map.vm, 1, VM_SETTLED); //                      nobody is behind it
  const zero = frames.run(1);
  if (zero != 0) memory.fill(zero, 0, FRAME_BYTES);
  store<u32>(map.vm, zero, VM_ZERO_FRAME); //                       what lies beyond a snapshot
}

/** Makes this instance a vCPU; returns its number, or -1 when there is no room for another. */
export function attach(frameCount: u32): i32 {
  map.attach(frameCount);
  barrier.attach();
  const number = vcpu.claim();
  if (number < 0) return -1;
  const block = map.vcpuBlock(number);
  if (load<u32>(block, VCPU_STAGING) == 0) {
    const staging = frames.run(STAGING_BYTES / FRAME_BYTES); // stays with the block, for later vCPUs of this number
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
 * Makes this instance the vCPU `number`, whose thread is gone; the caller alone has set its state to VCPU_DEAD. What it has kept stays in
 * its block.
 */
export function replace(frameCount: u32, number: u32): void {
  map.attach(frameCount);
  barrier.attach();
  frames.recount(map.vcpuBlock(number));
  vcpu.replace(number);
  vcpu.attach(number);
  timer.attach();
}

/** The vCPU's thread is going: its frames go back, nobody waits for it any more. */
export function detach(): void {
  timer.turnOff();
  frames.flush();
  vcpu.abandon(vcpu.index, false);
}

/** The thread of another vCPU ended inside the guest. */
export function bury(number: u32): void {
  frames.inherit(map.vcpuBlock(number));
  vcpu.abandon(number, true);
}

export function block(): u32 {
  return vcpu.block;
}

// --- what images call -----------------------------------------------------------------------------------------

export function enter(): void {
  vcpu.enter();
}
export function leave(): void {
  vcpu.leave();
}
export function fault(address: u32): void {
  writeFault.fault(address);
}
export function faultRange(address: u32, bytes: u32): void {
  writeFault.faultRange(address, bytes);
}
export function viewFault(address: u32): u32 {
  return view.viewFault(address);
}
export function safepoint(): void {
  interrupt.safepoint();
}
export function size(): i32 {
  return guestMemory.size();
}
export function grow(pages: u32): i32 {
  return guestMemory.grow(pages);
}

// --- what guests call -----------------------------------------------------------------------------------------

export function forget(address: u32, bytes: u32): void {
  view.forget(address, bytes);
}

/** For modules beside a guest: copies a range of it, as this vCPU sees it, to memory of the kernel. */
export function fetch(address: u32, bytes: u32, target: u32): void {
  transfer.fetch(address, bytes, target);
}

/** An explicit poll, for guests built without safepoints in their loops. */
export function poll(): void {
  if (atomic.load<u32>(vcpu.block, VCPU_PENDING) != 0) interrupt.safepoint();
}

/** A page fault of a linked guest's virtual memory. */
export function pageFault(page: u64, access: u32): i32 {
  return trapTable.mmuFault(page, access);
}

/** Runs the guest's handler of remote calls. */
export function serveCall(fn: u32, arg: u64): u64 {
  return trapTable.serveCall(fn, arg);
}

/** A system call: the guest's own handler first, then the host. Epochs go on while the host works. */
export function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  if (trapTable.hasSyscallHandler()) return trapTable.syscall(nr, a, b, c, d, e);
  return proxy(nr, a, b, c, d, e);
}

/** The host's own system call, also for a guest's handler that passes one on. */
export function proxy(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  vcpu.count(COUNTER_SYSCALLS);
  vcpu.suspend();
  const result = hostSyscall(nr, a, b, c, d, e);
  vcpu.resume();
  return result;
}

/** VECTOR_TIMER on this vCPU (kernel/timer.ts). */
export function setTimer(us: u32, everyUs: u32): i32 {
  return timer.set(us, everyUs);
}

/** A counter or gauge of abi/counter.ts; counters are sums over all vCPUs. */
export function counter(index: u32): f64 {
  return counters.read(index);
}

// --- what the hypervisor calls --------------------------------------------------------------------------------

export function takeSnapshot(): i32 {
  return snapshots.take();
}
export function settleSnapshot(slot: u32): void {
  snapshots.settle(slot);
}
export function releaseSnapshot(slot: u32): void {
  snapshots.release(slot);
}
export function stopReaders(slot: u32): void {
  snapshots.stop(slot);
}
export function endSnapshot(slot: u32, by: u32): bool {
  return snapshots.end(slot, by);
}
export function snapshotState(slot: u32): u32 {
  return snapshots.state(slot);
}
export function snapshotBlock(slot: u32): u32 {
  return map.snapshotBlock(slot);
}
export function snapshotTable(slot: u32): u32 {
  return map.snapshotTable(slot);
}
export function snapshotBytes(slot: u32): f64 {
  return <f64>transfer.snapshotBytes(slot);
}
export function snapshotFrames(slot: u32): u32 {
  return atomic.load<u32>(map.snapshotBlock(slot), SNAPSHOT_FRAMES);
}
/** Points this vCPU at a snapshot (slot + 1) or back at main memory (0). */
export function lookAt(slotPlusOne: u32): void {
  timer.turnOff();
  atomic.and<u32>(vcpu.block, 0, VCPU_PENDING);
  atomic.store<u32>(vcpu.block, slotPlusOne, VCPU_SNAPSHOT);
}
/** Copies a range of a snapshot, at most STAGING_BYTES, to this vCPU's staging buffer; returns its address. */
export function readSnapshot(slot: u32, address: u32, bytes: u32): u32 {
  return transfer.copyOut(slot, address, bytes, load<u32>(vcpu.block, VCPU_STAGING));
}
export function isGuestRange(address: u32, bytes: u32): bool {
  return transfer.isGuestRange(address, bytes);
}
/** True when the range is memory of the kernel, windows included. */
export function isKernelRange(address: u32, bytes: u32): bool {
  return transfer.isKernelRange(address, bytes);
}
export function lend(address: u32, bytes: u32): u32 {
  return transfer.lend(address, bytes);
}
export function receive(address: u32, bytes: u32): u32 {
  return transfer.receive(address, bytes);
}
export function deliver(address: u32, bytes: u32): void {
  transfer.deliver(address, bytes);
}
/** Address of a contiguous kernel buffer, never given back; 0 when there is no room. */
export function claimWindow(frameCount: u32): u32 {
  return frames.run(frameCount);
}
/** One frame, not zeroed, for a linked guest; 0 when there is none. freeFrame() takes it back. */
export function allocFrame(): u32 {
  return frames.alloc();
}
export function freeFrame(frame: u32): void {
  frames.free(frame);
}
export function post(vcpuIndex: u32, vector: u32): void {
  interrupt.post(vcpuIndex, vector);
}
export function bindHandler(slot: u32): void {
  trapTable.bind(slot);
}
export function unbindHandler(slot: u32): void {
  trapTable.unbind(slot);
}
export function depth(): u32 {
  return load<u32>(vcpu.block, VCPU_DEPTH);
}
export function unwind(toDepth: u32): void {
  call.unwind(toDepth);
  vcpu.unwind(toDepth);
  trapTable.unwind();
  timer.unwind(toDepth);
}
