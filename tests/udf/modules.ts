// Modules of user-defined functions in text form: `call` is what differs.

import { assemble } from '../vm/guests.ts';

export interface Parts {
  /** Default: one page, exported. */
  memory?: string;
  /** Fields besides `memory`, `input` and `call`. */
  fields?: string;
  input?: string;
  result?: 'i32' | 'i64' | 'f64';
  /** Locals and instructions of call($at, $bytes). */
  call?: string;
}

/** Rows go to address 1024. */
export function udf({ memory, fields, input, result, call }: Parts): Uint8Array {
  return assemble(`(module
    ${fields?.includes('(import') ? fields : ''}
    ${memory ?? '(memory (export "memory") 1)'}
    ${fields?.includes('(import') ? '' : (fields ?? '')}
    (func (export "input") (param $bytes i32) (result i32) ${input ?? '(i32.const 1024)'})
    (func $call (export "call") (param $at i32) (param $bytes i32) (result ${result ?? 'i32'})
      ${call ?? '(i32.const 1)'}))`);
}

/** FNV-1a of the row. */
export const HASH = udf({
  call: `(local $end i32) (local $hash i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $hash (i32.mul (i32.const 0x01000193)
        (i32.xor (local.get $hash) (i32.load8_u (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (local.get $hash)`,
});

/** 1 for a row that begins with the letter `w`. */
export const BEGINS_WITH_W = udf({
  call: `(i32.and (i32.ne (local.get $bytes) (i32.const 0))
    (i32.eq (i32.load8_u (local.get $at)) (i32.const 119)))`,
});

/** The row in upper case, where it lies. */
export const UPPER = udf({
  result: 'i64',
  call: `(local $i i32) (local $c i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $bytes)))
      (local.set $c (i32.load8_u (i32.add (local.get $at) (local.get $i))))
      (if (i32.lt_u (i32.sub (local.get $c) (i32.const 97)) (i32.const 26))
        (then (i32.store8 (i32.add (local.get $at) (local.get $i))
          (i32.sub (local.get $c) (i32.const 32)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
      (i64.extend_i32_u (local.get $bytes)))`,
});

/** Runs for ever. */
export const LOOP = udf({ call: '(loop $again (br $again)) (unreachable)' });
