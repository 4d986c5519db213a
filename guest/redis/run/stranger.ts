// Clients that have not given the password yet: what they hold is bounded, each and together.
//
// Interface   settle() after each batch of a client that is a stranger or was one. While strangers together
//             hold too much, the one that holds most is closed, so that a client that only sends AUTH in two
//             pieces is not.

import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as config from '../config/config.ts';
import * as input from '../wire/input.ts';
import * as log from '../border/log.ts';
import * as option from '../config/option.ts';
import * as stats from '../stats/stats.ts';
import { Client } from '../client/client.ts';
import { HOST_VM_BYTES } from '../abi.ts';
import { hostInfo } from '../border/host.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

/**
 * Unfinished input of one: more than the longest AUTH or HELLO, which take a password of 4096 bytes at most.
 */
const EACH_BYTES: u64 = 65536;
/** Of all: a share of the VM. */
const SHARE: f64 = 64;
const ALL_BYTES_MIN: u64 = 1048576;

let held: u64 = 0;
let allowed: u64 = ALL_BYTES_MIN;

export function boot(): void {
  allowed = max<u64>(ALL_BYTES_MIN, <u64>(hostInfo(HOST_VM_BYTES) / SHARE));
}

/** Whether a client has yet to give the password. */
@inline
export function is(c: Client): bool {
  return !(c.flags & client.AUTHENTICATED) && config.textBytes(option.REQUIREPASS) != 0;
}

/** True when settle() has something to do. */
@inline
export function isConcerned(c: Client): bool {
  return !(c.flags & client.AUTHENTICATED) || c.strangerBytes != 0;
}

/** Counts what a client holds, and closes it, or another one, when that is too much. */
export function settle(c: Client): void {
  const now = is(c) ? input.bytesOf(c) : 0;
  held += now - c.strangerBytes;
  c.strangerBytes = now;
  if (CHECKED && held != sum()) broken('STRANGER: what strangers hold does not add up');
  if (now > EACH_BYTES) turnOut(c);
  while (held > allowed) if (!turnOutLargest()) return;
}

/** For the checked build. */
function sum(): u64 {
  let bytes: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++)
    if (client.at(slot) != 0) bytes += changetype<Client>(client.at(slot)).strangerBytes;
  return bytes;
}

function turnOutLargest(): bool {
  let largest: u32 = 0;
  let most: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record == 0 || changetype<Client>(record).strangerBytes <= most) continue;
    largest = record;
    most = changetype<Client>(record).strangerBytes;
  }
  if (largest != 0) turnOut(changetype<Client>(largest));
  return largest != 0;
}

function turnOut(c: Client): void {
  forget(c);
  input.drop(c);
  stats.add(stats.LIMIT_CLOSED, 1);
  log.begin(
    'A client that has not given the password sent too much unfinished input. It is closed: ',
  );
  if (c.address != 0) log.bytes(c.address + 4, client.textBytes(c.address));
  log.end(log.WARNING);
  clientEvent.close(c);
}

export function forget(c: Client): void {
  held -= c.strangerBytes;
  c.strangerBytes = 0;
}
