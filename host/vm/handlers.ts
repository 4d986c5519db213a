// The guest's own handlers: exports of the module with these names, or TypeScript functions for prototypes.
//
//   onPageFault   linked guests: (page: u64, access: u32) -> i32 (assembly/mmu/mmu.ts)
//                 others: (address: i32) -> i32, nonzero = retry the store (assembly/kernel/trap.ts)
//   onSyscall     (number, a, b, c, d, e: i32) -> i32
//   onInterrupt   (vector: i32)
//   onCall        linked guests: (function: u32, arg: u64) -> u64 (assembly/mmu/remote-call.ts); module only

import { originals } from '../constructors.ts';
import {
  HANDLER_CALL,
  HANDLER_MMU,
  HANDLER_PAGE_FAULT,
  HANDLER_SYSCALL,
  PAGE_STAGED,
} from '../../assembly/abi/handler.ts';
import { VECTOR_CALL, VECTOR_COUNT, VECTOR_KILL } from '../../assembly/abi/vector.ts';
import { EIO } from '../../assembly/abi/errno.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { refuse, RingzeroError } from '../errors.ts';
import type * as Wasm from '../webassembly.ts';

/**
 * Handlers in TypeScript: they override the guest's exports, and cost a call out of WebAssembly (50 ns).
 *
 * @category VM
 * @example
 * const handlers = { onInterrupt: (vector: number) => console.log(`interrupt ${vector}`) };
 * const vm = await MicroVM.create({ guest, handlers });
 */
export interface Handlers {
  /**
   * A page of a linked guest's virtual memory was accessed and is not resident. Returns its content, up to
   * 4096 bytes followed by zeros, or a negative errno, with which the access fails. Runs on the vCPU's
   *      thread.
   */
  onPageFault?(page: number, isWrite: boolean): Uint8Array | number;
  /**
   * A system call of the guest. Returns a result of 0 or more, or a negative errno; undefined passes it on to
   * the host.
   */
  onSyscall?(number: number, ...args: number[]): number | undefined;
  /** An interrupt, at a safepoint. */
  onInterrupt?(vector: number): void;
}

export const I32 = 0x7f;
const I64 = 0x7e;

/** What binding needs of a vCPU. */
export interface Trapping {
  linked: boolean;
  bind(slot: number, fn: Wasm.ExportValue): void;
  /** The vCPU's staging buffer. */
  staging(bytes: number): Uint8Array;
  /** The host's own system call. */
  proxy(number: number, ...args: number[]): number;
}

/** Binds the handlers that exist. Fails with RZ_OPTION when a TypeScript handler is not a function. */
export function bindHandlers(vcpu: Trapping, exports: Wasm.Exports, handlers: Handlers): void {
  const { onPageFault, onSyscall, onInterrupt } = checked(handlers, vcpu.linked);
  const fault =
    onPageFault === undefined
      ? exports['onPageFault']
      : wasmFunction([I64, I32], [I32], (page: bigint, access: number) =>
          staged(vcpu, onPageFault.call(handlers, Number(page), access !== 0)),
        );
  if (typeof fault === 'function') vcpu.bind(vcpu.linked ? HANDLER_MMU : HANDLER_PAGE_FAULT, fault);
  const syscall =
    onSyscall === undefined
      ? exports['onSyscall']
      : wasmFunction(Array<number>(6).fill(I32), [I32], (number: number, ...args: number[]) => {
          const result = onSyscall.call(handlers, number, ...args);
          return result === undefined ? vcpu.proxy(number, ...args) : result;
        });
  if (typeof syscall === 'function') vcpu.bind(HANDLER_SYSCALL, syscall);
  const { onCall } = exports;
  if (typeof onCall === 'function' && vcpu.linked) vcpu.bind(HANDLER_CALL, onCall);
  const interrupt =
    onInterrupt === undefined
      ? exports['onInterrupt']
      : wasmFunction([I32], [], (vector: number) => onInterrupt.call(handlers, vector));
  if (typeof interrupt !== 'function') return;
  for (let vector = VECTOR_KILL + 1; vector < VECTOR_COUNT; vector++)
    if (vector !== VECTOR_CALL) vcpu.bind(vector, interrupt);
}

function checked(handlers: Handlers, linked: boolean): Handlers {
  for (const [name, handler] of Object.entries(handlers))
    if (handler !== undefined && typeof handler !== 'function')
      refuse(`handlers.${name}`, typeof handler, 'a function');
  if (handlers.onPageFault !== undefined && !linked)
    throw new RingzeroError(
      'RZ_OPTION',
      'handlers.onPageFault: only linked guests have virtual memory',
    );
  return handlers;
}

/** The result of onPageFault in the form that the guest takes. */
function staged(vcpu: Trapping, result: Uint8Array | number): number {
  if (typeof result === 'number') return result < 0 ? result : -EIO;
  const page = vcpu.staging(FRAME_BYTES).fill(0);
  page.set(result.subarray(0, FRAME_BYTES));
  return PAGE_STAGED;
}

/** A function for a WebAssembly table that calls `fn`: made by a module that exports what it imports. */
export function wasmFunction(
  params: readonly number[],
  results: readonly number[],
  fn: (...args: never[]) => unknown,
): Wasm.ExportValue {
  const type = [1, 0x60, params.length, ...params, results.length, ...results];
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, type.length, ...type], // the type
    ...[2, 7, 1, 1, 0x66, 1, 0x66, 0, 0], // import f.f
    ...[7, 5, 1, 1, 0x66, 0, 0], // export f
  ]);
  const instance = new originals.Instance(new originals.Module(bytes), {
    f: { f: fn as (...args: unknown[]) => unknown },
  });
  return instance.exports['f']!;
}
