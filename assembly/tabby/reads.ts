// Pages that are being read while this vCPU does something else: prefetch, read-ahead, many look-ups at once.
//
// Interface   attach() once. start(page) begins a read if the page is in storage and nobody else reads it, and says whether
//             there was room; flush() lets them go; poll() takes what has arrived, drain() waits for all.
// Invariants  TAB-13  A vCPU that waits for anything takes its arrivals meanwhile (operation.wait): whoever waits for a page
//                     that this vCPU reads gets it, so two that wait for each other's pages both go on.
//             TAB-14  A frame that a lost operation may still write into is never anybody's again.
// Concurrency The tables are this vCPU's; a page under way is locked like one whose fault is being served (TAB-10).
// Cost        about 100 ns a page here, 10 us of the I/O service's thread, and the device's time shared by all under way.
//
//   read, 32 bytes:  u64 PTE as it was, u64 header, u32 frame (0 = free), u32 address of the PTE

import { EIO } from '../abi/errno';
import { FRAME_BYTES } from '../abi/limits';
import { IO_NONE, OP_READ, OP_WRITE } from '../abi/ring';
import { SYS_RING_FILE } from '../abi/syscall';
import { VM_IO_STATE } from '../abi/vm-block';
import * as queue from '../io/queue';
import * as map from '../machine/map';
import * as area from './area';
import * as counter from './counter';
import * as fault from './fault';
import * as header from './header';
import * as latch from './latch';
import * as storage from './storage';
import * as writeBack from './write-back';

// @ts-ignore: decorator
@external('libdbos', 'syscall')
declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

export const READS_MAX: u32 = 64;
const ENTRY: u32 = 0;
const HEADER: u32 = 8;
const FRAME: u32 = 16;
const PTE: u32 = 20;

/** User data: the number of a read, or this and the number of a write of the batch. */
const IS_WRITE: u64 = 1 << 32;

/** The file's number in rings, -1 when this vCPU has none. */
let file: i32 = -1;
/** Reads under way; the most that may be: with the others' they leave most of a small pool alone. */
export let underWay: u32 = 0;
let most: u32 = 0;

export function attach(): void {
  file = -1;
  underWay = 0;
  most = min<u32>(READS_MAX, area.frames >> 3);
  if (atomic.load<u32>(map.vm, VM_IO_STATE) == IO_NONE || !queue.attach()) return;
  file = syscall(SYS_RING_FILE, area.storage, 0, 0, 0, 0);
}

/** Whether there is anybody to read or write beside this vCPU. */
export function isServed(): bool {
  return file >= 0 && queue.isServed();
}


@inline
function read(index: u32): u32 {
  return area.own + area.AREA_READS + (index << 5);
}

export function start(page: u64): bool {
  if (underWay >= most) poll();
  if (underWay >= most) return false;
  const frame = fault.begin(page);
  if (frame == 0) return true;
  let index: u32 = 0;
  while (load<u32>(read(index), FRAME) != 0) index += 1;
  const at = read(index);
  store<u64>(at, fault.beganEntry, ENTRY);
  store<u64>(at, fault.held, HEADER);
  store<u32>(at, frame, FRAME);
  store<u32>(at, fault.beganAt, PTE);
  underWay += 1;
  const position = fault.beganSlot(page) * FRAME_BYTES;
  if (!queue.submit(OP_READ, 0, file, frame, FRAME_BYTES, position, index)) arrived(index, -EIO);
  return true;
}

/** Lets the reads go that were started. */
export function flush(): void {
  if (underWay != 0) queue.ring();
}

/** Takes what has arrived. */
export function poll(): void {
  while (queue.next()) {
    if (queue.userData & IS_WRITE) writeBack.arrived(<u32>queue.userData, queue.result);
    else arrived(<u32>queue.userData, queue.result);
  }
}

/** Waits for every read of this vCPU. */
export function drain(): void {
  while (underWay != 0) if (!take(underWay)) return;
}

/** Waits for `count` arrivals and takes them; false if they will never come. */
export function take(count: u32): bool {
  if (queue.wait(count) < 0) {
    lose();
    return false;
  }
  poll();
  return true;
}

/** Puts the write of a frame into the queue. */
export function submitWrite(index: u32, frame: u32, slot: u64): bool {
  const position = slot * FRAME_BYTES;
  return queue.submit(OP_WRITE, 0, file, frame, FRAME_BYTES, position, IS_WRITE | (<u64>index));
}

function arrived(index: u32, result: i32): void {
  const at = read(index);
  const frame = load<u32>(at, FRAME);
  const old = load<u64>(at, HEADER);
  const page = header.pageOf(old);
  const failed = result == FRAME_BYTES ? storage.check(frame, page) : -EIO;
  store<u32>(at, 0, FRAME);
  underWay -= 1;
  fault.letGo();
  if (fault.arrive(page, frame, old, load<u32>(at, PTE), load<u64>(at, ENTRY), failed)) {
    counter.count(counter.PREFETCHED);
    latch.release(frame);
  } else counter.count(counter.FAILURES);
}

/** The service is gone: pages are in storage as before, but the frames are given up (TAB-14). */
function lose(): void {
  file = -1;
  for (let index: u32 = 0; index < READS_MAX; index++) {
    const at = read(index);
    const frame = load<u32>(at, FRAME);
    if (frame == 0) continue;
    store<u32>(at, 0, FRAME);
    fault.letGo();
    fault.lose(load<u64>(at, HEADER), frame, load<u32>(at, PTE), load<u64>(at, ENTRY));
  }
  underWay = 0;
}
