// What happens hz times a second: expired keys, tables that are too large, memory to free.

import * as admission from '../run/admission.ts';
import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as clientMemory from '../run/client-memory.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as dict from '../keyspace/dict.ts';
import * as evict from '../keyspace/evict.ts';
import * as expire from '../keyspace/expire.ts';
import * as heap from '../bytes/heap.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as lazyfree from '../keyspace/lazyfree.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as output from '../run/output.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as space from '../keyspace/space.ts';
import * as stats from '../stats/stats.ts';
import * as telemetry from './telemetry.ts';
import * as audit from './audit.ts';
import { CHECKED } from '../bytes/checked.ts';
import { clockUs } from '../border/host.ts';

const REHASH_US: f64 = 1000;
const LAZY_US: f64 = 2000;
const RESIZED_AT_ONCE: u32 = 16; // databases looked at for a resize
const CLIENTS_AT_ONCE: u32 = 256;

let nextDatabase: u32 = 0;
let nextClient: u32 = 0;

export function run(): void {
  client.setCurrent(0);
  replyBlock.shrink();
  expire.cycle();
  if (!admission.loading()) evict.goOn();
  lazyStep();
  rehash();
  watchClients();
  const used = heap.usedBytes();
  if (used > stats.get(stats.PEAK_BYTES)) stats.set(stats.PEAK_BYTES, used);
  telemetry.tick();
  observe.tick();
  if (CHECKED) audit.run();
}

function lazyStep(): void {
  const end = clock.us() + LAZY_US;
  while (lazyfree.step()) if (clockUs() > end) return;
}

function rehash(): void {
  const databases = space.databases();
  const count = min(databases, RESIZED_AT_ONCE);
  for (let i: u32 = 0; i < count; i++) {
    const dictionary = space.dictOf(nextDatabase);
    nextDatabase = (nextDatabase + 1) % databases;
    if (!keyspace.isChildActive()) dict.resize(dictionary);
    if (config.number(option.ACTIVEREHASHING) == 0) continue;
    const end = clockUs() + REHASH_US;
    while (dict.isResizing(dictionary)) {
      for (let turn: u32 = 0; turn < 64; turn++) if (!dict.step(dictionary)) return;
      if (clockUs() > end) return;
    }
  }
}

/** Closes clients that were silent for longer than the option timeout, or over a soft limit for too long. */
function watchClients(): void {
  clientMemory.settleAll();
  const limit = config.number(option.TIMEOUT) * 1000;
  const count = min(client.slots(), CLIENTS_AT_ONCE);
  for (let i: u32 = 0; i < count; i++) {
    const record = client.at(nextClient);
    nextClient = (nextClient + 1) % client.slots();
    if (record == 0) continue;
    const c = changetype<client.Client>(record);
    const isIdle = limit != 0 && clock.ms() - c.activeMs > limit;
    if (isIdle && !(c.flags & client.MONITOR)) clientEvent.close(c);
    else output.watch(c);
  }
}
