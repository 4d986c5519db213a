// WASI: waiting for a time, or until descriptors are ready. Files always are. Whether a pipe or terminal has
// input can be found out only by reading it through a non-blocking descriptor; what arrives is kept for
// fd_read.

import { descriptors as host, OPEN, sleepMs } from '#platform/beneath';
import {
  CLOCK_ABSOLUTE,
  errno,
  EVENT,
  EVENT_BYTES,
  RIGHT,
  SUBSCRIPTION_BYTES,
  WasiError,
} from './abi.ts';
import type { Calls } from './calls.ts';
import { isSeekable, type Descriptor } from './descriptors.ts';
import { now } from './process.ts';

const SUBSCRIPTIONS_MAX = 4096;
const LOOK_MS = 2;
const WAIT_MS_MAX = 2 ** 30;
const PEEK_BYTES = 4096;

interface Waiting {
  readonly userdata: bigint;
  readonly type: number;
  readonly clock: number;
  /** The time on that clock, in nanoseconds. */
  readonly due: bigint;
  readonly fd: number;
}

interface Event {
  readonly of: Waiting;
  readonly error: number;
  readonly bytes: bigint;
  readonly flags: number;
}

function subscriptions({ memory }: Calls, address: number, count: number): Waiting[] {
  const view = memory.view(address, count * SUBSCRIPTION_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const at = index * SUBSCRIPTION_BYTES;
    const type = view.getUint8(at + 8);
    const userdata = view.getBigUint64(at, true);
    if (type > EVENT.FD_WRITE) throw new WasiError('INVAL');
    if (type !== EVENT.CLOCK)
      return { userdata, type, clock: 0, due: 0n, fd: view.getUint32(at + 16, true) };
    const clock = view.getUint32(at + 16, true);
    const timeout = view.getBigUint64(at + 24, true);
    const isAbsolute = (view.getUint16(at + 40, true) & CLOCK_ABSOLUTE) !== 0;
    return { userdata, type, clock, due: isAbsolute ? timeout : now(clock) + timeout, fd: 0 };
  });
}

/** Number of bytes that can be read now, or undefined when reading would wait. */
function readable(entry: Descriptor): number | undefined {
  if (isSeekable(entry)) {
    const { size } = entry.backend.descriptors.facts(entry.host);
    return Math.max(0, Number(size) - entry.position);
  }
  if (entry.peeked !== undefined) return entry.peeked.length;
  let descriptor: number;
  try {
    descriptor = host.reopen(entry.host, OPEN.read | OPEN.nonBlocking);
  } catch {
    return 0; // unknown without reading
  }
  try {
    const bytes = new Uint8Array(PEEK_BYTES);
    const got = host.read(descriptor, bytes, 0, PEEK_BYTES, null);
    if (got > 0) entry.peeked = bytes.subarray(0, got);
    return got;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EAGAIN' ? undefined : 0;
  } finally {
    host.close(descriptor);
  }
}

function look(calls: Calls, waiting: Waiting): Event | undefined {
  const event = (error: number, bytes: number): Event => ({
    of: waiting,
    error,
    bytes: BigInt(bytes),
    flags: 0,
  });
  if (waiting.type === EVENT.CLOCK)
    return now(waiting.clock) >= waiting.due ? event(0, 0) : undefined;
  try {
    const entry = calls.descriptors.file(waiting.fd, RIGHT.POLL_FD_READWRITE);
    if (waiting.type === EVENT.FD_WRITE) return event(0, 1);
    const bytes = readable(entry);
    return bytes === undefined ? undefined : event(0, bytes);
  } catch (error) {
    if (error instanceof WasiError) return event(error.number, 0);
    throw error;
  }
}

/** Milliseconds until the next look: short while descriptors are awaited. */
function pause(all: readonly Waiting[]): number {
  let wait = WAIT_MS_MAX;
  for (const { type, clock, due } of all) {
    const ms = type === EVENT.CLOCK ? Number(due - now(clock)) / 1e6 : LOOK_MS;
    wait = Math.min(wait, Math.max(0, ms));
  }
  return wait;
}

export const pollCalls = {
  poll_oneoff: (
    calls: Calls,
    address: number,
    result: number,
    count: number,
    resultCount: number,
  ): number => {
    const { memory } = calls;
    if (count === 0 || count > SUBSCRIPTIONS_MAX) return errno('INVAL');
    memory.check(result, count * EVENT_BYTES);
    memory.check(resultCount, 4);
    const all = subscriptions(calls, address, count);
    let events: Event[];
    while ((events = all.flatMap((waiting) => look(calls, waiting) ?? [])).length === 0)
      sleepMs(pause(all));
    const view = new DataView(new ArrayBuffer(events.length * EVENT_BYTES));
    for (const [index, { of, error, bytes, flags }] of events.entries()) {
      const at = index * EVENT_BYTES;
      view.setBigUint64(at, of.userdata, true);
      view.setUint16(at + 8, error, true);
      view.setUint8(at + 10, of.type);
      view.setBigUint64(at + 16, bytes, true);
      view.setUint16(at + 24, flags, true);
    }
    memory.put(result, new Uint8Array(view.buffer));
    memory.putU32(resultCount, events.length);
    return 0;
  },
};
