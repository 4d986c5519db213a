// What memory is used for, as INFO and MEMORY STATS tell it.

import * as client from '../client/client.ts';
import * as dict from '../keyspace/dict.ts';
import * as heap from '../bytes/heap.ts';
import * as line from '../run/client-line.ts';
import * as space from '../keyspace/space.ts';
import * as stats from '../stats/stats.ts';
import { Client } from '../client/client.ts';
import { slab } from '../../../assembly/index.ts';

let startup: u64 = 0;

/** Notes what the server takes before there is any data; at the end of boot. */
export function noteStartup(): void {
  startup = heap.usedBytes();
}

export function startupBytes(): u64 {
  return startup;
}

/** The most that was ever in use. */
export function peakBytes(): u64 {
  const used = heap.usedBytes();
  if (used > stats.get(stats.PEAK_BYTES)) stats.set(stats.PEAK_BYTES, used);
  return stats.get(stats.PEAK_BYTES);
}

/** Spans that hold objects, free slots in them included. */
export function activeBytes(): u64 {
  return slab.heapBytes() - slab.freeBytes();
}

export function tableBytes(database: u32): u64 {
  return dict.bytes(space.dictOf(database));
}

/** What is not keys and values. */
export function overheadBytes(): u64 {
  return startup + space.overheadBytes() + clientBytes();
}

export function clientBytes(): u64 {
  let total: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    if (client.at(slot) != 0) total += line.memoryOf(changetype<Client>(client.at(slot)));
  }
  return total;
}
