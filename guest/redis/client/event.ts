// Clients that the host is to look at: a bit for each kind of event and client, so that none is ever lost.
//
// Interface   post() asks for an event of a client, next() hands one out; forget() when the client's record
//             is freed.
// Structure   A list through the records that have a bit set, in both directions.

import { EVENT_CLOSE, EVENT_OUTPUT } from '../abi.ts';
import * as client from './client.ts';
import { Client } from './client.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

/** Close the connection at once, whatever is left to send. */
export const CLOSE: u32 = EVENT_CLOSE;

/** Take its output. */
export const OUTPUT: u32 = EVENT_OUTPUT;

let first: u32 = 0;


@inline
export function isAny(): bool {
  return first != 0;
}

export function post(c: Client, kind: u32): void {
  if (c.events == 0) {
    c.eventNext = first;
    c.eventBefore = 0;
    if (first != 0) changetype<Client>(first).eventBefore = changetype<u32>(c);
    first = changetype<u32>(c);
  }
  if (CHECKED && client.at(c.slot) != changetype<u32>(c)) broken('EVENT: an event of no client');
  c.events |= kind;
}

/** Marks a client as one whose connection ends without another byte, and tells the host. */
export function close(c: Client): void {
  if (c.flags & client.CLOSE_ASAP) return;
  c.flags |= client.CLOSE_ASAP;
  post(c, CLOSE);
}

/** The next event, kind << 24 | slot, or 0. */
export function next(): u32 {
  if (first == 0) return 0;
  const c = changetype<Client>(first);
  const kind = c.events & -c.events;
  const event = (kind << 24) | c.slot;
  if (c.events == kind) forget(c);
  else c.events &= ~kind;
  return event;
}

export function forget(c: Client): void {
  if (c.events == 0) return;
  c.events = 0;
  if (CHECKED && (c.eventBefore == 0) != (first == changetype<u32>(c)))
    broken('EVENT: the list of clients is broken');
  if (c.eventBefore != 0) changetype<Client>(c.eventBefore).eventNext = c.eventNext;
  else first = c.eventNext;
  if (c.eventNext != 0) changetype<Client>(c.eventNext).eventBefore = c.eventBefore;
}
