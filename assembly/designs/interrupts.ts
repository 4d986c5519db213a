// Serving the interrupts of other vCPUs, wherever this one begins an operation or waits: a translation that
// is trusted needs it of every vCPU. Tabby needs none of it, and nothing of it is compiled then.
//
// Interface   attach() by each vCPU; poll() holds no latch of the pool's own that a handler could want.

import * as ipi from '../mmu/ipi';
import { DESIGN, EAGER } from './design';

export function attach(): void {
  if (DESIGN == EAGER) ipi.attach();
}

export function poll(): void {
  if (DESIGN == EAGER) ipi.poll();
}
