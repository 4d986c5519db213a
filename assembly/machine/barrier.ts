// Memory order. The only file that spells fences.
//
// Interface   storeFence() between "copy published" and "page marked", and between "page marked" and the store;
//             loadFence() between a read and the re-check that validates it.
// Concurrency x86 keeps stores in order and loads in order, so nothing is needed there. Elsewhere (or where the
//             host does not know) both are an atomic exchange on a word of the own block: its acquire half keeps
//             later accesses after every earlier atomic store, its release half keeps earlier accesses before every
//             later atomic load. The compiler in use rejects its own `atomic.fence`. The host decides at boot.

import { VCPU_FENCE } from '../abi/vcpu-block';
import { VM_WEAK } from '../abi/vm-block';
import * as map from './map';
import * as vcpu from './vcpu';

let weak: bool = false;

export function attach(): void {
  weak = load<u32>(map.vm, VM_WEAK) != 0;
}

function fence(): void {
  atomic.xchg<u32>(vcpu.block, 0, VCPU_FENCE);
}

export function storeFence(): void {
  if (weak) fence();
}

export function loadFence(): void {
  if (weak) fence();
}
