// A log of orders: any number of vCPUs append to it, and an order is accepted when it is durable.

import { syscall } from 'ringzero/assembly';
import { ENOMEM } from 'ringzero/assembly/abi/errno';
import * as sys from 'ringzero/assembly/abi/syscall';
import { linkage, logReader, logWriter, requests, vcpu } from 'ringzero/assembly/linked';

const LOG: u32 = 8; // guest memory: the word with the address of the log's block
const NAME: u32 = 1024; // the file's name, written by the host
const ORDERS: u32 = 4096; // one order per vCPU, while it is being appended: 16 bytes
const BUFFER_BYTES: u32 = 1 << 20;

let count: u32 = 0;
let sum: u64 = 0;

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  requests.attach(); // this vCPU's queue
  if (load<u32>(LOG) != 0) logWriter.attach(load<u32>(LOG));
}

/**
 * Opens the log whose name is `bytes` long, and reads its orders. Once, before others attach. 0, or a
 * negative errno.
 */
export function open(bytes: i32): i32 {
  const block = linkage.claimFrames(1);
  const buffer = linkage.claimFrames(BUFFER_BYTES >> 12);
  if (block == 0 || buffer == 0) return -ENOMEM;
  linkage.setDmaWindow(buffer, buffer + BUFFER_BYTES); // all that the device may touch
  const flags = sys.OPEN_READ | sys.OPEN_WRITE | sys.OPEN_CREATE;
  const descriptor = syscall(sys.SYS_OPEN, NAME, bytes, flags, 0, 0);
  if (descriptor < 0) return descriptor;
  const file = syscall(sys.SYS_RING_FILE, descriptor, 0, 0, 0, 0);
  if (file < 0) return file;
  const read = replay(file, block, buffer); // the block is free until the writer uses it
  if (read < 0) return read;
  store<u32>(LOG, block);
  return logWriter.open(block, file, buffer, BUFFER_BYTES);
}

/** Repeats everything that was committed, as a database does after a crash. */
function replay(file: i32, block: u32, buffer: u32): i32 {
  let found = logReader.open(file, block, buffer, BUFFER_BYTES);
  while (found >= 0) {
    found = logReader.next();
    if (found != 1) break;
    count += 1;
    sum += load<u64>(logReader.payload, 8);
  }
  return found;
}

/** The orders that open() found: their number, and the sum of their amounts. */
export function orders(): u32 {
  return count;
}
export function total(): u64 {
  return sum;
}

/** Appends an order. 0 once it is durable, or a negative errno. */
export function order(customer: u64, amount: u64): i32 {
  const at = ORDERS + (vcpu.index << 4);
  store<u64>(at, customer);
  store<u64>(at, amount, 8);
  const lsn = logWriter.append(at, 16);
  return lsn == 0 ? -logWriter.failure : logWriter.commit(lsn);
}

/** Flushes since the log was opened. The slower the device, the fewer. */
export function flushes(): u32 {
  return logWriter.groups();
}
