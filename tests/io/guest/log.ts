// A guest for tests and the bench of requests and the log: their calls as they are, and appenders that are
// many on one vCPU.

import {
  OP_ALLOCATE,
  OP_FDATASYNC,
  OP_WRITE,
  RING_SQ,
  RING_SQ_TAIL,
  SQE_SHIFT,
  SQE_USER_DATA,
  SQ_ENTRIES,
} from '../../../assembly/abi/ring';
import { SYS_OPEN, SYS_RING_FILE } from '../../../assembly/abi/syscall';
import { syscall } from '../../../assembly/index';
import {
  clock,
  linkage,
  logReader,
  logWriter,
  queue,
  requests,
  vcpu,
} from '../../../assembly/linked';

// Guest memory.
const LOG: u32 = 1024; // the word that holds the address of the log's block
const BUFFER: u32 = 1028; // and of its buffer
const PATH: u32 = 2048;
const REQUESTS: u32 = 8192; // 512 of them
const READER: u32 = 40960; // the reader's request
const PAYLOADS: u32 = 65536; // 64 KiB a vCPU
const APPENDERS: u32 = 49152; // 16 bytes each: LSN, time of the beginning

const LOG_BUFFER_BYTES: u32 = 256 << 10;
const BLOCKS: u32 = 512; // buffers for requests, after the log's
const BLOCK: u32 = 4096;
const LATENCIES: u32 = 128; // from this block on, u32 each, in us

export function boot(frames: u32): void {
  linkage.attach(frames);
  const block = linkage.claimFrames(1);
  const bytes = LOG_BUFFER_BYTES + BLOCKS * BLOCK;
  const buffer = linkage.claimFrames(bytes >> 12);
  linkage.setDmaWindow(buffer, buffer + bytes);
  store<u32>(LOG, block);
  store<u32>(BUFFER, buffer);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  requests.attach();
}

/** Address of a block that the device may touch. */
function blockAt(index: u32): u32 {
  return load<u32>(BUFFER) + LOG_BUFFER_BYTES + index * BLOCK;
}

export function putPath(index: u32, byte: u32): void {
  store<u8>(PATH + index, <u8>byte);
}

/** The file's number in rings, or a negative errno. */
export function open(bytes: i32, flags: i32): i32 {
  const descriptor = syscall(SYS_OPEN, <i32>PATH, bytes, flags, 0, 0);
  return descriptor < 0 ? descriptor : syscall(SYS_RING_FILE, descriptor, 0, 0, 0, 0);
}

// Requests, by number.

function requestAt(slot: u32): u32 {
  return REQUESTS + slot * requests.REQUEST_BYTES;
}

export function fill(
  slot: u32,
  operation: u32,
  file: u32,
  block: u32,
  bytes: u32,
  position: u64,
): void {
  requests.fill(requestAt(slot), operation, file, blockAt(block), bytes, position);
}

export function link(slot: u32, after: u32): void {
  requests.link(requestAt(slot), requestAt(after));
}

/** `inUs` from now is the deadline, 0 = none. */
export function add(slot: u32, klass: u32, inUs: i32): u32 {
  const deadline = inUs == 0 ? 0 : clock.now() + <u64>inUs;
  return u32(requests.add(requestAt(slot), klass, deadline));
}

export function pump(): void {
  requests.pump();
}

export function poll(): u32 {
  return requests.poll();
}

export function wait(slot: u32): i32 {
  return requests.wait(requestAt(slot));
}

export function stateOf(slot: u32): u32 {
  return load<u32>(requestAt(slot), requests.REQUEST_STATE);
}

export function resultOf(slot: u32): i32 {
  return load<i32>(requestAt(slot), requests.REQUEST_RESULT);
}

export function setDepth(all: u32, low: u32): void {
  requests.setDepth(all, low);
}

/** Slot of the request that the n-th entry of the submission queue came from. */
export function submitted(n: u32): u32 {
  const entry = queue.rings + RING_SQ + ((n % SQ_ENTRIES) << SQE_SHIFT);
  return (load<u32>(entry, SQE_USER_DATA) - REQUESTS) / requests.REQUEST_BYTES;
}

export function submittedCount(): u32 {
  return atomic.load<u32>(queue.rings, RING_SQ_TAIL);
}

// The log.

export function openLog(file: u32): i32 {
  return logWriter.open(load<u32>(LOG), file, load<u32>(BUFFER), LOG_BUFFER_BYTES);
}

export function joinLog(): void {
  logWriter.attach(load<u32>(LOG));
}

function payload(): u32 {
  return PAYLOADS + (vcpu.index << 16);
}

function byteOf(writer: u32, sequence: u32, i: u32): u32 {
  return (writer * 31 + sequence * 7 + i) & 0xff;
}

/**
 * A record that says who wrote it, the how manieth, and has a pattern behind that: at least 8 bytes. Its LSN,
 * 0 if it cannot be.
 */
export function append(writer: u32, sequence: u32, bytes: u32): u64 {
  const at = payload();
  store<u32>(at, writer);
  store<u32>(at, sequence, 4);
  for (let i: u32 = 8; i < min<u32>(bytes, 65536); i++)
    store<u8>(at + i, <u8>byteOf(writer, sequence, i));
  return logWriter.append(at, bytes);
}

export function failure(): i32 {
  return logWriter.failure;
}

export function commit(lsn: u64): i32 {
  return logWriter.commit(lsn);
}

export function want(lsn: u64): void {
  logWriter.want(lsn);
}

export function step(): i32 {
  return logWriter.step();
}

export function durable(): u64 {
  return logWriter.durable();
}

export function groups(): u32 {
  return logWriter.groups();
}

/** Makes it look as if a vCPU led: its number + 1. */
export function setLeader(leader: u32): void {
  atomic.store<u32>(load<u32>(LOG), leader, 4);
}

/**
 * Appends and commits `times` records of up to `bytes`; how many commits succeeded, or a negative errno of
 * the first that did not.
 */
export function appendMany(writer: u32, times: u32, bytes: u32): i32 {
  let state = writer * 2654435761 + 1;
  for (let i: u32 = 0; i < times; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    const lsn = append(writer, i, 8 + (state % (bytes - 7)));
    if (lsn == 0) return -logWriter.failure;
    const committed = logWriter.commit(lsn);
    if (committed < 0) return committed;
  }
  return times;
}

export function readLog(file: u32): i32 {
  return logReader.open(file, READER, blockAt(0), LATENCIES * BLOCK);
}

export function next(): i32 {
  return logReader.next();
}

export function readWriter(): u32 {
  return load<u32>(logReader.payload);
}

export function readSequence(): u32 {
  return load<u32>(logReader.payload, 4);
}

export function readPosition(): u64 {
  return logReader.position;
}

export function isAsWritten(): u32 {
  const writer = readWriter();
  const sequence = readSequence();
  for (let i: u32 = 8; i < logReader.bytes; i++)
    if (load<u8>(logReader.payload + i) != byteOf(writer, sequence, i)) return 0;
  return 1;
}

// Appenders: each has one record outstanding, and appends the next when it is durable. Latencies are at
// LATENCIES; the result is the time for `total` of them in us, or a negative errno.

export function latencyAt(): u32 {
  return blockAt(LATENCIES);
}

export function runGrouped(appenders: u32, total: u32, bytes: u32): f64 {
  const began = clock.now();
  let done: u32 = 0;
  let begun: u32 = 0;
  let turn: u32 = 0;
  memory.fill(APPENDERS, 0, appenders << 4);
  while (done < total) {
    for (let i: u32 = 0; i < appenders; i++) {
      const at = APPENDERS + (i << 4);
      const lsn = load<u64>(at);
      if (lsn != 0) {
        if (!logWriter.isDurable(lsn)) continue;
        store<u32>(latencyAt() + (done << 2), <u32>(clock.now() - load<u64>(at, 8)));
        done += 1;
        store<u64>(at, 0);
      }
      if (begun == total) continue;
      store<u64>(at, clock.now(), 8);
      const appended = append(i, begun++, bytes);
      if (appended == 0) return -logWriter.failure;
      logWriter.want(appended);
      store<u64>(at, appended);
    }
    const before = logWriter.durable();
    const stepped = logWriter.step();
    if (stepped < 0) return stepped;
    if (logWriter.durable() == before) logWriter.rest(turn++);
  }
  return <f64>(clock.now() - began);
}

/**
 * The same without a log: each record is written by itself, and synced by itself. The file begins with room
 * for them all.
 */
export function runAlone(file: u32, appenders: u32, total: u32, bytes: u32): f64 {
  const allocation = requestAt(0);
  requests.fill(allocation, OP_ALLOCATE, file, 0, total * bytes, 0);
  if (!requests.add(allocation, requests.HIGH, 0) || requests.wait(allocation) < 0) return -1;
  requests.setDepth(128, 1);
  memory.fill(APPENDERS, 0, appenders << 4);
  const began = clock.now();
  let done: u32 = 0;
  let begun: u32 = 0;
  while (done < total) {
    for (let i: u32 = 0; i < appenders; i++) {
      const at = APPENDERS + (i << 4);
      const write = requestAt(2 * i);
      const sync = requestAt(2 * i + 1);
      if (load<u64>(at) != 0) {
        if (!requests.isDone(sync)) continue;
        if (load<i32>(sync, requests.REQUEST_RESULT) < 0) return -1;
        store<u32>(latencyAt() + (done << 2), <u32>(clock.now() - load<u64>(at, 8)));
        done += 1;
        store<u64>(at, 0);
      }
      if (begun == total) continue;
      store<u64>(at, clock.now(), 8);
      requests.fill(write, OP_WRITE, file, blockAt(i), bytes, begun * bytes);
      requests.fill(sync, OP_FDATASYNC, file, 0, 0, 0);
      requests.link(write, sync);
      if (!requests.add(write, requests.HIGH, 0)) return -1;
      begun += 1;
      store<u64>(at, 1);
    }
    if (requests.poll() == 0 && done < total && requests.waitAny() < 0) return -1;
  }
  return <f64>(clock.now() - began);
}
