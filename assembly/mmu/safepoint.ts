// Safepoints of linked guests: where a vCPU takes its interrupts. Translated guests have them in their loops.
//
// Interface   poll() where the guest holds no latch and no window of the pool is open. mask() keeps vectors
//             pending up to unmask(), which takes them.
// Cost        a poll is two plain loads and a branch; what another vCPU has just raised is seen at a later
//             one.

import { VCPU_MASK, VCPU_PENDING } from '../abi/vcpu-block';
import * as vcpu from '../machine/vcpu';


@external('libdbos', 'safepoint')
declare function safepoint(): void;


@inline
export function poll(): void {
  const pending = load<u32>(vcpu.block, VCPU_PENDING);
  if ((pending & ~load<u32>(vcpu.block, VCPU_MASK)) != 0) safepoint();
}

/** `vectors`: a bit each. */
export function mask(vectors: u32): void {
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) | vectors, VCPU_MASK);
}

export function unmask(vectors: u32): void {
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) & ~vectors, VCPU_MASK);
  poll();
}
