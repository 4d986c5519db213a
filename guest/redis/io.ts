// The border to the host: the receive window, the reply block, flags and events.

import * as heap from './heap.ts';
import * as reply from './reply.ts';

// Flags that receive(), resume() and cron() return.
/** Send the reply, then close the connection. */
export const FLAG_CLOSE: u32 = 1;
/** nextEvent() has something. */
export const FLAG_EVENTS: u32 = 2;
/** Copy the reply, then call resume(): input of the same client is left. */
export const FLAG_MORE: u32 = 4;

// Events, kind << 24 | argument.
export const EVENT_CLOSE: u32 = 1;
export const EVENT_SHUTDOWN: u32 = 2;
export const EVENT_OPTION: u32 = 3;
export const EVENT_OUTPUT: u32 = 4;

const EVENTS_MAX: u32 = 1024;
const BLOCK: usize = memory.data(16, 8); // [reply address u32 | reply bytes u32 | window u32 | 0]
const EVENTS: usize = memory.data(4096, 8);

let window: u32 = 0;
let windowBytes: u32 = 0;
let eventsRead: u32 = 0;
let eventsWritten: u32 = 0;

/** Takes the window that the host names. For address 0 the guest makes one, which a host without a VM may write. */
export function boot(rxAddress: u32, rxBytes: u32): void {
  window = rxAddress == 0 ? heap.alloc(rxBytes) : rxAddress;
  windowBytes = rxBytes;
  store<u32>(BLOCK, window, 8);
}

// @ts-ignore: decorator
@inline
export function rx(): u32 {
  return window;
}

export function rxBytes(): u32 {
  return windowBytes;
}

export function block(): u32 {
  return <u32>BLOCK;
}

/** Shows the reply to the host. */
export function publish(): void {
  store<u32>(BLOCK, reply.address());
  store<u32>(BLOCK, reply.length(), 4);
}

/** Shows the host bytes that lie elsewhere, as a part of the reply. */
export function publishLoan(address: u32, bytes: u32): void {
  store<u32>(BLOCK, address);
  store<u32>(BLOCK, bytes, 4);
}

/** Tells the host something; when the queue is full, the oldest is lost to nobody: cron repeats what matters. */
export function post(kind: u32, argument: u32): void {
  if (eventsWritten - eventsRead == EVENTS_MAX) return;
  store<u32>(EVENTS + ((eventsWritten++ & (EVENTS_MAX - 1)) << 2), (kind << 24) | argument);
}

// @ts-ignore: decorator
@inline
export function hasEvents(): bool {
  return eventsWritten != eventsRead;
}

/** The next event, or 0. */
export function nextEvent(): u32 {
  return hasEvents() ? load<u32>(EVENTS + ((eventsRead++ & (EVENTS_MAX - 1)) << 2)) : 0;
}
