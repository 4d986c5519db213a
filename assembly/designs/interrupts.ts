// Serving the interrupts of other vCPUs wherever this vCPU begins an operation or waits: a design whose
// translations are trusted needs that of every vCPU. Tabby does not, and compiles none of it.
//
// Interface   attach() by each vCPU. poll() must not be called with a latch of the pool that a handler wants.

import * as ipi from '../mmu/ipi';
import { DESIGN, EAGER } from './design';

export function attach(): void {
  if (DESIGN == EAGER) ipi.attach();
}

export function poll(): void {
  if (DESIGN == EAGER) ipi.poll();
}
