// Safepoints of linked guests: where a vCPU takes its interrupts. Translated guests have them in their loops.
//
// Interface   poll() where the guest holds no latch and is in no operation of the pool. mask() keeps vectors
//             pending until unmask(), which takes them.
// Cost        two plain loads and a branch; an interrupt that another vCPU has just raised may be seen by a
//             later poll.

import { VCPU_MASK, VCPU_PENDING } from '../abi/vcpu-block';
import * as vcpu from '../machine/vcpu';


@external('libdbos', 'safepoint')
declare function safepoint(): void;


@inline
export function poll(): void {
  const pending = load<u32>(vcpu.block, VCPU_PENDING);
  if ((pending & ~load<u32>(vcpu.block, VCPU_MASK)) != 0) safepoint();
}

/** `vectors` has a bit per vector. */
export function mask(vectors: u32): void {
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) | vectors, VCPU_MASK);
}

export function unmask(vectors: u32): void {
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) & ~vectors, VCPU_MASK);
  poll();
}
