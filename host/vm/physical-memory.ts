// The one shared memory of a VM, and what JavaScript glue sees of it.

import { FRAME_BYTES, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { RingzeroError } from '../errors.ts';
import type { Kernel } from './kernel.ts';

const made = new WeakSet<WebAssembly.Memory>();

/** Fails with RZ_OUT_OF_MEMORY. */
export function allocateMemory(frames: number): WebAssembly.Memory {
  const pages = (frames * FRAME_BYTES) / WASM_PAGE_BYTES;
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    made.add(memory);
    return memory;
  } catch (error) {
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      `the host gives no memory of ${frames * FRAME_BYTES} bytes`,
      { cause: error },
    );
  }
}

/** Whether allocateMemory() made it, in this thread: only then its size is fixed for good. */
export function isPhysicalMemory(value: unknown): value is WebAssembly.Memory {
  return value instanceof WebAssembly.Memory && made.has(value);
}

/**
 * Lets glue grow the program's memory: grow() of this object moves the break instead. Glue counts from the length of
 * the buffer, which is all of physical memory, so what it asks for comes as a negative number of pages.
 */
export function growByBreak(memory: WebAssembly.Memory, kernel: Kernel): void {
  const pages = memory.buffer.byteLength / WASM_PAGE_BYTES;
  Object.defineProperty(memory, 'grow', {
    configurable: true,
    value: (delta: number): number => {
      const old = kernel.calls.size();
      const more = pages + delta - old;
      if (more > 0 && (delta > 0 || kernel.calls.grow(more) < 0))
        throw new RangeError(`WebAssembly.Memory.grow(): guest memory cannot have ${old + more} pages`); // prettier-ignore
      return old;
    },
  });
}
