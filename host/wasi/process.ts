// WASI: arguments, environment, clocks, random numbers, exit.

import { fillRandom } from '#platform';
import { clocks } from '#platform/beneath';
import { CLOCK, errno, SIGNAL_LAST, WasiError } from './abi.ts';
import type { Calls } from './calls.ts';

function putStrings(
  { memory }: Calls,
  strings: readonly Uint8Array[],
  pointers: number,
  buffer: number,
): number {
  const bytes = strings.reduce((sum, text) => sum + text.length, 0);
  memory.check(pointers, strings.length * 4);
  memory.check(buffer, bytes);
  const all = new Uint8Array(bytes);
  const table = new DataView(new ArrayBuffer(strings.length * 4));
  let at = 0;
  for (const [index, text] of strings.entries()) {
    table.setUint32(index * 4, buffer + at, true);
    all.set(text, at);
    at += text.length;
  }
  memory.put(pointers, new Uint8Array(table.buffer));
  memory.put(buffer, all);
  return 0;
}

function putSizes(
  { memory }: Calls,
  strings: readonly Uint8Array[],
  count: number,
  bytes: number,
): number {
  memory.check(bytes, 4);
  memory.putU32(count, strings.length);
  memory.putU32(
    bytes,
    strings.reduce((sum, text) => sum + text.length, 0),
  );
  return 0;
}

/** Nanoseconds of a clock. Fails with EINVAL for an unknown one. */
export function now(clock: number): bigint {
  if (clock === CLOCK.REALTIME) return clocks.realtime();
  if (clock === CLOCK.MONOTONIC) return clocks.monotonic();
  if (clock === CLOCK.PROCESS_CPUTIME || clock === CLOCK.THREAD_CPUTIME)
    return clocks.processTime();
  throw new WasiError('INVAL');
}

export const processCalls = {
  args_get: (calls: Calls, pointers: number, buffer: number): number =>
    putStrings(calls, calls.setup.args, pointers, buffer),
  args_sizes_get: (calls: Calls, count: number, bytes: number): number =>
    putSizes(calls, calls.setup.args, count, bytes),
  environ_get: (calls: Calls, pointers: number, buffer: number): number =>
    putStrings(calls, calls.setup.env, pointers, buffer),
  environ_sizes_get: (calls: Calls, count: number, bytes: number): number =>
    putSizes(calls, calls.setup.env, count, bytes),

  clock_res_get: ({ memory }: Calls, clock: number, result: number): number => {
    now(clock);
    memory.putU64(result, clock === CLOCK.MONOTONIC ? 1n : 1000n);
    return 0;
  },
  clock_time_get: (
    { memory }: Calls,
    clock: number,
    _precision: bigint,
    result: number,
  ): number => {
    memory.putU64(result, now(clock));
    return 0;
  },

  random_get: ({ memory }: Calls, buffer: number, bytes: number): number => {
    memory.check(buffer, bytes);
    for (let done = 0; done < bytes;) {
      const part = memory.staging(bytes - done);
      fillRandom(part);
      memory.deliver(buffer + done, part.length);
      done += part.length;
    }
    return 0;
  },

  sched_yield: (): number => 0,

  proc_exit: (calls: Calls, code: number): number => {
    calls.exitCode = code;
    return 0;
  },
  /** Signals are not delivered: 0 does nothing, any other ends the program, as its default action would. */
  proc_raise: (calls: Calls, signal: number): number => {
    if (signal > SIGNAL_LAST) return errno('INVAL');
    if (signal !== 0) calls.exitCode = 128 + signal;
    return 0;
  },
};

/** A descriptor is never a socket. */
export const socketCalls = {
  sock_accept: (calls: Calls, number: number): number => noSocket(calls, number),
  sock_recv: (calls: Calls, number: number): number => noSocket(calls, number),
  sock_send: (calls: Calls, number: number): number => noSocket(calls, number),
  sock_shutdown: (calls: Calls, number: number): number => noSocket(calls, number),
};

function noSocket(calls: Calls, number: number): number {
  calls.descriptors.get(number);
  return errno('NOTSOCK');
}
