// The guest of the snapshot benches.

import initWabt from 'wabt';

const wabt = await initWabt();

/** Stores one word in each page of a range: `touch` in a loop of its own, `store` one call a page. */
export const TOUCH = wabt
  .parseWat(
    'touch.wat',
    `(module
      (memory (export "memory") 52000 65536)
      (func (export "touch") (param $first i32) (param $pages i32) (param $value i32)
        (local $at i32)
        (local.set $at (i32.shl (local.get $first) (i32.const 12)))
        (loop $next
          (i32.store (local.get $at) (local.get $value))
          (local.set $at (i32.add (local.get $at) (i32.const 4096)))
          (br_if $next (local.tee $pages (i32.sub (local.get $pages) (i32.const 1))))))
      (func (export "store") (param $at i32) (param $value i32) (i32.store (local.get $at) (local.get $value))))`,
    { threads: true },
  )
  .toBinary({}).buffer;

export interface TouchExports {
  touch(first: number, pages: number, value: number): void;
  store(address: number, value: number): void;
}
