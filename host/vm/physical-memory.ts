// The shared memory of a VM, and the part of it that JavaScript glue sees: as much as the program has.
//
// Memory has its full size from the start, because the kernel is at its end. But a shared memory that grows
// keeps the buffers of its smaller sizes, each with its own length over the same bytes. So memory for a
// program grows to its full size in steps when it is created, and glue gets the buffer of the step that the
// program has reached.
//
// Interface   allocateMemory(frames); allocateSteps(frames) for a program, giveMemory() for one that is
//             loaded later; showProgram() once the program is loaded.
// Invariants  MEM-1  Glue sees every byte of the program, and less than one step more.
//             MEM-2  A program that can grow without its glue shows the most that it may ever have: glue
//                    keeps its views until it grows memory itself, and a shared buffer cannot be detached to
//                    notify it.
// Cost        About 1.3 us per step when memory is created, 3 ms for 4 GiB; nothing later.

import { originals } from '../constructors.ts';
import { FRAME_BYTES, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { RingzeroError } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { Kernel } from './kernel.ts';

const made = new WeakMap<WebAssembly.Memory, readonly SharedArrayBuffer[]>();
/** Memories that glue had before their program was loaded: it may have views of all of physical memory. */
const given = new WeakSet<WebAssembly.Memory>();

/** Fails with RZ_OUT_OF_MEMORY. */
export function allocateMemory(frames: number): WebAssembly.Memory {
  const pages = (frames * FRAME_BYTES) / WASM_PAGE_BYTES;
  return allocate(pages, pages);
}

/** The same, in steps, for a program with glue. Fails likewise. */
export function allocateSteps(frames: number): WebAssembly.Memory {
  const pages = (frames * FRAME_BYTES) / WASM_PAGE_BYTES;
  const memory = allocate(1, pages);
  const steps: SharedArrayBuffer[] = [];
  for (let size = 1; size < pages;) {
    steps.push(physicalBuffer(memory));
    const next = Math.min(pages, size + stepAfter(size));
    WebAssembly.Memory.prototype.grow.call(memory, next - size);
    size = next;
  }
  steps.push(physicalBuffer(memory));
  made.set(memory, steps);
  return memory;
}

function allocate(initial: number, maximum: number): WebAssembly.Memory {
  try {
    const memory = new originals.Memory({ initial, maximum, shared: true });
    made.set(memory, []);
    return memory;
  } catch (error) {
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      `cannot allocate ${maximum * WASM_PAGE_BYTES} bytes of shared memory. Engines reserve up to 10 GiB of addresses for each memory, whatever its size: ` +
        'raise the address limit (`ulimit -v`) to 12 GB or more, or have fewer VMs and stores open at a time',
      { cause: error },
    );
  }
}

/** Memory for a program that is loaded later. Its glue sees `pages` of it, or all of it. */
export function giveMemory(frames: number, pages: number | undefined): WebAssembly.Memory {
  const memory = allocateSteps(frames);
  if (pages !== undefined) showPages(memory, pages);
  given.add(memory);
  return memory;
}

/** Step sizes: one page up to 64 MiB, 1 MiB up to 1 GiB, then 16 MiB. */
function stepAfter(pages: number): number {
  if (pages < 1024) return 1;
  return pages < 16384 ? 16 : 256;
}

/** Whether it was created here, in this thread: only then its size never changes. */
export function isPhysicalMemory(value: unknown): value is WebAssembly.Memory {
  return value instanceof WebAssembly.Memory && made.has(value);
}

/**
 * Whether glue may have views of the whole memory, longer than the program: it had the memory before the
 * program was loaded.
 */
export function seesAll(memory: WebAssembly.Memory): boolean {
  return given.has(memory) && !Object.hasOwn(memory, 'buffer');
}

/** The first step with at least this many pages; undefined in memory without steps. */
function stepOf(memory: WebAssembly.Memory, pages: number): SharedArrayBuffer | undefined {
  return made.get(memory)?.find((step) => step.byteLength >= pages * WASM_PAGE_BYTES);
}

/** Gives `memory.buffer` this many pages from now on. */
function showPages(memory: WebAssembly.Memory, pages: number): void {
  const shown = stepOf(memory, pages);
  if (shown === undefined) return;
  Object.defineProperty(memory, 'buffer', { configurable: true, get: () => shown });
}

/**
 * Makes `memory` show glue only the program's memory, and makes grow() move its break. `growsItself`: the
 * module has a memory.grow, so it may grow without the glue (MEM-2).
 *
 * Glue computes the pages it asks for from the length of its views, so the break moves to the end of a step.
 * With views of all memory, the number of pages that glue asks for is negative.
 */
export function showProgram(
  memory: WebAssembly.Memory,
  kernel: Kernel,
  growsItself: boolean,
): void {
  const { calls } = kernel;
  const pagesOf = (buffer: ArrayBufferLike): number => buffer.byteLength / WASM_PAGE_BYTES;
  const isExact = !growsItself && !seesAll(memory);
  if (isExact) showPages(memory, calls.size());
  else if (!seesAll(memory)) showPages(memory, kernel.guestLimitPages);
  const moveTo = (pages: number): boolean => calls.grow(Math.max(0, pages - calls.size())) >= 0;
  const grow = (delta: number): number => {
    const old = calls.size();
    const seen = pagesOf(memory.buffer);
    const wanted = delta < 0 ? seen + delta : delta + (isExact ? seen : old);
    const step = isExact ? stepOf(memory, wanted) : undefined;
    if (!(step !== undefined && moveTo(pagesOf(step))) && !moveTo(wanted))
      throw new RangeError(`WebAssembly.Memory.grow(): guest memory cannot have ${wanted} pages`);
    if (isExact) showPages(memory, calls.size());
    return old;
  };
  Object.defineProperty(memory, 'grow', { configurable: true, value: grow });
}
