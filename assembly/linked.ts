// What a linked guest may import, in addition to what assembly/index.ts provides to any guest. Each name is a
// file, whose header has the interface, the invariants and the cost; docs/guest.md builds a guest on them.
//
// A linked guest is compiled together with these files, runs untranslated and can access every frame of the
// VM. It exports boot(frames), called once per VM, and attach(frames), called on each vCPU, and calls
// linkage.attach(frames) in both. Globals are registers of one vCPU; what vCPUs share is in memory.

import * as clock from './io/clock';
import * as logReader from './io/log-reader';
import * as logRecord from './io/log-record';
import * as logWriter from './io/log-writer';
import * as queue from './io/queue';
import * as requests from './io/requests';
import { hash } from './io/xxh64';
import * as barrier from './machine/barrier';
import * as checked from './machine/checked';
import * as map from './machine/map';
import * as spinlock from './machine/spinlock';
import * as vcpu from './machine/vcpu';
import * as ipi from './mmu/ipi';
import * as linkage from './mmu/linkage';
import * as mmu from './mmu/mmu';
import * as pageTable from './mmu/page-table';
import * as pte from './mmu/pte';
import * as remoteCall from './mmu/remote-call';
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
import * as poolRetained from './tabby/retained';
import * as pool from './tabby/pool';
import * as storage from './tabby/storage';

// --- the kernel it calls -----------------------------------------------------------------------------------

export {
  /**
   * Frames from libdbos: claimFrames(), allocFrame(), freeFrame(); the DMA window; attach(), called first.
   */
  linkage,
  /** Interrupts of this vCPU: poll(), mask(), unmask(). */
  safepoint,
};

// --- this vCPU and the others ------------------------------------------------------------------------------

export {
  /** This vCPU's index, block and counters; hold() and letGo() for what others may wait for. */
  vcpu,
  /** Addresses of the VM's regions: vCPU blocks, tables, the end of the frames. */
  map,
  /** acquire(), release(); pause() for every other loop that waits. */
  spinlock,
  /** Fences, and publish32(), publish64(): the last store under a lock. */
  barrier,
  /** CHECKED and panic(): assertions of checked builds. */
  checked,
  /** Interrupts between vCPUs: attach(), post(), wait(), poll(). */
  ipi,
  /** call() makes another vCPU run the guest's onCall(function, arg); awaitResult(). */
  remoteCall,
};

// --- virtual memory ----------------------------------------------------------------------------------------

export {
  /** An address space with page faults: read(), write(), map(), unmap(), dirty and accessed bits. */
  mmu,
  /** Four-level page tables by hand: entry(), map(), unmap(), protect(), remap(), translate(). */
  pageTable,
  /** Page-table entries: their bits, slot and frame. */
  pte,
  /** The TLB: lookup(), fill(), invlpg(), flush(). */
  tlb,
  /** A cache of last-level page tables: a walk in one load. */
  walkCache,
  /** The classical TLB shootdown: page(), all(). */
  shootdown,
};

// --- storage -----------------------------------------------------------------------------------------------

export {
  /** This vCPU's rings: submit(), ring(), next(), wait() (docs/io.md). */
  queue,
  /** Requests with classes and deadlines on the rings: fill(), add(), poll(), wait(). */
  requests,
  /** A log with group commit: open(), append(), commit(). */
  logWriter,
  /** The valid prefix of a log after a crash: open(), next(). */
  logReader,
  /** Records of a log: sizes, seal(), check. */
  logRecord,
  /** now(): microseconds, never decreasing. */
  clock,
  /** XXH64 of a range of memory. */
  hash,
};

// --- Tabby, the buffer pool (docs/tabby.md) ----------------------------------------------------------------

export {
  /**
   * Pages larger than memory: optimistic(), shared(), exclusive() and their ends; prefetch(), writeBack().
   */
  pool,
  /** The page header: page number, version, state. */
  poolHeader,
  /** Addresses of the pool's regions: frames, scratch frames, each vCPU's area. */
  poolArea,
  /** Pages that must not be evicted while dirty: below(), isPressed(), next(). */
  poolRetained,
  /** Pages in storage: seal(), check(), read(), write(), move(). */
  storage,
  /** The pool's counters, by name. */
  poolCounter,
};

// --- structures whose pages are rewired --------------------------------------------------------------------

export {
  /** An array that grows without copying. */
  growableArray,
  /** A hash table of u64 keys whose directory doubles by rewiring its pages. */
  extendibleHash,
  /** Its buckets. */
  hashBucket,
};
