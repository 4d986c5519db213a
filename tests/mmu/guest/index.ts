// A guest for tests of virtual memory: a page-fault handler that does what it is told, or not.

import { EIO, ENOMEM } from '../../../assembly/abi/errno';
import { linkage, mmu, pageTable } from '../../../assembly/linked';

const MAP: u32 = 0;
const FAULTS_ITSELF: u32 = 1;
const DOES_NOTHING: u32 = 2;
const RETURNS_NONSENSE: u32 = 3;
const FAILS: u32 = 4;
const MAPS_READ_ONLY: u32 = 5;

let mode: u32 = 0;
let space: u32 = 0;
let faults: u32 = 0;
let lastAccess: u32 = 0;

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  space = mmu.create();
  mmu.attach(space);
}

export function setMode(value: u32): void {
  mode = value;
}

export function faultCount(): u32 {
  return faults;
}

export function accessOfLastFault(): u32 {
  return lastAccess;
}

/** A new page is filled with its number. */
export function onPageFault(page: u64, access: u32): i32 {
  faults += 1;
  lastAccess = access;
  if (mode == FAULTS_ITSELF) return <i32>mmu.read((page + 1) << 12);
  if (mode == DOES_NOTHING) return 0;
  if (mode == RETURNS_NONSENSE) return 7;
  if (mode == FAILS) return -EIO;
  const old = mmu.unmap(page); // there, but not for this access
  const frame = old == 0 ? linkage.allocFrame() : old;
  if (frame == 0) return -ENOMEM;
  if (old == 0) for (let i: u32 = 0; i < 4096; i += 8) store<u64>(frame + i, page);
  return mmu.map(page, frame, mode != MAPS_READ_ONLY) ? 0 : -ENOMEM;
}

export function get(virtual: u64): i64 {
  const at = mmu.read(virtual);
  return at == 0 ? -mmu.failure : load<i64>(at);
}

export function set(virtual: u64, value: u64): i32 {
  const at = mmu.write(virtual);
  if (at == 0) return -mmu.failure;
  store<u64>(at, value);
  return 0;
}

export function isDirty(page: u64): bool {
  return mmu.isDirty(page);
}

export function takeAccessed(page: u64): bool {
  return mmu.takeAccessed(page);
}

/** Frees the page and its frame. */
export function drop(page: u64): u32 {
  const frame = mmu.unmap(page);
  if (frame != 0) linkage.freeFrame(frame);
  return frame;
}

/** Pages change places. */
export function remap(from: u64, to: u64, count: u64): bool {
  const done = pageTable.remap(space, from, to, count);
  mmu.attach(space);
  return done;
}
