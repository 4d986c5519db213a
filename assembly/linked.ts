// What a linked guest gets besides assembly/index.ts: the machine itself, Tabby, structures whose pages are rewired. Such a
// guest runs untranslated and reaches every frame; it exports boot(frames) and attach(frames), and calls linkage.attach(frames)
// in both.

import * as barrier from './machine/barrier';
import * as checked from './machine/checked';
import * as clock from './machine/clock';
import * as linkage from './machine/linkage';
import * as map from './machine/map';
import * as spinlock from './machine/spinlock';
import * as vcpu from './machine/vcpu';

import * as logReader from './io/log-reader';
import * as logRecord from './io/log-record';
import * as logWriter from './io/log-writer';
import * as requests from './io/requests';
import * as ipi from './machine/ipi';
import * as mmu from './machine/mmu';
import * as pageTable from './machine/page-table';
import * as pte from './machine/pte';
import * as remoteCall from './machine/remote-call';
import * as queue from './machine/queue';
import * as safepoint from './machine/safepoint';
import * as shootdown from './machine/shootdown';
import * as tlb from './machine/tlb';
import * as walkCache from './machine/walk-cache';
import * as extendibleHash from './rewiring/extendible-hash';
import * as growableArray from './rewiring/growable-array';
import * as hashBucket from './rewiring/hash-bucket';
import * as poolArea from './tabby/area';
import * as poolCounter from './tabby/counter';
import * as poolHeader from './tabby/header';
import * as poolHeld from './tabby/held';
import * as pool from './tabby/pool';
import * as storage from './tabby/storage';
import { hash } from './tabby/xxh64';

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
