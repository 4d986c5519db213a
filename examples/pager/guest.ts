// An array of 64-bit numbers in a file far larger than memory: a pager with its own page-fault handler.

import { syscall } from 'ringzero/assembly';
import { ENOMEM } from 'ringzero/assembly/abi/errno';
import * as sys from 'ringzero/assembly/abi/syscall';
import { linkage, mmu } from 'ringzero/assembly/linked';

const NAME: u32 = 1024; // guest memory: the file's name, written by the host
const PAGES: u32 = 4096; // guest memory: the number of the page in each frame, 8 bytes each
const FRAMES: u32 = 64; // the memory of the array

let frames: u32 = 0;
let file: i32 = -1;
let faults: u32 = 0;

// Every linked guest exports these two: boot() is called once per VM, attach() once per vCPU.

export function boot(count: u32): void {
  linkage.attach(count);
}

export function attach(count: u32): void {
  linkage.attach(count);
}

/** Opens the file whose name is `bytes` long. 0, or a negative errno. */
export function open(bytes: i32): i32 {
  frames = linkage.claimFrames(FRAMES);
  linkage.setDmaWindow(frames, frames + FRAMES * 4096); // what system calls may fill
  const space = mmu.create();
  if (frames == 0 || space == 0 || !mmu.attach(space)) return -ENOMEM;
  memory.fill(PAGES, 0xff, FRAMES * 8); // an invalid page number
  const flags = sys.OPEN_READ | sys.OPEN_WRITE | sys.OPEN_CREATE;
  file = syscall(sys.SYS_OPEN, NAME, bytes, flags, 0, 0);
  return min(file, 0);
}

/** The page-fault handler: evicts the oldest page, reads this one into its frame. 0, or a negative errno. */
export function onPageFault(page: u64, access: u32): i32 {
  const slot = faults++ % FRAMES;
  const frame = frames + slot * 4096;
  const before = PAGES + slot * 8;
  const written = writeBack(load<u64>(before), frame);
  if (written < 0) return written;
  mmu.unmap(load<u64>(before));
  memory.fill(frame, 0, 4096); // the file may end before the page does
  const read = transfer(sys.SYS_PREAD, page, frame);
  if (read < 0) return read;
  store<u64>(before, page);
  return mmu.map(page, frame, true) ? 0 : -ENOMEM;
}

function writeBack(page: u64, frame: u32): i32 {
  return mmu.isDirty(page) ? transfer(sys.SYS_PWRITE, page, frame) : 0;
}

function transfer(call: i32, page: u64, frame: u32): i32 {
  return syscall(call, file, frame, 4096, <u32>page, <u32>(page >> 32));
}

// The database. It does not deal with pages: read() and write() return addresses, and fault if necessary.

export function set(index: u64, value: u64): i32 {
  const at = mmu.write(index << 3);
  if (at == 0) return -mmu.failure;
  store<u64>(at, value);
  return 0;
}

export function get(index: u64): u64 {
  const at = mmu.read(index << 3);
  return at == 0 ? u64.MAX_VALUE : load<u64>(at);
}

/** Writes all changed pages to the file. 0, or a negative errno. */
export function flush(): i32 {
  let result = 0;
  for (let slot: u32 = 0; slot < FRAMES && result >= 0; slot++)
    result = writeBack(load<u64>(PAGES + slot * 8), frames + slot * 4096);
  return min(result, 0);
}

export function faultCount(): u32 {
  return faults;
}
