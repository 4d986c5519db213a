// Pages in storage: their format, and reading and writing them by system calls.
//
//   bytes 0..7   header: the page's number, state exclusive      bytes 8..15   XXH64 of the rest, seed = page number
//   bytes 16..   the owner's 4080 bytes
//
// Interface   read() and write() return 0 or a negative errno. Call seal() before writing a page by other
//             means, check() after reading one.
// Invariants  TAB-6  The header in storage says "exclusive", so that a partly transferred one never looks
//                    valid.
// Concurrency The caller holds the frame.
// Cost        a page that the host has cached 2 us, of which the checksum is 0.3 and the system call 1.

import { EBADMSG, EIO } from '../abi/errno';
import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { PANIC_LATCH_NOT_HELD } from '../abi/panic';
import { PAGE_OFFSET_SHIFT, SYS_PREAD, SYS_PWRITE } from '../abi/syscall';
import * as interrupts from '../designs/interrupts';
import { hash } from '../io/xxh64';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';
import * as counter from './counter';
import * as header from './header';


@external('libdbos', 'syscall')
declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

export const CHECKSUM: u32 = 8;
export const CONTENT: u32 = 16;
export const CONTENT_BYTES: u32 = FRAME_BYTES - CONTENT;

/** Turns the frame, held exclusively and clean, into the image for storage. */
export function seal(frame: u32, page: u64): void {
  if (CHECKED && (load<u64>(frame) & (header.STATE_MASK | header.DIRTY)) != header.EXCLUSIVE)
    panic(PANIC_LATCH_NOT_HELD); // TAB-6
  store<u64>(frame, hash(frame + CONTENT, CONTENT_BYTES, page), CHECKSUM);
}

/** 0 if the frame holds an intact image of the page, else -EBADMSG. */
export function check(frame: u32, page: u64): i32 {
  const image = load<u64>(frame);
  const isLocked = (image & (header.STATE_MASK | header.DIRTY)) == header.EXCLUSIVE;
  if (!isLocked || header.pageOf(image) != page) return -EBADMSG;
  const sum = hash(frame + CONTENT, CONTENT_BYTES, page);
  return load<u64>(frame, CHECKSUM) == sum ? 0 : -EBADMSG;
}

/** Reads `page` from `slot` into the frame and checks it. Whatever the result, it overwrites the header. */
export function read(frame: u32, page: u64, slot: u64): i32 {
  const result = transfer(SYS_PREAD, frame, slot);
  const failed = result < 0 ? result : check(frame, page);
  if (failed != 0) counter.count(counter.FAILURES);
  return failed;
}

/** Seals the frame and writes it to `slot`. */
export function write(frame: u32, page: u64, slot: u64): i32 {
  seal(frame, page);
  const result = transfer(SYS_PWRITE, frame, slot);
  counter.count(result < 0 ? counter.FAILURES : counter.WRITES);
  return result;
}

/** Writes `count` adjacent sealed frames to adjacent slots; false unless all were written in full. */
export function writeSealed(frame: u32, count: u32, slot: u64): bool {
  const bytes = count << FRAME_SHIFT;
  if (move(SYS_PWRITE, area.storage, frame, bytes, slot) != <i32>bytes) return false;
  for (let i: u32 = 0; i < count; i++) counter.count(counter.WRITES);
  return true;
}

function transfer(nr: i32, frame: u32, slot: u64): i32 {
  const done = move(nr, area.storage, frame, FRAME_BYTES, slot);
  if (done < 0 || done == FRAME_BYTES) return min(done, 0);
  return nr == SYS_PREAD ? -EBADMSG : -EIO; // the file ends before the page does
}

/** Bytes that the last move() transferred, also if it failed. Set by move(); valid until its next call. */
export let moved: u32 = 0;

/**
 * Transfers bytes between memory and a file from page `slot` on. A short transfer is continued where it
 * stopped, so that a full disk reports its own error. The result is less than `bytes` at the end of the file,
 * or -errno.
 */
export function move(nr: i32, file: i32, from: u32, bytes: u32, slot: u64): i32 {
  let done: u32 = 0;
  moved = 0;
  while (done < bytes) {
    const page = slot + done / FRAME_BYTES;
    const offset = done % FRAME_BYTES;
    const high = (<u32>(page >> 32)) | (offset << PAGE_OFFSET_SHIFT);
    const here = syscall(nr, file, from + done, bytes - done, <u32>page, high);
    interrupts.poll();
    if (here < 0) return here;
    if (here == 0) break;
    done += here;
    moved = done;
  }
  return done;
}
