// What a linked guest gets besides assembly/index.ts: the machine itself, Tabby, structures whose pages are rewired. Such a
// guest runs untranslated and reaches every frame; it exports boot(frames) and attach(frames), and calls linkage.attach(frames)
// in both.

import * as barrier from './machine/barrier';
import * as checked from './machine/checked';
import * as clock from './io/clock';
import * as linkage from './mmu/linkage';
import * as map from './machine/map';
import * as spinlock from './machine/spinlock';
import * as vcpu from './machine/vcpu';

import * as logReader from './io/log-reader';
import * as logRecord from './io/log-record';
import * as logWriter from './io/log-writer';
import * as requests from './io/requests';
import * as ipi from './mmu/ipi';
import * as mmu from './mmu/mmu';
import * as pageTable from './mmu/page-table';
import * as pte from './mmu/pte';
import * as remoteCall from './mmu/remote-call';
import * as queue from './io/queue';
import * as safepoint from './mmu/safepoint';
import * as shootdown from './mmu/shootdown';
import * as tlb from './mmu/tlb';
import * as walkCache from './mmu/walk-cache';
import * as extendibleHash from './rewiring/extendible-hash';
import * as growableArray from './rewiring/growable-array';
import * as hashBucket from './rewiring/hash-bucket';
import * as poolArea from './tabby/area';
import * as poolCounter from './tabby/counter';
import * as poolHeader from './tabby/header';
import * as poolHeld from './tabby/held';
import * as pool from './tabby/pool';
import * as storage from './tabby/storage';
import { hash } from './io/xxh64';

export {
  extendibleHash,
  growableArray,
  hash,
  hashBucket,
  ipi,
  logReader,
  logRecord,
  logWriter,
  mmu,
  pageTable,
  pool,
  poolArea,
  poolCounter,
  poolHeader,
  poolHeld,
  pte,
  queue,
  remoteCall,
  requests,
  safepoint,
  storage,
  tlb,
  walkCache,
  shootdown,
};
export { barrier, checked, clock, linkage, map, spinlock, vcpu };
