// Statistics of a store.

import * as kv from '../../assembly/abi/kv.ts';
import { exposition, metricsOf, type VMStats } from '../vm/stats.ts';
import type { Guest } from './guest.ts';

/**
 * Statistics of a store. Entries, pages and height are current; reads, writes and evictions count since it
 * was opened. Pages are 4 KiB.
 *
 * @category Store
 */
export interface StoreStats {
  entries: number;
  pages: number;
  height: number;
  poolPages: number;
  pagesRead: number;
  pagesWritten: number;
  evictions: number;
  /** Of a durable store: bytes logged, and checkpoints made, since it was opened. */
  logBytes: number;
  checkpoints: number;
}

export function statsOf(guest: Guest): StoreStats {
  const read = (which: number): number => guest.call(0, () => guest.exports.stat(which));
  return {
    entries: read(kv.KV_ENTRIES),
    pages: read(kv.KV_PAGES_USED),
    height: read(kv.KV_HEIGHT),
    poolPages: read(kv.KV_POOL_FRAMES),
    pagesRead: read(kv.KV_FAULTS),
    pagesWritten: read(kv.KV_WRITES),
    evictions: read(kv.KV_EVICTIONS),
    logBytes: read(kv.KV_LOG_BYTES),
    checkpoints: read(kv.KV_CHECKPOINTS),
  };
}

/** In the text format of Prometheus, with the statistics of the store's VM. */
export function expositionOf({ entries, pages, height }: StoreStats, vm: VMStats): string {
  return exposition([
    ...metricsOf(vm),
    { name: 'ringzero_store_entries', help: 'Entries of the store.', value: entries },
    { name: 'ringzero_store_pages', help: 'Pages of the file in use.', value: pages },
    { name: 'ringzero_store_height', help: 'Levels of the tree.', value: height },
  ]);
}
