// JavaScript glue writes to a program's memory by itself: arguments into memory that it has just allocated, results where
// the program wants them. Such a store has no write check, so it would show through in snapshots that are active. Here
// the pages are made writable first (preserved for the snapshots, and marked), as a checked store would do.
//
// Interface   guardAllocator() and guardImports() wrap what glue is given and gives; beforeWrite() is what they call. In a fork, which has
//             no glue, resizeHeap() stands in for it.
// Invariants  GLUE-1  What an exported allocator returns, and what one of WASI's functions writes, is preserved before
//                     glue can write there. Anything else that glue writes must have been free at the time of the snapshot,
//                     or its author calls beforeWrite() (docs/programs.md).
// Cost        One call of the kernel while no snapshot is active; a look at the mark of each page while one is.

import { GAUGE_SNAPSHOTS } from '../../assembly/abi/counter.ts';
import { WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { IOVEC_BYTES, type WasiFunction } from '../wasi/abi.ts';
import type { Kernel } from './kernel.ts';
import type { GuestFunction } from './vcpu.ts';

type Argument = number | bigint;
type BeforeWrite = (address: number, bytes: number) => void;

/** Preserves a range that is about to be written without write checks. A range outside guest memory is left alone. */
export function beforeWrite(kernel: Kernel, address: number, bytes: number): void {
  const { calls } = kernel;
  if (bytes === 0 || calls.counter(GAUGE_SNAPSHOTS) === 0) return;
  if (!kernel.isGuestRange(address, bytes)) return;
  calls.enter();
  try {
    calls.faultRange(address, bytes);
  } finally {
    calls.leave();
  }
}

const first: (...args: Argument[]) => number = (bytes) => Number(bytes);
const second: (...args: Argument[]) => number = (_old, bytes) => Number(bytes);

/** Functions that give glue memory to write to, by the names they have in common compilers' output: how many bytes. */
const ALLOCATORS: Record<string, (...args: Argument[]) => number> = {
  malloc: first,
  calloc: (count, bytes) => Number(count) * Number(bytes),
  realloc: second,
  memalign: second,
  aligned_alloc: second,
  stackAlloc: first,
  _emscripten_stack_alloc: first,
  __wbindgen_malloc: first,
  __wbindgen_export_0: first,
  __new: first,
  sqlite3_malloc: first,
  sqlite3_malloc64: first,
  sqlite3_realloc: second,
  sqlite3_realloc64: second,
  sqlite3__wasm_pstack_alloc: first,
};

/** The exported function `name`, or one that preserves what it allocates. */
export function guardAllocator(
  name: string,
  fn: GuestFunction,
  before: BeforeWrite,
): GuestFunction {
  const bytesOf = Object.hasOwn(ALLOCATORS, name) ? ALLOCATORS[name] : undefined;
  if (bytesOf === undefined) return fn;
  const guarded: GuestFunction = (...args) => {
    const address = fn(...args);
    before(Number(address) >>> 0, bytesOf(...args) >>> 0);
    return address;
  };
  return Object.defineProperty(guarded, 'length', { value: fn.length });
}

/**
 * What Emscripten's glue does for `emscripten_resize_heap`, for a fork, which has no glue: moves the break so that memory has as many
 * bytes. 1, or 0 when there is no room, which for the program is an allocation that failed.
 */
export function resizeHeap({ calls }: Kernel): (bytes: number) => number {
  return (bytes) => {
    const missing = Math.ceil((bytes >>> 0) / WASM_PAGE_BYTES) - calls.size();
    return missing <= 0 || calls.grow(missing) >= 0 ? 1 : 0;
  };
}

/** Which parameters of a WASI function point to results, and how many bytes they have. */
const RESULTS: Partial<Record<WasiFunction, readonly (readonly [parameter: number, bytes: number])[]>> = {
  args_sizes_get: [[0, 4], [1, 4]],
  environ_sizes_get: [[0, 4], [1, 4]],
  clock_res_get: [[1, 8]],
  clock_time_get: [[2, 8]],
  fd_fdstat_get: [[1, 24]],
  fd_filestat_get: [[1, 64]],
  fd_pread: [[4, 4]],
  fd_prestat_get: [[1, 8]],
  fd_pwrite: [[4, 4]],
  fd_read: [[3, 4]],
  fd_readdir: [[4, 4]],
  fd_seek: [[3, 8]],
  fd_tell: [[1, 8]],
  fd_write: [[3, 4]],
  path_filestat_get: [[4, 64]],
  path_open: [[8, 4]],
  path_readlink: [[5, 4]],
}; // prettier-ignore

/** Parameters that are a buffer and its length. */
const BUFFERS: Partial<Record<WasiFunction, readonly [buffer: number, bytes: number]>> = {
  fd_prestat_dir_name: [1, 2],
  fd_readdir: [1, 2],
  path_readlink: [3, 4],
  random_get: [0, 1],
};

/** Glue's own WASI functions, which write to memory, with what they write preserved first. */
export function guardImports(
  imports: WebAssembly.Imports,
  memory: WebAssembly.Memory,
  before: BeforeWrite,
): WebAssembly.Imports {
  const given = imports['wasi_snapshot_preview1'];
  if (given === undefined) return imports;
  const view = new DataView(memory.buffer);
  const wasi = { ...given };
  const touched = new Set([...Object.keys(RESULTS), ...Object.keys(BUFFERS)]);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'function' || !touched.has(name)) continue;
    const fn = value as (...args: Argument[]) => unknown;
    const results = RESULTS[name as WasiFunction] ?? [];
    const buffer = BUFFERS[name as WasiFunction];
    const isVectored = name === 'fd_read' || name === 'fd_pread';
    wasi[name] = (...args: Argument[]) => {
      const word = (parameter: number): number => Number(args[parameter]) >>> 0;
      for (const [parameter, bytes] of results) before(word(parameter), bytes);
      if (buffer !== undefined) before(word(buffer[0]), word(buffer[1]));
      for (let i = 0; isVectored && i < word(2); i++) {
        const at = word(1) + i * IOVEC_BYTES;
        before(view.getUint32(at, true), view.getUint32(at + 4, true));
      }
      return fn(...args);
    };
  }
  return { ...imports, wasi_snapshot_preview1: wasi };
}
