// This vCPU's submission and completion queue: what it asks of storage without waiting (abi/ring.ts).
//
// Interface   attach() once per vCPU; isServed() says whether anybody would answer. submit() puts an entry
//             into the queue if there is room(), ring() shows the service what has been put there. next()
//             takes a completion: `userData` and `result` are its. wait(n) returns when n completions can be
//             taken.
// Invariants  RING-1  Each index is stored by one side, after the entries that it covers; the other reads it
//                     first.
//             RING-2  An entry may be reused once RING_SQ_HEAD is past it: the service has copied it.
//             RING-3  Nothing is submitted that a completion has no room for, so a completion is never lost.
// Concurrency The service reads and writes beside this vCPU. Other vCPUs have their own.
// Cost        submit() and next() about 5 ns; ring() a system call if the service sleeps, else nothing.

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

/** The completion that next() took. */
export let userData: u64 = 0;
export let result: i32 = 0;

/** Address of the rings. */
export let rings: u32 = 0;
/** Entries put into the queue, shown or not; completions taken. */
let tail: u32 = 0;
let head: u32 = 0;

/** Whether the service was there when last looked. */
export function isServed(): bool {
  const state = atomic.load<u32>(map.vm, VM_IO_STATE);
  return state == IO_ASLEEP || state == IO_AWAKE;
}

/**
 * Makes the queues, or takes over those of an earlier vCPU of this number; false when there is no room for
 * them.
 */
export function attach(): bool {
  rings = load<u32>(vcpu.block, VCPU_RING);
  if (rings == 0) {
    rings = linkage.claimFrames(RING_FRAMES); // reads as zero, and stays for later vCPUs of this number
    if (rings == 0) return false;
    atomic.store<u32>(vcpu.block, rings, VCPU_RING);
  }
  tail = atomic.load<u32>(rings, RING_SQ_TAIL);
  drain();
  return true;
}

/** Lets what an earlier vCPU of this number has left under way come to its end. */
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

/** RING_INTERRUPTS: whether completions come with an interrupt as well. */
export function setFlags(flags: u32): void {
  atomic.store<u32>(rings, flags, RING_FLAGS);
}

/** Entries that were submitted and whose completion was not taken. */
@inline
export function outstanding(): u32 {
  return tail - head;
}

/** Entries that submit() has room for. */
export function room(): u32 {
  const queued = SQ_ENTRIES - (tail - atomic.load<u32>(rings, RING_SQ_HEAD));
  return min<u32>(queued, CQ_ENTRIES - outstanding());
}

/** Puts an entry into the queue; false when it is full, or too many are outstanding. ring() shows it. */
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
 * Shows the service what was submitted. It looks again before it sleeps, so it is woken only if it sleeps.
 */
export function ring(): void {
  atomic.store<u32>(rings, tail, RING_SQ_TAIL);
  if (atomic.load<u32>(map.vm, VM_IO_STATE) == IO_ASLEEP) syscall(SYS_RING_ENTER, 0, 0, 0, 0, 0);
}

/** Takes a completion; false when none has come. */
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

/** Returns when `count` completions can be taken: 0, or a negative errno if they will never come. */
export function wait(count: u32): i32 {
  atomic.store<u32>(rings, tail, RING_SQ_TAIL);
  return syscall(SYS_RING_ENTER, <i32>count, 0, 0, 0, 0);
}

/**
 * Whether the service has given up on this vCPU, or is gone: what is outstanding may still happen, but nobody
 * will say so.
 */
export function isDead(): bool {
  return (
    atomic.load<u32>(map.vm, VM_IO_STATE) == IO_DEAD || atomic.load<u32>(rings, RING_BROKEN) != 0
  );
}
