// Memory order. The only file that contains fences.
//
// Interface   storeFence() between "copy published" and "page marked", and between "page marked" and the
//             store; loadFence() between a read and the re-check that validates it. publish64() and
//             publish32() as the last store under a lock, without the full fence of atomic.store.
// Concurrency x86 keeps stores in order and loads in order, so it needs none. On other processors (or if the
//             host does not know) both are an atomic exchange on a word of the own block: its acquire half
//             keeps later accesses after every earlier atomic store, its release half keeps earlier accesses
//             before every later atomic load. The compiler in use rejects its own `atomic.fence`. The host
//             decides at boot.
//             The circle with vcpu.ts is harmless: neither calls the other before both are loaded.

import { VCPU_FENCE } from '../abi/vcpu-block';
import { VM_WEAK } from '../abi/vm-block';
import * as map from './map';
import * as vcpu from './vcpu';

/** Whether this processor may reorder loads with loads, or stores with stores. */
export let weak: bool = false;

export function attach(): void {
  weak = load<u32>(map.vm, VM_WEAK) != 0;
}

function fence(): void {
  atomic.xchg<u32>(vcpu.block, 0, VCPU_FENCE);
}

/** Stores after all earlier stores, as the holder of a lock does last. x86 keeps plain stores in order. */
@inline
export function publish64(address: u32, value: u64): void {
  if (weak) atomic.store<u64>(address, value);
  else store<u64>(address, value);
}


@inline
export function publish32(address: u32, value: u32): void {
  if (weak) atomic.store<u32>(address, value);
  else store<u32>(address, value);
}

export function storeFence(): void {
  if (weak) fence();
}

export function loadFence(): void {
  if (weak) fence();
}
