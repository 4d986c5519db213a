// The classical TLB shootdown: a translation ends on every vCPU before its frame may hold another page.
//
// Interface   page(number) after its PTE has changed: returns when no vCPU uses the old translation. Tabby
//             does not need it; it is for designs that trust their TLB (TLB-1).
// Cost        an IPI to every vCPU that takes part, and a wait for the slowest.

import { VCPUS_MAX } from '../abi/limits';
import { VCPU_TICKETS } from '../abi/vcpu-block';
import { VM_VCPUS } from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as ipi from './ipi';
import * as tlb from './tlb';

export function page(number: u64): void {
  tlb.invlpg(number);
  broadcast(ipi.CALL_INVLPG, number);
}

export function all(): void {
  tlb.flush();
  broadcast(ipi.CALL_FLUSH, 0);
}

/** Posts to all others first, then waits for each. */
function broadcast(what: u32, arg: u64): void {
  const vcpus = min<u32>(atomic.load<u32>(map.vm, VM_VCPUS), VCPUS_MAX);
  for (let i: u32 = 0; i < vcpus; i++)
    if (isOther(i)) store<u32>(ticketAt(i), ipi.post(i, what, arg));
  for (let i: u32 = 0; i < vcpus; i++) if (isOther(i)) ipi.wait(i, load<u32>(ticketAt(i)));
}


@inline
function isOther(index: u32): bool {
  return index != vcpu.index && ipi.takesPart(index);
}


@inline
function ticketAt(index: u32): u32 {
  return vcpu.block + VCPU_TICKETS + (index << 2);
}
