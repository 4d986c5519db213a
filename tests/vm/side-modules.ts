// A program and a side module, linked as Emscripten's dynamic loader links them.

import { assemble } from './guests.ts';

/** Where the side module's data is. */
export const SIDE_MEMORY = 131_072;
const [MEMORY_INFO, SIDE_BYTES, SIDE_ENTRIES] = [1, 16, 2];

/** Puts the section in front that says what a dynamically linked module needs; numbers are LEB128. */
export function dynamic(
  module: Uint8Array,
  entries: readonly number[] = [SIDE_ENTRIES],
): Uint8Array {
  const name = [...new TextEncoder().encode('dylink.0')];
  const info = [MEMORY_INFO, 3 + entries.length, SIDE_BYTES, 4, ...entries, 0];
  const content = [name.length, ...name, ...info];
  const section = [0, content.length, ...content];
  return Uint8Array.from([...module.subarray(0, 8), ...section, ...module.subarray(8)]);
}

export const PROGRAM = dynamic(
  assemble(`(module
    (import "env" "memory" (memory 4 64))
    (table (export "__indirect_function_table") 2 funcref)
    (type $fn (func (param i32) (result i32)))
    (elem (i32.const 1) $double)
    (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "call") (param $index i32) (param $x i32) (result i32)
      (call_indirect (type $fn) (local.get $x) (local.get $index)))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "fail") (unreachable)))`),
);

/** Both functions count their calls in memory and in a global; only one is exported. */
const SIDE = dynamic(
  assemble(`(module
    (import "env" "memory" (memory 1))
    (import "env" "__memory_base" (global $memory i32))
    (import "env" "__table_base" (global $table i32))
    (import "env" "__indirect_function_table" (table 0 funcref))
    (import "env" "call" (func $call (param i32 i32) (result i32)))
    (global $calls (mut i32) (i32.const 0))
    (data (global.get $memory) "\\0a\\00\\00\\00")
    (elem (global.get $table) $hidden $shown)
    (func $count
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store (global.get $memory) (i32.add (i32.load (global.get $memory)) (i32.const 1))))
    (func $hidden (param i32) (result i32)
      (call $count)
      (i32.add (call $call (i32.const 1) (local.get 0)) (global.get $calls)))
    (func $shown (export "shown") (param i32) (result i32)
      (call $count)
      (i32.sub (local.get 0) (global.get $calls)))
    (func (export "trap") (unreachable))
    (func (export "__wasm_apply_data_relocs")
      (i32.store (i32.add (global.get $memory) (i32.const 4)) (i32.const 77))))`),
);

export interface ProgramExports {
  readonly __indirect_function_table: WebAssembly.Table;
  call(index: number, x: number): number;
  load(address: number): number;
  fail(): void;
}

export interface Linked {
  /** Index of the function that is not exported; the exported one follows. */
  readonly hidden: number;
  readonly side: { shown(x: number): number; trap(): void };
}

/** What a dynamic loader does. */
export function linkSide(exports: ProgramExports, memory: WebAssembly.Memory): Linked {
  const table = exports.__indirect_function_table;
  const hidden = table.grow(SIDE_ENTRIES);
  const env = {
    memory,
    __memory_base: SIDE_MEMORY,
    __table_base: hidden,
    __indirect_function_table: table,
    call: exports.call,
  };
  const { exports: side } = new WebAssembly.Instance(new WebAssembly.Module(SIDE as BufferSource), {
    env,
  } as unknown as WebAssembly.Imports);
  (side['__wasm_apply_data_relocs'] as (() => void) | undefined)?.();
  return { hidden, side: side as unknown as Linked['side'] };
}
