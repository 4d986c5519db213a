// For the checked build: sums that are kept while the server runs, made again from what they are sums of.
//
// Interface   run() with each cron; it looks at a small heap now and then.

import * as client from '../client/client.ts';
import * as entry from '../keyspace/entry.ts';
import * as space from '../keyspace/space.ts';
import { broken } from '../bytes/checked.ts';
import { slab } from '../../../assembly/index.ts';

const CRONS: u32 = 8; // between two audits
const HEAP_MAX: u64 = 8 * 1048576;

let crons: u32 = 0;

export function run(): void {
  if (++crons % CRONS != 0 || slab.liveBytes() > HEAP_MAX) return;
  memorySum();
  databases();
  clients();
}

/** The memory in use is that of all objects. */
function memorySum(): void {
  let total: u64 = 0;
  for (let kind: u32 = 0; kind < slab.KINDS; kind++)
    for (let at = slab.nextLive(kind, 0); at != 0; at = slab.nextLive(kind, at + 1))
      total += slab.usable(at);
  if (total != slab.liveBytes()) broken('HEAP: the bytes in use are not those of the objects');
}

/** Every key is in its dictionary, and the list of keys that expire has those that do. */
function databases(): void {
  let counted: u64 = 0;
  let expiring: u64 = 0;
  for (let at = entry.next(0); at != 0; at = entry.next(at + 1)) {
    if (space.databaseOf(at) < 0) continue;
    counted++;
    if (entry.hasExpiry(at)) expiring++;
  }
  for (let i: u32 = 0; i < space.databases(); i++) {
    counted -= space.keyCount(i);
    expiring -= space.expiringCount(i);
  }
  if (counted != 0) broken('KEYS: the keys are not those of the dictionaries');
  if (expiring != 0) broken('KEYS: the keys that expire are not those listed');
}

function clients(): void {
  let found: u32 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) if (client.at(slot) != 0) found++;
  if (found != client.count()) broken('CLIENT: the clients are not those of the slots');
}
