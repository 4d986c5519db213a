// Epochs: the interval between two snapshots, as a full number (32 bits) and a short one (8 bits, the view).
//
// The epoch table has one byte per page: the view in which the page was last written. A store is free if that
// byte equals the vCPU's view; the check is one byte compare and needs no ordering. Views cycle through
// 1..VIEW_COUNT, so a byte must be cleared before its value recurs: each advance() sweeps a part of the
// table, whatever its size.
//
// Interface   advance() by the taker of a snapshot, which holds VM_SNAPSHOT_LOCK; settle() before the first
//             store of an epoch; note() with each mark.
// Invariants  EPOCH-1  No byte of the table is older than VIEW_COUNT - 1 epochs: equality means "written in
//                      this one".
//             EPOCH-2  A page is marked with the view of epoch e only when no running vCPU is behind e.
// Concurrency VM_EPOCH and VM_VIEW change together, in one 64-bit store. The sweep clears bytes by 64-bit
//             compare-and-swap, so it never undoes a concurrent mark or page lock.
// Cost        at most SWEEP_CHUNKS_MAX chunks of 4 KiB, read 16 bytes at a time: 0.3 us; chunks without marks
//             are free.

import { COUNTER_WAITS } from '../abi/counter';
import { FRAMES_MIN, PAGE_LOCKED, VIEW_COUNT, VIEW_FIRST } from '../abi/limits';
import { PANIC_LOCK_NOT_HELD } from '../abi/panic';
import { VCPU_EPOCH, VCPU_RUNNING, VCPU_SNAPSHOT, VCPU_STATE } from '../abi/vcpu-block';
import { VECTOR_EPOCH } from '../abi/vector';
import {
  VM_CHUNK_MARKS,
  VM_EPOCH,
  VM_SETTLED,
  VM_SNAPSHOT_LOCK,
  VM_SWEEP,
  VM_VCPUS,
  VM_VIEW,
} from '../abi/vm-block';
import * as interrupt from '../kernel/interrupt';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import { pause } from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';

const CHUNK_BYTES: u32 = FRAMES_MIN; // pages, and bytes of the table, per mark word
const CLEAN: u32 = 0; // mark word of a chunk whose bytes are all 0; no epoch is 0
/** Epochs for which a byte is certain to be kept. */
const KEPT: u32 = 120;
/** Epochs that a running vCPU may be behind: its marks are up to that much older than they look. */
const LAG_MAX: u32 = 40;
/** 256 chunks, 3 at a time, are all swept within 86 epochs; 120 + 86 + 40 < VIEW_COUNT. */
const SWEEP_CHUNKS_MAX: u32 = 3;

/** Serial-number order: correct unless a snapshot lives while 2^31 others are taken. */
@inline
export function isOlder(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

export function current(): u32 {
  return atomic.load<u32>(map.vm, VM_EPOCH);
}

/**
 * Starts the next epoch and asks every running vCPU to acknowledge it. Waits only for a vCPU that is LAG_MAX
 * behind.
 */
export function advance(): void {
  if (CHECKED && atomic.load<u32>(map.vm, VM_SNAPSHOT_LOCK) != 1) panic(PANIC_LOCK_NOT_HELD);
  settle(current() - LAG_MAX);
  let next = current() + 1;
  if (next == CLEAN) next = 1;
  let view = atomic.load<u32>(map.vm, VM_VIEW) + 1;
  if (view == VIEW_FIRST + VIEW_COUNT) view = VIEW_FIRST;
  sweep(next, view);
  atomic.store<u64>(map.vm, ((<u64>view) << 32) | (<u64>next), VM_EPOCH);
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    if (i != vcpu.index && mustAcknowledge(i)) interrupt.post(i, VECTOR_EPOCH);
  }
}

/** A vCPU in the host acknowledges when it returns; one that runs on a snapshot never writes main memory. */
function mustAcknowledge(index: u32): bool {
  const block = map.vcpuBlock(index);
  return (
    atomic.load<u32>(block, VCPU_STATE) == VCPU_RUNNING && load<u32>(block, VCPU_SNAPSHOT) == 0
  );
}

/** Waits until every running vCPU has acknowledged `epoch`, which each does at its next safepoint. */
export function settle(epoch: u32): void {
  if (!isOlder(atomic.load<u32>(map.vm, VM_SETTLED), epoch)) return;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    if (i == vcpu.index) continue;
    let turn: u32 = 0;
    const block = map.vcpuBlock(i);
    while (mustAcknowledge(i) && isOlder(atomic.load<u32>(block, VCPU_EPOCH), epoch)) {
      if (turn == 0) vcpu.count(COUNTER_WAITS);
      pause(turn++, block + VCPU_EPOCH);
    }
  }
  while (true) {
    const old = atomic.load<u32>(map.vm, VM_SETTLED);
    if (!isOlder(old, epoch) || atomic.cmpxchg<u32>(map.vm, old, epoch, VM_SETTLED) == old) return;
  }
}

/** Records that a page of this chunk is about to be marked: the sweep must visit it. */
@inline
export function note(page: u32, epoch: u32): void {
  const word = map.vm + VM_CHUNK_MARKS + ((page / CHUNK_BYTES) << 2);
  if (atomic.load<u32>(word) != epoch) atomic.store<u32>(word, epoch);
}

function sweep(epoch: u32, view: u32): void {
  const chunks = map.frameCount / CHUNK_BYTES;
  let chunk = load<u32>(map.vm, VM_SWEEP);
  for (let i: u32 = 0; i < min<u32>(SWEEP_CHUNKS_MAX, chunks); i++) {
    chunk = chunk + 1 < chunks ? chunk + 1 : 0;
    sweepChunk(chunk, epoch, view);
  }
  store<u32>(map.vm, chunk, VM_SWEEP);
}

/** Clears the bytes of a chunk that are older than KEPT epochs. */
function sweepChunk(chunk: u32, epoch: u32, view: u32): void {
  const word = map.vm + VM_CHUNK_MARKS + (chunk << 2);
  const mark = atomic.load<u32>(word);
  if (mark == CLEAN) return;
  // Old values are [1, 1 + low) and [view + 1, view + 1 + high), which meet where the numbers wrap.
  const wrapped = view <= KEPT;
  const low: u32 = wrapped ? 0 : view - KEPT - 1;
  const high: u32 = wrapped ? VIEW_COUNT - KEPT - 1 : VIEW_COUNT - view;
  const start = map.epochs + chunk * CHUNK_BYTES;
  for (let at = start; at - start < CHUNK_BYTES; at += 16) {
    if (v128.any_true(oldBytes(v128.load(at), view, low, high))) {
      clearOld(at, view, low, high);
      clearOld(at + 8, view, low, high);
    }
  }
  if (isOlder(mark + KEPT, epoch)) atomic.cmpxchg<u32>(word, mark, CLEAN);
}

/** Sets all bits of the lane of each old byte. */
@inline
function oldBytes(bytes: v128, view: u32, low: u32, high: u32): v128 {
  const below = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(1)), i8x16.splat(<i8>low));
  const above = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(<i8>(view + 1))), i8x16.splat(<i8>high));
  return v128.or(below, above);
}

function clearOld(at: u32, view: u32, low: u32, high: u32): void {
  while (true) {
    const old = atomic.load<u64>(at);
    const keep = v128.not(oldBytes(i64x2.splat(<i64>old), view, low, high));
    const renewed = old & i64x2.extract_lane(keep, 0);
    if (renewed == old || atomic.cmpxchg<u64>(at, old, renewed) == old) return;
  }
}

/** Compile-time proof that PAGE_LOCKED cannot collide with a view. */
if (PAGE_LOCKED < VIEW_FIRST + VIEW_COUNT) ERROR('PAGE_LOCKED must lie above every view');
