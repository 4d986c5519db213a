// The addresses of this VM's regions: the memory map (abi/memory-map.ts) computed once for this VM's size.
//
// Interface   attach() first; then this file provides the address of every region.
// Concurrency Mutable globals are registers of this instance of the kernel; nothing here is shared.

import { FRAME_SHIFT, TABLE_CHUNK_PAGES } from '../abi/limits';
import * as memoryMap from '../abi/memory-map';

export let frameCount: u32 = 0;
/** Address of the VM block (abi/vm-block.ts). */
export let vm: u32 = 0;
/** Address of the epoch table: one byte per page. */
export let epochs: u32 = 0;
let tables: u32 = 0;
let tags: u32 = 0;
let snapshots: u32 = 0;
let vcpus: u32 = 0;

export function attach(frames: u32): void {
  frameCount = frames;
  vm = memoryMap.vmBlock(frames);
  epochs = memoryMap.epochTable(frames);
  tables = memoryMap.snapshotTables(frames);
  tags = memoryMap.frameTags(frames);
  snapshots = memoryMap.snapshotBlocks(frames);
  vcpus = memoryMap.vcpuBlocks(frames);
}

export function vcpuBlock(index: u32): u32 {
  return vcpus + (index << FRAME_SHIFT);
}

export function snapshotBlock(slot: u32): u32 {
  return snapshots + (slot << FRAME_SHIFT);
}

/** Address of the flat page table of a snapshot: 4 bytes per page. */
export function snapshotTable(slot: u32): u32 {
  return tables + slot * (frameCount << 2);
}

/** Address of the 8-byte tag of a frame: next pfn in the limbo list, end_epoch. */
export function frameTag(pfn: u32): u32 {
  return tags + (pfn << 3);
}

/** Number of chunks in a snapshot's table. */
export function tableChunks(): u32 {
  return frameCount / TABLE_CHUNK_PAGES;
}

/** End of the frames that may be handed out (exclusive); they start at the floor. */
export function frameTop(): u32 {
  return vm >> FRAME_SHIFT;
}
