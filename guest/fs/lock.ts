// The lock of the file system: one operation at a time, of all vCPUs of the main image. A snapshot has one
// vCPU and begins between two operations, so there it is always free.
//
// Interface   Each exported operation takes it first and releases it last; recover() after one that trapped.
// Concurrency A vCPU that waits polls, so that the holder's write faults, which wait until every vCPU has
//             acknowledged the epoch, do not wait for it. It holds nothing then. An operation does not poll,
//             so a snapshot has the whole of it or nothing.

import { safepoint } from '../../assembly/index';
import { SUPER_LOCK } from './abi';
import * as space from './space';

const SPINS: u32 = 200;
const SLEEP_US: i32 = 50;


@external('files', 'sleep')
declare function sleep(word: u32, value: i32, us: i32): void;

/** 1 + the number of this vCPU. */
let self: u32 = 0;

export function attach(vcpu: u32): void {
  self = vcpu + 1;
}

export function acquire(): void {
  const word = space.superblock + SUPER_LOCK;
  let turn: u32 = 0;
  while (true) {
    const holder = atomic.cmpxchg<u32>(word, 0, self);
    if (holder == 0) return;
    safepoint();
    if (turn++ >= SPINS) sleep(word, <i32>holder, SLEEP_US);
  }
}

export function release(): void {
  atomic.store<u32>(space.superblock + SUPER_LOCK, 0);
}

export function recover(): void {
  atomic.cmpxchg<u32>(space.superblock + SUPER_LOCK, self, 0);
}
