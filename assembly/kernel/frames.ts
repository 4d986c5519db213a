// Frame allocator: per-vCPU free lists, refilled in batches from a global list, then from memory that was
// never used.
//
// Interface   alloc() returns a frame's address or 0; free(); inherit() frees what a dead vCPU kept. Frames
//             are not zeroed (paper, 4.2). run() returns adjacent frames that are never freed: windows and
//             staging.
// Invariants  FRAME-1  A frame is on one list or has one owner.
//             FRAME-2  Memory between the break and the floor was never handed out: it still reads as zero,
//                      so guest memory may grow into it.
// Concurrency Own list: this vCPU alone. Global list: compare-and-swap on {head, version}; the version
//             detects a head that was removed and pushed again. Break and floor share one 64-bit word, so
//             that neither passes the other.
// Cost        alloc 2 loads and 2 stores; every FRAME_BATCH-th also a compare-and-swap.
//
//   free frame:   word 0  next frame of this list or batch
//   batch head:   word 1  next batch, word 2  frames in this batch

import { FRAME_BATCH, FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import {
  PANIC_FRAME_ADDRESS,
  PANIC_FRAME_FREED_TWICE,
  PANIC_FRAME_LIST,
  PANIC_FRAME_WRITTEN,
} from '../abi/panic';
import { VCPU_FREE_COUNT, VCPU_FREE_HEAD, VCPU_FRESH, VCPU_FRESH_END } from '../abi/vcpu-block';
import { VM_BATCHED_FRAMES, VM_BATCHES, VM_BREAK, VM_FILES_TOP, VM_VCPUS } from '../abi/vm-block';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import { pause } from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';

const NEXT: u32 = 0;
const NEXT_BATCH: u32 = 4;
const BATCH_FRAMES: u32 = 8;

export function alloc(): u32 {
  const frame = load<u32>(vcpu.block, VCPU_FREE_HEAD);
  if (frame == 0) return allocSlow();
  if (CHECKED) unpoison(frame);
  store<u32>(vcpu.block, load<u32>(frame, NEXT), VCPU_FREE_HEAD);
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_FREE_COUNT) - 1, VCPU_FREE_COUNT);
  return frame;
}

function allocSlow(): u32 {
  const block = vcpu.block;
  let fresh = load<u32>(block, VCPU_FRESH);
  if (fresh == load<u32>(block, VCPU_FRESH_END)) {
    const batch = popBatch();
    if (batch != 0) {
      if (CHECKED) unpoison(batch);
      store<u32>(block, load<u32>(batch, NEXT), VCPU_FREE_HEAD);
      store<u32>(block, load<u32>(batch, BATCH_FRAMES) - 1, VCPU_FREE_COUNT);
      return batch;
    }
    fresh = run(FRAME_BATCH);
    if (fresh == 0) return run(1);
    store<u32>(block, fresh, VCPU_FRESH);
    store<u32>(block, fresh + FRAME_BATCH * FRAME_BYTES, VCPU_FRESH_END);
  }
  store<u32>(block, fresh + FRAME_BYTES, VCPU_FRESH);
  return fresh;
}

export function free(frame: u32): void {
  if (CHECKED) checkFrame(frame);
  if (CHECKED) poison(frame);
  const count = load<u32>(vcpu.block, VCPU_FREE_COUNT) + 1;
  store<u32>(frame, load<u32>(vcpu.block, VCPU_FREE_HEAD), NEXT);
  store<u32>(vcpu.block, frame, VCPU_FREE_HEAD);
  store<u32>(vcpu.block, count, VCPU_FREE_COUNT);
  if (count >= 2 * FRAME_BATCH) returnBatch();
}

/** Returns all frames that this vCPU keeps to the global list, when it ends. */
export function flush(): void {
  freeFresh(vcpu.block);
  while (load<u32>(vcpu.block, VCPU_FREE_COUNT) != 0) returnBatch();
  if (CHECKED && load<u32>(vcpu.block, VCPU_FREE_HEAD) != 0) panic(PANIC_FRAME_LIST);
}

/**
 * Frees the frames kept by a vCPU whose thread has ended. The chain is valid at every instruction of alloc()
 * and free(), the count is not: so this follows the chain, up to its maximum length.
 */
export function inherit(block: u32): void {
  let frame = load<u32>(block, VCPU_FREE_HEAD);
  store<u32>(block, 0, VCPU_FREE_HEAD);
  store<u32>(block, 0, VCPU_FREE_COUNT);
  for (let left = 2 * FRAME_BATCH + 1; left != 0 && frame != 0; left--) {
    const next = load<u32>(frame, NEXT);
    if (CHECKED) unpoison(frame);
    free(frame);
    frame = next;
  }
  freeFresh(block);
}

/** For a vCPU that takes over the block with its frames: corrects the count. */
export function recount(block: u32): void {
  let count: u32 = 0;
  let frame = load<u32>(block, VCPU_FREE_HEAD);
  for (; frame != 0 && count <= 2 * FRAME_BATCH; count++) frame = load<u32>(frame, NEXT);
  store<u32>(block, count, VCPU_FREE_COUNT);
}

function freeFresh(block: u32): void {
  const end = load<u32>(block, VCPU_FRESH_END);
  for (let frame = load<u32>(block, VCPU_FRESH); frame < end; frame += FRAME_BYTES) free(frame);
  store<u32>(block, 0, VCPU_FRESH);
  store<u32>(block, 0, VCPU_FRESH_END);
}

function returnBatch(): void {
  const count = min<u32>(load<u32>(vcpu.block, VCPU_FREE_COUNT), FRAME_BATCH);
  const head = load<u32>(vcpu.block, VCPU_FREE_HEAD);
  let last = head;
  for (let i: u32 = 1; i < count; i++) last = load<u32>(last, NEXT);
  if (CHECKED && (count == 0 || last == 0)) panic(PANIC_FRAME_LIST);
  store<u32>(vcpu.block, load<u32>(last, NEXT), VCPU_FREE_HEAD);
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_FREE_COUNT) - count, VCPU_FREE_COUNT);
  store<u32>(last, 0, NEXT);
  store<u32>(head, count, BATCH_FRAMES);
  pushBatch(head, count);
}

function pushBatch(head: u32, count: u32): void {
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BATCHES);
    store<u32>(head, <u32>old, NEXT_BATCH);
    const renewed = (((old >> 32) + 1) << 32) | (<u64>head);
    if (atomic.cmpxchg<u64>(map.vm, old, renewed, VM_BATCHES) == old) break;
  }
  atomic.add<u32>(map.vm, count, VM_BATCHED_FRAMES);
}

function popBatch(): u32 {
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BATCHES);
    const head = <u32>old;
    if (head == 0) return 0;
    // May read a batch that another vCPU has just taken: then the version has changed and the swap fails.
    const renewed = (((old >> 32) + 1) << 32) | (<u64>load<u32>(head, NEXT_BATCH));
    if (atomic.cmpxchg<u64>(map.vm, old, renewed, VM_BATCHES) == old) {
      atomic.sub<u32>(map.vm, load<u32>(head, BATCH_FRAMES), VM_BATCHED_FRAMES);
      return head;
    }
  }
}

/** Address of `count` adjacent frames that were never used, or 0. Lowers the floor. */
export function run(count: u32): u32 {
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BREAK);
    const limit = <u32>old;
    const floor = <u32>(old >> 32);
    if (floor - bottom(limit) < count) return 0;
    const lowered = ((<u64>(floor - count)) << 32) | (<u64>limit);
    if (atomic.cmpxchg<u64>(map.vm, old, lowered, VM_BREAK) != old) continue;
    if (floor - count >= atomic.load<u32>(map.vm, VM_FILES_TOP))
      return (floor - count) << FRAME_SHIFT;
    retract(floor - count, count); // file memory has just begun there
    return 0;
  }
}

/** The floor stays above this page. */
function bottom(breakPage: u32): u32 {
  return max<u32>(breakPage, atomic.load<u32>(map.vm, VM_FILES_TOP));
}

/** Raises the floor from `floor` again, after all who lowered it further have done so. */
function retract(floor: u32, count: u32): void {
  let turn: u32 = 0;
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BREAK);
    const raised = ((<u64>(floor + count)) << 32) | (<u64>(<u32>old));
    if (<u32>(old >> 32) != floor) pause(turn++, map.vm + VM_BREAK + 4);
    else if (atomic.cmpxchg<u64>(map.vm, old, raised, VM_BREAK) == old) return;
  }
}

/** Frames that alloc() could still return, on any vCPU. An estimate while others run. */
export function available(): u32 {
  const both = atomic.load<u64>(map.vm, VM_BREAK);
  let frames = <u32>(both >> 32) - bottom(<u32>both) + atomic.load<u32>(map.vm, VM_BATCHED_FRAMES);
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    const block = map.vcpuBlock(i);
    const fresh = load<u32>(block, VCPU_FRESH_END) - load<u32>(block, VCPU_FRESH);
    frames += load<u32>(block, VCPU_FREE_COUNT) + (fresh >> FRAME_SHIFT);
  }
  return frames;
}

/** Frames below the kernel that were ever handed out. */
export function claimed(): u32 {
  return map.frameTop() - <u32>(atomic.load<u64>(map.vm, VM_BREAK) >> 32);
}

function checkFrame(frame: u32): void {
  const floor = <u32>(atomic.load<u64>(map.vm, VM_BREAK) >> 32);
  const pfn = frame >> FRAME_SHIFT;
  if ((frame & (FRAME_BYTES - 1)) != 0 || pfn < floor || pfn >= map.frameTop())
    panic(PANIC_FRAME_ADDRESS);
}

// --- checked builds: what a free frame contains ------------------------------------------------------------

const POISON_AT: u32 = 16; // after the words of the lists
const POISON: u64 = 0xdead_f4a3_dead_f4a3;

/** Fills a frame that becomes free. A completely poisoned one is already free. */
function poison(frame: u32): void {
  if (isPoisoned(frame)) panic(PANIC_FRAME_FREED_TWICE);
  for (let at = POISON_AT; at < FRAME_BYTES; at += 8) store<u64>(frame + at, POISON);
}

/** Checks that a frame being handed out was not written to while it was free. */
function unpoison(frame: u32): void {
  if (!isPoisoned(frame)) panic(PANIC_FRAME_WRITTEN);
  store<u64>(frame, ~POISON, POISON_AT);
}

function isPoisoned(frame: u32): bool {
  let at = POISON_AT;
  while (at < FRAME_BYTES && load<u64>(frame + at) == POISON) at += 8;
  return at == FRAME_BYTES;
}

/** Frames that alloc() can return without those below page `limit`, which the guest may want: an estimate. */
export function beyond(limit: u32): u32 {
  const floor = <u32>(atomic.load<u64>(map.vm, VM_BREAK) >> 32);
  const block = vcpu.block;
  const fresh = (load<u32>(block, VCPU_FRESH_END) - load<u32>(block, VCPU_FRESH)) >> FRAME_SHIFT;
  const unused = floor > limit + FRAME_BATCH ? floor - limit - FRAME_BATCH : 0;
  return (
    unused + fresh + load<u32>(block, VCPU_FREE_COUNT) + atomic.load<u32>(map.vm, VM_BATCHED_FRAMES)
  );
}

/** Frames between the floor and what is below it: file memory, or the break. */
export function unclaimed(): u32 {
  const both = atomic.load<u64>(map.vm, VM_BREAK);
  return <u32>(both >> 32) - bottom(<u32>both);
}
