// The content of files: reading, writing, changing the size.
//
// Cost        4 KiB that are there: a look at the map and a copy. Neighbouring blocks are copied together, up
//             to RUN_BYTES at once: the image would poll in a longer copy, in the middle of an operation.

import { EFBIG, ENOSPC } from '../../assembly/abi/errno';
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  FILE_BYTES_MAX,
  INODE_CTIME,
  INODE_MAP,
  INODE_MTIME,
  INODE_SIZE,
} from './abi';
import * as inode from './inode';
import * as map from './map';
import * as space from './space';

const RUN_BYTES: u32 = 65536;
/** Blocks that a write into one block can need. */
export const MOST: u32 = map.MOST;

export function size(address: u32): u64 {
  return load<u64>(address, INODE_SIZE);
}

/** Copies up to `bytes` bytes to `target`; returns their number, 0 at the end. */
export function read(address: u32, offset: f64, target: u32, bytes: u32): u32 {
  const end = size(address);
  const from = <u64>offset;
  if (from >= end) return 0;
  const count = <u32>min<u64>(bytes, end - from);
  for (let done: u32 = 0; done < count;) {
    const run = runAt(address + INODE_MAP, <u32>((from + done) >> BLOCK_SHIFT));
    const within = (<u32>(from + done)) & (BLOCK_BYTES - 1);
    const part = min<u32>(count - done, runBytes - within);
    if (run == 0) memory.fill(target + done, 0, part);
    else memory.copy(target + done, run + within, part);
    done += part;
  }
  return count;
}

/** Set by locate(): bytes from there on that are neighbours, at most what the file has. */
export let locatedBytes: u32 = 0;

/** Address of a byte of the content for the host to read; 0 at the end, or in a hole. */
export function locate(address: u32, offset: f64): u32 {
  locatedBytes = 0;
  const from = <u64>offset;
  if (from >= size(address)) return 0;
  const run = runAt(address + INODE_MAP, <u32>(from >> BLOCK_SHIFT));
  const within = (<u32>from) & (BLOCK_BYTES - 1);
  locatedBytes = <u32>min<u64>(runBytes - within, size(address) - from);
  return run == 0 ? 0 : run + within;
}

/** Set by runAt(): bytes of the run; valid until its next call. */
let runBytes: u32 = 0;

/** Address of the block of that number and of its neighbours in memory, 0 = a hole. */
function runAt(content: u32, index: u32): u32 {
  const first = map.find(content, index);
  runBytes = BLOCK_BYTES;
  if (first == 0) return 0;
  const start = space.addressOf(first);
  for (; runBytes < RUN_BYTES; runBytes += BLOCK_BYTES) {
    const next = map.find(content, ++index);
    if (next == 0 || space.addressOf(next) != start + runBytes) break;
  }
  return start;
}

/** Copies `bytes` bytes from `source`; returns the number written, or a negative errno if it is none. */
export function write(address: u32, offset: f64, source: u32, bytes: u32): i32 {
  if (bytes == 0) return 0;
  if (offset >= FILE_BYTES_MAX) return -EFBIG;
  const from = <u64>offset;
  const count = <u32>min<u64>(bytes, <u64>FILE_BYTES_MAX - from);
  let done: u32 = 0;
  while (done < count) {
    const part = prepare(address, from + done, count - done);
    if (part == 0) break;
    memory.copy(prepared, source + done, part);
    done += part;
  }
  if (done == 0) return -ENOSPC;
  if (from + done > size(address)) store<u64>(address, from + done, INODE_SIZE);
  touch(address);
  return <i32>done;
}

/** Set by prepare(): address to write to. */
let prepared: u32 = 0;

/** Makes blocks for up to `bytes` bytes at an offset, neighbours in memory; returns the bytes that fit. */
function prepare(address: u32, from: u64, bytes: u32): u32 {
  const within = (<u32>from) & (BLOCK_BYTES - 1);
  let index = <u32>(from >> BLOCK_SHIFT);
  let fits: u32 = 0;
  while (fits < bytes) {
    const part =
      fits == 0 ? min<u32>(bytes, BLOCK_BYTES - within) : min<u32>(bytes - fits, BLOCK_BYTES);
    const old = map.find(address + INODE_MAP, index);
    if (fits != 0 && old != 0 && space.addressOf(old) != prepared + fits) break;
    if (old == 0 && !space.reserve(map.MOST)) break;
    const block = old != 0 ? old : map.ensure(address + INODE_MAP, index);
    const start = space.addressOf(block);
    if (old == 0 && part < BLOCK_BYTES) memory.fill(start, 0, BLOCK_BYTES);
    if (fits == 0) prepared = start + within;
    else if (start != prepared + fits) {
      if (old == 0) memory.fill(start, 0, BLOCK_BYTES); // its turn comes with the next call
      break;
    }
    fits += part;
    index++;
    if (fits >= RUN_BYTES - BLOCK_BYTES) break;
  }
  return fits;
}

/** Changes the size; what is new reads as zeros and needs no block. 0 or a negative errno. */
export function resize(address: u32, bytes: f64): i32 {
  if (bytes > FILE_BYTES_MAX) return -EFBIG;
  const wanted = <u64>bytes;
  if (wanted < size(address)) {
    map.cut(address + INODE_MAP, <u32>((wanted + BLOCK_BYTES - 1) >> BLOCK_SHIFT));
    const within = (<u32>wanted) & (BLOCK_BYTES - 1);
    const last = within == 0 ? 0 : map.find(address + INODE_MAP, <u32>(wanted >> BLOCK_SHIFT));
    if (last != 0) memory.fill(space.addressOf(last) + within, 0, BLOCK_BYTES - within);
  }
  store<u64>(address, wanted, INODE_SIZE);
  touch(address);
  return 0;
}

/** The content changes now. */
export function touch(address: u32): void {
  const time = inode.now();
  store<i64>(address, time, INODE_MTIME);
  store<i64>(address, time, INODE_CTIME);
}
