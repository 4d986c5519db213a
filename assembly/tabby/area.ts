// The addresses of the pool's regions, as registers of this vCPU.
//
// Interface   The vCPU that creates the pool calls claim() and publish(); then each vCPU calls attach().
//             `word` is the address of a word of guest memory that holds the pool's address from publish()
//             on. Other files read the registers below.
// Concurrency publish() stores the word last: a vCPU that sees it sees the whole pool. The registers are this
//             vCPU's.
//
//   pool block, 2 frames, then 4 bytes a frame of descriptors (descriptor.ts)
//     0  u32  first frame of the pool          64  u32  clock hand, counts frames passed (clock.ts)
//     4  u32  frames of the pool             4096  u32  x VCPUS_MAX: area of each vCPU, 0 = none yet
//     8  u32  root of the page table
//    12  i32  descriptor of the storage
//    16  u32  x 2, of the translation (translation.ts)
//    68  u32  retained pages have numbers below it; 72 u32 how many of them are dirty (retained.ts)
//
//   area of a vCPU
//     0  u32  its operation: odd during one, new for each (operation.ts); other vCPUs read it
//   256       dirty victims of a round, 320 clean ones (clock.ts), 384 results of the writes (write-back.ts)
//   512       free frames that this vCPU keeps (clock.ts)
//  1024       reads in progress (arrivals.ts)
//  4096       page-walk cache, then TLB (translation.ts)

import { ENOMEM } from '../abi/errno';
import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { VM_POOL_FRAMES } from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as linkage from '../mmu/linkage';
import * as pageTable from '../mmu/page-table';
import * as tlb from '../mmu/tlb';
import * as walkCache from '../mmu/walk-cache';
import * as header from './header';

export const POOL_FRAMES_MIN: u32 = 8;
/** Frames after the pool, inside the DMA window, that the owner reads and writes itself. */
export const SCRATCH_FRAMES: u32 = 32;

const BLOCK_FRAMES: u32 = 2;
const BLOCK_BYTES: u32 = BLOCK_FRAMES * FRAME_BYTES;
const FIRST: u32 = 0;
const FRAMES: u32 = 4;
const ROOT: u32 = 8;
const STORAGE: u32 = 12;
export const HASH_TABLE: u32 = 16;
export const SWIP_LINKS: u32 = 20;
export const HAND: u32 = 64;
export const RETAINED_BELOW: u32 = 68;
export const RETAINED_DIRTY: u32 = 72;
const AREAS: u32 = 4096;

export const AREA_OPERATION: u32 = 0;
export const AREA_BATCH: u32 = 256;
export const AREA_CLEAN: u32 = 320;
export const AREA_RESULTS: u32 = 384;
export const AREA_KEPT: u32 = 512;
export const AREA_READS: u32 = 1024;
export const AREA_CACHES: u32 = 4096;
const AREA_BYTES: u32 = AREA_CACHES + walkCache.CACHE_BYTES + tlb.TLB_BYTES;

/** Address of the pool block; 0 while this vCPU is not attached. */
export let block: u32 = 0;
/** Address of the first frame; number of frames; address after the last. */
export let first: u32 = 0;
export let frames: u32 = 0;
export let end: u32 = 0;
let homes: u32 = 0;
/** Frames after the pool that the host may also read and write. */
export let scratch: u32 = 0;
export let descriptors: u32 = 0;
export let storage: i32 = -1;
export let root: u32 = 0;
/** This vCPU's area. */
export let own: u32 = 0;

/** Claims the memory of a pool of `count` frames: the address of its block, or 0 without room. */
export function claim(count: u32): u32 {
  const bookkeeping = BLOCK_FRAMES + (((count << 2) + FRAME_BYTES - 1) >> FRAME_SHIFT);
  const pool = linkage.claimFrames(bookkeeping); // reads as zero
  const start = pool == 0 ? 0 : linkage.claimFrames(count + SCRATCH_FRAMES);
  const table = start == 0 ? 0 : pageTable.create();
  if (table == 0) return 0;
  store<u32>(pool, start, FIRST);
  store<u32>(pool, count, FRAMES);
  store<u32>(pool, table, ROOT);
  store<u64>(start, header.INVALID); // zero would name page 0
  return pool;
}

/**
 * Publishes the pool of claim(), over the file `descriptor`, to all vCPUs; 0, or the negative errno of
 * setDmaWindow().
 */
export function publish(pool: u32, word: u32, descriptor: i32): i32 {
  const start = load<u32>(pool, FIRST);
  const count = load<u32>(pool, FRAMES);
  const window = linkage.setDmaWindow(start, start + ((count + SCRATCH_FRAMES) << FRAME_SHIFT));
  if (window < 0) return window;
  store<i32>(pool, descriptor, STORAGE);
  atomic.store<u32>(map.vm, count, VM_POOL_FRAMES);
  atomic.store<u32>(word, pool);
  return 0;
}

/** Attaches this vCPU to the pool of `word`; 0 or -ENOMEM. */
export function attach(word: u32): i32 {
  const pool = atomic.load<u32>(word);
  const slot = pool + AREAS + (vcpu.index << 2);
  let area = load<u32>(slot);
  if (area == 0) {
    area = linkage.claimFrames(AREA_BYTES >> FRAME_SHIFT); // stays; later vCPUs with this index reuse it
    if (area == 0) return -ENOMEM;
    atomic.store<u32>(slot, area);
  }
  block = pool;
  first = load<u32>(pool, FIRST);
  frames = load<u32>(pool, FRAMES);
  end = first + (frames << FRAME_SHIFT);
  homes = 0xffffffff >> clz<u32>(frames - 1);
  scratch = end;
  descriptors = pool + BLOCK_BYTES;
  storage = load<i32>(pool, STORAGE);
  root = load<u32>(pool, ROOT);
  own = area;
  return 0;
}

/**
 * The home frame of a page: the page is put there if that frame is available, and is then found without a
 * translation. Dense page numbers have distinct homes up to the size of the pool.
 */
@inline
export function home(page: u64): u32 {
  const index = (<u32>page) & homes;
  return first + ((index < frames ? index : index & (homes >> 1)) << FRAME_SHIFT);
}

/** Area of a vCPU; 0 if it never had one. */
export function areaOf(index: u32): u32 {
  return atomic.load<u32>(block + AREAS + (index << 2));
}

/** Forgets the pool: its frames stay claimed, and the next attach() needs a new one. */
export function detach(): void {
  block = 0;
}
