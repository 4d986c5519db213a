// WASI: reads and writes between an open descriptor and the guest's buffers.

import { STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { descriptors as host, sleepMs } from '#platform/beneath';
import { FDFLAG } from './abi.ts';
import { readerOf, writerOf, type Descriptor } from './descriptors.ts';
import type { MemoryFiles } from './memory-files.ts';
import type { GuestMemory } from './guest-memory.ts';

const GATHER_BYTES = 65536;

/** Reads into the buffers in order until one is not filled; a `position` of null reads from a stream. */
export function read(
  memory: GuestMemory,
  entry: Descriptor,
  vectors: number,
  count: number,
  result: number,
  position: number | null,
): number {
  memory.takeRanges(vectors, count);
  memory.check(result, 4);
  const { ranges } = memory;
  let total = 0;
  for (let i = 0; i < 2 * count; i += 2) {
    const address = ranges[i]!;
    const bytes = ranges[i + 1]!;
    let done = 0;
    while (done < bytes) {
      const part = Math.min(bytes - done, STAGING_BYTES);
      // A read that may wait goes through staging memory, so that the vCPU does not count as running.
      const isStream = position === null;
      const target = isStream ? memory.stagingAddress : memory.receive(address + done, part);
      const got = readPart(memory, entry, target, part, isStream ? null : position + total);
      if (target === memory.stagingAddress) memory.deliver(address + done, got);
      done += got;
      total += got;
      if (got < part || position === null) break; // a stream returns what it has; a second read could wait
    }
    if (done < bytes || (position === null && total > 0)) break;
  }
  memory.putU32(result, total);
  return total;
}

const WAIT_MS_MAX = 8;

/**
 * Waits for a non-blocking stream, in slices, so that the thread can be ended in between. Rethrows when the
 * program asked for a non-blocking descriptor. `turn` is the number of waits so far.
 */
function waitFor(entry: Descriptor, error: unknown, turn: number): void {
  if ((error as { code?: unknown }).code !== 'EAGAIN' || entry.flags & FDFLAG.NONBLOCK) throw error;
  sleepMs(Math.min(1 + turn / 8, WAIT_MS_MAX));
}

function readPart(
  { bytes: memory }: GuestMemory,
  entry: Descriptor,
  target: number,
  bytes: number,
  position: number | null,
): number {
  const { peeked } = entry;
  if (peeked !== undefined) {
    const part = peeked.subarray(0, bytes);
    memory.set(part, target);
    entry.peeked = part.length < peeked.length ? peeked.subarray(part.length) : undefined;
    return part.length;
  }
  const descriptor = position === null ? readerOf(entry) : entry.host;
  for (let turn = 0; ; turn++) {
    try {
      return host.read(descriptor, memory, target, bytes, position);
    } catch (error) {
      waitFor(entry, error, turn);
    }
  }
}

function writePart(entry: Descriptor, source: Uint8Array, position: number | null): number {
  const descriptor = position === null ? writerOf(entry) : entry.host;
  for (let turn = 0; ; turn++) {
    try {
      return host.write(descriptor, source, position);
    } catch (error) {
      waitFor(entry, error, turn);
    }
  }
}

/** Writes the buffers in order; small ones in one call, so that a line of several parts arrives whole. */
export function write(
  memory: GuestMemory,
  entry: Descriptor,
  vectors: number,
  count: number,
  result: number,
  position: number | null,
): number {
  const bytes = memory.takeRanges(vectors, count);
  memory.check(result, 4);
  let total = 0;
  const put = (source: Uint8Array): boolean => {
    const at = position === null ? null : position + total;
    const done = writePart(entry, source, at);
    total += done;
    return done === source.length;
  };
  const { ranges } = memory;
  if (bytes <= GATHER_BYTES && count > 1) {
    const all = new Uint8Array(bytes);
    let at = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      all.set(memory.copy(ranges[i]!, ranges[i + 1]!), at);
      at += ranges[i + 1]!;
    }
    if (bytes > 0) put(all);
  } else {
    outer: for (let i = 0; i < 2 * count; i += 2) {
      for (let done = 0; done < ranges[i + 1]!;) {
        const part = memory.lend(ranges[i]! + done, ranges[i + 1]! - done);
        if (!put(part)) break outer;
        done += part.length;
      }
    }
  }
  memory.putU32(result, total);
  return total;
}

/** Reads from a file in the VM, which copies to the program's memory itself; `position` as read() has it. */
export function readFiles(
  memory: GuestMemory,
  { host: record }: Descriptor,
  files: MemoryFiles,
  vectors: number,
  count: number,
  result: number,
  position?: number,
): number {
  memory.takeRanges(vectors, count);
  memory.check(result, 4);
  const { ranges } = memory;
  let total = 0;
  for (let i = 0; i < 2 * count; i += 2) {
    const bytes = ranges[i + 1]!;
    const at = position === undefined ? undefined : position + total;
    const got = bytes === 0 ? 0 : files.read(record, ranges[i]!, bytes, at);
    total += got;
    if (got < bytes) break;
  }
  memory.putU32(result, total);
  return 0;
}

/** Writes to a file in the VM. What was written before room ran out is reported as a success. */
export function writeFiles(
  memory: GuestMemory,
  entry: Descriptor,
  files: MemoryFiles,
  vectors: number,
  count: number,
  result: number,
  position?: number,
): number {
  const { host: record, flags } = entry;
  memory.takeRanges(vectors, count);
  memory.check(result, 4);
  const { ranges } = memory;
  let total = 0;
  for (let i = 0; i < 2 * count; i += 2) {
    const bytes = ranges[i + 1]!;
    if (bytes === 0) continue;
    const at = position === undefined ? undefined : position + total;
    const done = files.write(record, ranges[i]!, bytes, at, flags);
    if (total === 0) files.check(done);
    total += Math.max(0, done);
    if (done < bytes) break;
  }
  const isMoved = position === undefined && (flags & FDFLAG.APPEND) !== 0;
  if (isMoved) entry.position = files.files.size(files.ino(record)); // even if there was nothing to write
  memory.putU32(result, total);
  return 0;
}
