// maxmemory-clients: which clients are closed when all of them together take too much.
//
// Interface   settle() after each change of what a client takes, while isLimited(). Clients are closed from
//             those that take most on, as redis-server does, except those of CLIENT NO-EVICT ON.
// Cost        Nothing without the option; with it, the memory of one client is added up after each of its
//             batches.

import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as config from '../config/config.ts';
import * as line from './client-line.ts';
import * as log from '../border/log.ts';
import * as option from '../config/option.ts';
import * as stats from '../stats/stats.ts';
import * as text from '../bytes/text.ts';
import { Client } from '../client/client.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

let total: u64 = 0;
let isCounting: bool = false;

/** A lower limit would close every client, so that nothing could raise it. Redis's number. */
const LEAST: u64 = 131072;

/** The limit in bytes, 0 = none. A negative option is a share of maxmemory in percent. */
function limit(): u64 {
  const wanted = config.number(option.MAXMEMORY_CLIENTS);
  if (wanted > 0) return max(LEAST, <u64>wanted);
  const maxmemory = <u64>config.number(option.MAXMEMORY);
  if (wanted == 0 || maxmemory == 0) return 0;
  return max(LEAST, <u64>((<f64>maxmemory * -(<f64>wanted)) / 100));
}


@inline
export function isLimited(): bool {
  return config.number(option.MAXMEMORY_CLIENTS) != 0 || isCounting;
}

/** Counts what a client takes now, and closes clients while all take too much. */
export function settle(c: Client): void {
  const most = limit();
  if (most == 0) return stop();
  if (!isCounting) countAll();
  else count(c);
  while (total > most) if (!evictLargest()) return;
}

/** Looks at all clients; ten times a second, and so soon after CONFIG SET. */
export function settleAll(): void {
  const most = limit();
  if (most == 0) return stop();
  countAll();
  while (total > most) if (!evictLargest()) return;
}

function count(c: Client): void {
  if (c.flags & client.CLOSE_ASAP) return;
  const now = line.memoryOf(c);
  total += now - c.countedBytes;
  c.countedBytes = now;
  if (CHECKED && total != sum()) broken('CLIENTS: the memory of all does not add up');
}

/** For the checked build. */
function sum(): u64 {
  let bytes: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++)
    if (client.at(slot) != 0) bytes += changetype<Client>(client.at(slot)).countedBytes;
  return bytes;
}

function countAll(): void {
  isCounting = true;
  for (let slot: u32 = 0; slot < client.slots(); slot++)
    if (client.at(slot) != 0) count(changetype<Client>(client.at(slot)));
}

function stop(): void {
  if (!isCounting) return;
  isCounting = false;
  total = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++)
    if (client.at(slot) != 0) changetype<Client>(client.at(slot)).countedBytes = 0;
}

function evictLargest(): bool {
  let largest: u32 = 0;
  let most: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record == 0) continue;
    const c = changetype<Client>(record);
    if (c.flags & client.NO_EVICT || c.countedBytes <= most) continue;
    largest = record;
    most = c.countedBytes;
  }
  if (largest != 0) evict(changetype<Client>(largest));
  return largest != 0;
}

function evict(c: Client): void {
  text.begin();
  text.ascii('Evicting client: ');
  line.put(c);
  log.begin('');
  log.bytes(text.address(), text.length());
  log.end(log.NOTICE);
  text.end();
  forget(c);
  stats.add(stats.EVICTED_CLIENTS, 1);
  clientEvent.close(c);
}

export function forget(c: Client): void {
  total -= c.countedBytes;
  c.countedBytes = 0;
}
