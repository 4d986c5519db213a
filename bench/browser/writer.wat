;; A program that writes all over its memory, and whose words always add up to 0 between two calls of write().
(module
  (memory (export "memory") 1 52000)
  (global $seed (mut i32) (i32.const 1))
  (func $next (result i32)
    (global.set $seed (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.rotl (global.get $seed) (i32.const 13)))
  ;; Makes the memory at least so many bytes long.
  (func (export "grow") (param $bytes i32) (result i32)
    (memory.grow (i32.sub (i32.shr_u (i32.add (local.get $bytes) (i32.const 65535)) (i32.const 16)) (memory.size))))
  ;; Moves 1 from one word to another, `count` times; `mask` is the address of the last word.
  (func (export "write") (param $count i32) (param $mask i32)
    (local $at i32)
    (loop $again
      (local.set $at (i32.and (call $next) (local.get $mask)))
      (i32.store (local.get $at) (i32.sub (i32.load (local.get $at)) (i32.const 1)))
      (local.set $at (i32.and (call $next) (local.get $mask)))
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  ;; Of all words below `bytes`.
  (func (export "sum") (param $bytes i32) (result i32)
    (local $at i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $again (i32.lt_u (local.get $at) (local.get $bytes))))
    (local.get $sum)))
