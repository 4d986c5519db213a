// Operations: numbers that keep a wrapped version from deceiving a reader.
//
// Interface   begin() before each attempt of an operation, end() after it. Between them this vCPU may keep
//             headers that it saw, and validate them later. advance() gives a header its next version.
// Invariants  TAB-4  A version is not reused during an operation of a reader: before a frame's version wraps,
//                    every vCPU has left the operation that it was in.
// Concurrency Its vCPU writes AREA_OPERATION; vCPUs whose version wraps read it. begin() is a full fence: a
//             header seen after it is not older than the operation's number (pairs with quiesce()).
// Cost        begin() about 6 ns, once per operation; a wrap waits for the longest operation in progress,
//             once in 2^20 changes of one frame.

import { VCPU_ABSENT, VCPU_DEPTH, VCPU_STATE } from '../abi/vcpu-block';
import { VM_VCPUS } from '../abi/vm-block';
import * as interrupts from '../designs/interrupts';
import * as barrier from '../machine/barrier';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as tlb from '../mmu/tlb';
import * as area from './area';
import * as counter from './counter';
import * as header from './header';

/** Everything that this operation has read is invalid: versions may have wrapped since. */
const BROKEN: u64 = ~0;
/** The processor may reorder loads: validation needs a fence first. */
const WEAK: u64 = ~1;
/**
 * 0: an unchanged header validates a read. BROKEN or WEAK are OR-ed into the comparison, so that it always
 * fails.
 */
export let doubt: u64 = 0;
/** This vCPU's operation: odd during one. */
let number: u32 = 0;
/** Position of the clock's hand when this vCPU last flushed its TLB. */
let aged: u32 = 0;

export function attach(): void {
  number = load<u32>(area.own, area.AREA_OPERATION);
  aged = atomic.load<u32>(area.block, area.HAND);
  end();
  interrupts.attach();
}

/** Starts an operation, or a new attempt of it: headers seen before are invalid. */
export function begin(): void {
  interrupts.poll();
  number = (number + 2) | 1;
  doubt = barrier.weak ? WEAK : 0;
  atomic.store<u32>(area.own, number, area.AREA_OPERATION);
  const hand = load<u32>(area.block, area.HAND);
  if (hand - aged > area.frames >> 2) age(hand);
}

export function end(): void {
  number = (number + 1) & ~1;
  barrier.publish32(area.own + area.AREA_OPERATION, number);
}


@inline
export function isBroken(): bool {
  return doubt == BROKEN;
}

/**
 * Flushes the TLB once the hand has passed a quarter of the pool, so that hot pages get their marks again.
 */
function age(hand: u32): void {
  aged = hand;
  tlb.flush();
}

/** Leaves the operation so that no other vCPU waits for it: its reads are invalid, its pins stay. */
export function invalidate(): void {
  if ((number & 1) == 0) return;
  doubt = BROKEN;
  number += 1;
  atomic.store<u32>(area.own, number, area.AREA_OPERATION);
  counter.count(counter.WAITS);
}

/** The header with the frame's next version. The caller holds the frame. A wrap waits. */
@inline
export function advance(old: u64): u64 {
  const next = (old & ~header.VERSION_MASK) | ((old + header.VERSION_ONE) & header.VERSION_MASK);
  if ((next & header.VERSION_MASK) == 0) quiesce();
  return next;
}

/** Returns when every vCPU has left the operation that it was in. */
function quiesce(): void {
  counter.count(counter.WRAPS);
  invalidate();
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) if (i != vcpu.index) quiesceOne(i);
}

function quiesceOne(index: u32): void {
  const other = area.areaOf(index);
  if (other == 0) return;
  const seen = atomic.load<u32>(other, area.AREA_OPERATION);
  if ((seen & 1) == 0) return;
  let turn: u32 = 0;
  while (atomic.load<u32>(other, area.AREA_OPERATION) == seen && isInside(index)) {
    interrupts.poll();
    spinlock.pause(turn++, other + area.AREA_OPERATION);
  }
}

/** A vCPU whose thread has ended, or that a trap took out of the guest, is in no operation. */
function isInside(index: u32): bool {
  const block = map.vcpuBlock(index);
  if (atomic.load<u32>(block, VCPU_STATE) == VCPU_ABSENT) return false;
  return atomic.load<u32>(block, VCPU_DEPTH) != 0;
}
