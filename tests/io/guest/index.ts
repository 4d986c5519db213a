// A guest for tests of rings: the queue of this vCPU as it is, and buffers in the DMA window.

import { SYS_CLOSE, SYS_OPEN, SYS_PREAD, SYS_RING_FILE } from '../../../assembly/abi/syscall';
import { VECTOR_IO } from '../../../assembly/abi/vector';
import { VCPU_PENDING, VCPU_RING } from '../../../assembly/abi/vcpu-block';
import { syscall } from '../../../assembly/index';
import { linkage, queue, vcpu } from '../../../assembly/linked';

const BUFFERS: u32 = 1024; // guest memory: the word that holds the address of the buffers
const PATH: u32 = 2048;

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  queue.attach();
}

/** Makes buffers of `frames` frames, the whole DMA window; returns their address. */
export function makeBuffers(frames: u32): u32 {
  const start = linkage.claimFrames(frames);
  linkage.setDmaWindow(start, start + (frames << 12));
  store<u32>(BUFFERS, start);
  return start;
}

export function setWindow(start: u32, end: u32): i32 {
  return linkage.setDmaWindow(start, end);
}

export function pread(descriptor: i32, address: u32, bytes: u32): i32 {
  return syscall(SYS_PREAD, descriptor, address, bytes, 0, 0);
}

export function put(address: u32, value: u32): void {
  store<u32>(address, value);
}

export function get(address: u32): u32 {
  return load<u32>(address);
}

export function putPath(index: u32, byte: u32): void {
  store<u8>(PATH + index, <u8>byte);
}

export function open(bytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>PATH, bytes, flags, 0, 0);
}

export function close(descriptor: i32): i32 {
  return syscall(SYS_CLOSE, descriptor, 0, 0, 0, 0);
}

export function ringFile(descriptor: i32): i32 {
  return syscall(SYS_RING_FILE, descriptor, 0, 0, 0, 0);
}

export function isServed(): u32 {
  return u32(queue.isServed());
}

export function submit(
  opcode: u32,
  flags: u32,
  file: u32,
  address: u32,
  bytes: u32,
  position: u64,
  data: u64,
): u32 {
  return u32(queue.submit(opcode, flags, file, address, bytes, position, data));
}

export function ring(): void {
  queue.ring();
}

export function next(): u32 {
  return u32(queue.next());
}

export function data(): u64 {
  return queue.userData;
}

export function result(): i32 {
  return queue.result;
}

export function wait(count: u32): i32 {
  return queue.wait(count);
}

export function outstanding(): u32 {
  return queue.outstanding();
}

export function setFlags(flags: u32): void {
  queue.setFlags(flags);
}

/** Whether VECTOR_IO is pending; it is not any more. */
export function takeInterrupt(): u32 {
  return (atomic.and<u32>(vcpu.block, ~((<u32>1) << VECTOR_IO), VCPU_PENDING) >> VECTOR_IO) & 1;
}

/** Address of this vCPU's rings, to store into them whatever. */
export function rings(): u32 {
  return load<u32>(vcpu.block, VCPU_RING);
}

export function setRings(address: u32): void {
  atomic.store<u32>(vcpu.block, address, VCPU_RING);
}

/**
 * Reads pages [0, pages) of the file `times` times with `depth` reads under way, or with system calls if 0;
 * sum of results.
 */
export function readMany(file: u32, descriptor: i32, pages: u32, times: u32, depth: u32): f64 {
  const buffers = load<u32>(BUFFERS);
  let sum: f64 = 0;
  let state: u32 = 88172645;
  let asked: u32 = 0;
  let done: u32 = 0;
  while (done < times) {
    while (asked < times && (depth == 0 || asked - done < depth)) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      const page = state % pages;
      if (depth == 0) {
        sum += <f64>syscall(SYS_PREAD, descriptor, buffers, 4096, page, 0);
        asked += 1;
        done += 1;
        continue;
      }
      queue.submit(1, 0, file, buffers + ((asked % depth) << 12), 4096, (<u64>page) << 12, asked);
      asked += 1;
    }
    if (depth == 0) continue;
    queue.ring();
    if (queue.wait(min<u32>(queue.outstanding(), (depth + 1) >> 1)) < 0) return -1;
    while (queue.next()) {
      sum += <f64>queue.result;
      done += 1;
    }
  }
  return sum;
}
