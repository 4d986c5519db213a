// The machine under the pool, for tests: page table, TLB, remote calls.

import { ipi, pageTable, shootdown, tlb } from '../../../assembly/linked';

let root: u32 = 0;

/** A page table of its own; an address below the guest's words, or 0. */
export function newTable(): u32 {
  root = pageTable.create();
  return root;
}

export function mapPages(page: u64, count: u64, frame: u32, flags: u64): bool {
  return pageTable.map(root, page, count, frame, flags);
}

export function unmapPages(page: u64, count: u64): u64 {
  return pageTable.unmap(root, page, count);
}

export function protectPages(page: u64, count: u64, writable: bool): void {
  pageTable.protect(root, page, count, writable);
}

export function remapPages(from: u64, to: u64, count: u64): bool {
  return pageTable.remap(root, from, to, count);
}

export function translatePage(page: u64, isWrite: bool): u32 {
  return pageTable.translate(root, page, isWrite);
}

export function entryOf(page: u64): u64 {
  const at = pageTable.entry(root, page);
  return at == 0 ? 0 : atomic.load<u64>(at);
}

export function joinCalls(tlbAddress: u32): void {
  tlb.attach(tlbAddress);
  ipi.attach();
}

export function fillTlb(page: u64, frame: u32): void {
  tlb.fill(page, frame);
}

export function lookUpTlb(page: u64): u32 {
  return tlb.lookup(page);
}

export function shootDown(page: u64): void {
  shootdown.page(page);
}

export function shootDownAll(): void {
  shootdown.all();
}

export function serveCalls(): void {
  ipi.poll();
}

/** Uses the translation of `page` with a safepoint after each use, until the word at `stop` is set. */
export function useTranslation(page: u64, frame: u32, stop: u32, gone: u32): u32 {
  let wrong: u32 = 0;
  while (atomic.load<u32>(stop) == 0) {
    const state = atomic.load<u32>(gone);
    if (state == 0) tlb.fill(page, frame);
    else if (state == 2 && tlb.lookup(page) == frame) wrong += 1;
    ipi.poll();
  }
  return wrong;
}

/** Asks all others `turns` times; with two vCPUs doing so at once, each has to serve while it waits. */
export function askOthers(page: u64, turns: u32): void {
  for (let i: u32 = 0; i < turns; i++) shootdown.page(page + i);
}

/**
 * Ends the translation of `page`: no vCPU fills it any more, then it is shot down, then no vCPU may use it.
 */
export function retire(page: u64, gone: u32): void {
  atomic.store<u32>(gone, 1);
  shootdown.page(page);
  atomic.store<u32>(gone, 2);
}
