// This vCPU's submission and completion queues: I/O without waiting (abi/ring.ts).
//
// Interface   attach() once per vCPU; isServed() says whether the service runs. submit() puts an entry into
//             the queue if room() allows, ring() publishes the entries to the service. next() takes a
//             completion into `userData` and `result`. wait(n) returns when n completions can be taken.
// Invariants  RING-1  One side stores each index, after the entries that it covers; the other side reads the
//                     index before the entries.
//             RING-2  An entry may be reused once RING_SQ_HEAD has passed it: the service has copied it. By
//                     construction.
//             RING-3  An entry is submitted only if its completion has room, so no completion is lost.
// Concurrency The service reads and writes the rings concurrently. Other vCPUs have their own.
// Cost        submit() and next() about 5 ns; ring() a system call if the service sleeps, else one store.

import { COUNTER_SUBMITTED } from '../abi/counter';
import { PANIC_RING } from '../abi/panic';
import {
  CQE_RESULT,
  CQE_SHIFT,
  CQE_USER_DATA,
  CQ_ENTRIES,
  IO_ASLEEP,
  IO_AWAKE,
  IO_DEAD,
  IO_STARTING,
  RING_BROKEN,
  RING_CQ,
  RING_CQ_HEAD,
  RING_CQ_TAIL,
  RING_FLAGS,
  RING_FRAMES,
  RING_IN_FLIGHT,
  RING_SQ,
  RING_SQ_HEAD,
  RING_SQ_TAIL,
  SQE_ADDRESS,
  SQE_FILE,
  SQE_FLAGS,
  SQE_LENGTH,
  SQE_OPCODE,
  SQE_POSITION,
  SQE_SHIFT,
  SQE_USER_DATA,
  SQE_ZERO,
  SQ_ENTRIES,
} from '../abi/ring';
import { SYS_RING_ENTER } from '../abi/syscall';
import { VCPU_RING } from '../abi/vcpu-block';
import { VM_IO_STATE } from '../abi/vm-block';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as linkage from '../mmu/linkage';


@external('libdbos', 'syscall')
declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

/** The completion that next() took. Set by next(); valid until its next call. */
export let userData: u64 = 0;
export let result: i32 = 0;

/** Address of the rings. */
export let rings: u32 = 0;
/** Entries submitted, published or not; completions taken. */
let tail: u32 = 0;
let head: u32 = 0;

/** Whether the service is running, asleep or awake. */
export function isServed(): bool {
  const state = atomic.load<u32>(map.vm, VM_IO_STATE);
  return state == IO_ASLEEP || state == IO_AWAKE;
}

/** Creates the queues, or takes over those of an earlier vCPU with this index; false without room. */
export function attach(): bool {
  rings = load<u32>(vcpu.block, VCPU_RING);
  if (rings == 0) {
    rings = linkage.claimFrames(RING_FRAMES); // reads as zero; later vCPUs with this index reuse it
    if (rings == 0) return false;
    atomic.store<u32>(vcpu.block, rings, VCPU_RING);
  }
  tail = atomic.load<u32>(rings, RING_SQ_TAIL);
  drain();
  return true;
}

/** Waits until the operations of an earlier vCPU with this index have ended. */
function drain(): void {
  const state = atomic.load<u32>(map.vm, VM_IO_STATE);
  if (state == IO_ASLEEP || state == IO_AWAKE || state == IO_STARTING) {
    while (
      atomic.load<u32>(rings, RING_IN_FLIGHT) != 0 ||
      atomic.load<u32>(rings, RING_SQ_HEAD) != tail
    ) {
      head = atomic.load<u32>(rings, RING_CQ_TAIL);
      atomic.store<u32>(rings, head, RING_CQ_HEAD);
      if (wait(1) < 0) break;
    }
  }
  head = atomic.load<u32>(rings, RING_CQ_TAIL);
  atomic.store<u32>(rings, head, RING_CQ_HEAD);
}

/** RING_INTERRUPTS: completions also raise an interrupt. */
export function setFlags(flags: u32): void {
  atomic.store<u32>(rings, flags, RING_FLAGS);
}

/** Entries submitted whose completion has not been taken. */
@inline
export function outstanding(): u32 {
  return tail - head;
}

/** Entries that submit() has room for. */
export function room(): u32 {
  const queued = SQ_ENTRIES - (tail - atomic.load<u32>(rings, RING_SQ_HEAD));
  return min<u32>(queued, CQ_ENTRIES - outstanding());
}

/** Puts an entry into the queue; false if it is full or too many are outstanding. ring() publishes it. */
export function submit(
  opcode: u32,
  flags: u32,
  file: u32,
  address: u32,
  bytes: u32,
  position: u64,
  data: u64,
): bool {
  if (room() == 0) return false;
  const entry = rings + RING_SQ + ((tail & (SQ_ENTRIES - 1)) << SQE_SHIFT);
  store<u8>(entry, <u8>opcode, SQE_OPCODE);
  store<u8>(entry, <u8>flags, SQE_FLAGS);
  store<u16>(entry, <u16>file, SQE_FILE);
  store<u32>(entry, bytes, SQE_LENGTH);
  store<u64>(entry, position, SQE_POSITION);
  store<u32>(entry, address, SQE_ADDRESS);
  store<u32>(entry, 0, SQE_ZERO);
  store<u64>(entry, data, SQE_USER_DATA);
  tail += 1;
  if (
    CHECKED &&
    (outstanding() > CQ_ENTRIES || tail - atomic.load<u32>(rings, RING_SQ_HEAD) > SQ_ENTRIES)
  )
    panic(PANIC_RING);
  vcpu.count(COUNTER_SUBMITTED);
  return true;
}

/**
 * Publishes the submitted entries. The service checks again before it sleeps, so only a sleeping one needs a
 * wake-up.
 */
export function ring(): void {
  atomic.store<u32>(rings, tail, RING_SQ_TAIL);
  if (atomic.load<u32>(map.vm, VM_IO_STATE) == IO_ASLEEP) syscall(SYS_RING_ENTER, 0, 0, 0, 0, 0);
}

/** Takes a completion; false if there is none. */
export function next(): bool {
  if (atomic.load<u32>(rings, RING_CQ_TAIL) == head) return false;
  if (CHECKED && atomic.load<u32>(rings, RING_CQ_TAIL) - head > outstanding()) panic(PANIC_RING); // RING-3
  const entry = rings + RING_CQ + ((head & (CQ_ENTRIES - 1)) << CQE_SHIFT);
  userData = load<u64>(entry, CQE_USER_DATA);
  result = load<i32>(entry, CQE_RESULT);
  head += 1;
  atomic.store<u32>(rings, head, RING_CQ_HEAD);
  return true;
}

/** Returns when `count` completions can be taken: 0, or a negative errno if they will never arrive. */
export function wait(count: u32): i32 {
  atomic.store<u32>(rings, tail, RING_SQ_TAIL);
  return syscall(SYS_RING_ENTER, <i32>count, 0, 0, 0, 0);
}

/** Whether the service has ended or ignores this vCPU: operations may still happen, but never complete. */
export function isDead(): bool {
  return (
    atomic.load<u32>(map.vm, VM_IO_STATE) == IO_DEAD || atomic.load<u32>(rings, RING_BROKEN) != 0
  );
}
