// Small guests in text form for the tests of the VM.

import initWabt from 'wabt';

const wabt = await initWabt();

export function assemble(text: string, { names = true, extended = false } = {}): Uint8Array {
  const module = wabt.parseWat('guest.wat', text, {
    threads: true,
    bulk_memory: true,
    reference_types: true,
    mutable_globals: true,
    exceptions: true,
    tail_call: true,
    extended_const: extended,
  });
  module.resolveNames();
  const { buffer } = module.toBinary({ write_debug_names: names });
  module.destroy();
  return buffer;
}

/** Cells, a counter in a global, ways to fail. */
export const CELLS = assemble(`(module
  (import "env" "hook" (func $hook (param i32)))
  (import "libdbos" "spawn" (func $spawn (param i32 i32) (result i32)))
  (import "libdbos" "childStatus" (func $childStatus (param i32) (result i32)))
  (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
  (import "libdbos" "forget" (func $forget (param i32 i32)))
  (import "libdbos" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4 64)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 65536) "hello")
  (table (export "table") 4 funcref)
  (elem (i32.const 1) $child $onInterrupt $onFault)
  (func (export "put") (param $at i32) (param $value i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (local.get $at) (local.get $value)))
  (func (export "get") (param $at i32) (result i32) (i32.load (local.get $at)))
  (func (export "calls") (result i32) (global.get $calls))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "call_hook") (param i32) (call $hook (local.get 0)))
  (func $inner (param $at i32) (i32.store (local.get $at) (i32.const 1)))
  (func (export "store_far") (param $at i32) (call $inner (local.get $at)))
  (func (export "fail") (unreachable))
  (func (export "spin") (loop $again (br $again)))
  (func $child (param $at i32) (result i32)
    (i32.store (i32.const 4096) (i32.const 99))
    (i32.load (local.get $at)))
  (func $onInterrupt (param $vector i32)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))))
  (func $onFault (param $at i32) (result i32)
    (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
  (func (export "spawn") (param i32) (result i32) (call $spawn (i32.const 1) (local.get 0)))
  (func (export "status") (param i32) (result i32) (call $childStatus (local.get 0)))
  (func (export "handle") (param i32 i32) (call $setHandler (local.get 0) (local.get 1)))
  (func (export "forget") (param i32 i32) (call $forget (local.get 0) (local.get 1)))
  (func (export "syscall") (param i32 i32 i32 i32) (result i32)
    (call $syscall (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 0) (i32.const 0)))
  (func (export "rename") (param i32 i32 i32 i32) (result i32)
    (call $syscall (i32.const 6) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 0)))
)`);

/** Adds 16 words around the address in a local to $sum. */
const addWords = (address: string): string =>
  Array.from(
    { length: 16 },
    (_, i) =>
      `(local.set $sum (i32.add (local.get $sum) (i32.load offset=${i * 4} (local.get ${address}))))`,
  ).join('\n      ');

/**
 * Accounts: words whose sum never changes. \`transfer\` moves random amounts between random words for
 * \`turns\` turns, with a safepoint after each move and none inside; \`sum\` adds them all up, as
 * \`sumLines\` and \`sumCopies\` do in other ways.
 */
export const ACCOUNTS = assemble(`(module
  (memory (export "memory") 128 256)
  (global $state (mut i32) (i32.const 1))
  (func $random (result i32)
    (global.set $state (i32.xor (global.get $state) (i32.shl (global.get $state) (i32.const 13))))
    (global.set $state (i32.xor (global.get $state) (i32.shr_u (global.get $state) (i32.const 17))))
    (global.set $state (i32.xor (global.get $state) (i32.shl (global.get $state) (i32.const 5))))
    (global.get $state))
  (func (export "fill") (param $words i32) (param $value i32)
    (local $i i32)
    (loop $next
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $value))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $words)))))
  (func (export "transfer") (param $seed i32) (param $words i32) (param $turns i32)
    (local $from i32) (local $to i32) (local $amount i32)
    (global.set $state (local.get $seed))
    (loop $next
      (local.set $from (i32.shl (i32.rem_u (call $random) (local.get $words)) (i32.const 2)))
      (local.set $to (i32.shl (i32.rem_u (call $random) (local.get $words)) (i32.const 2)))
      (local.set $amount (i32.and (call $random) (i32.const 1023)))
      (drop (i32.atomic.rmw.sub (local.get $from) (local.get $amount)))
      (drop (i32.atomic.rmw.add (local.get $to) (local.get $amount)))
      (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
  (func (export "sum") (param $words i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.shl (local.get $i) (i32.const 2)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $words))))
    (local.get $sum))
  (func (export "sumLines") (param $words i32) (result i32)
    ;; 16 words around one address
    (local $at i32) (local $sum i32)
    (loop $next
      ${addWords('$at')}
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.shl (local.get $words) (i32.const 2)))))
    (local.get $sum))
  (func (export "sumCopies") (param $words i32) (result i32)
    ;; the same of private copies, made of few bytes and of many
    (local $at i32) (local $to i32) (local $sum i32)
    (loop $next
      (local.set $to (i32.add (i32.const 0x400000) (i32.and (local.get $at) (i32.const 0x1ffc0))))
      (memory.copy (local.get $to) (local.get $at) (i32.const 24))
      (memory.copy (i32.add (local.get $to) (i32.const 24)) (i32.add (local.get $at) (i32.const 24)) (i32.const 40))
      ${addWords('$to')}
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.shl (local.get $words) (i32.const 2)))))
    (local.get $sum))
  (func (export "scribble") (param $seed i32) (param $words i32) (param $turns i32) (result i32)
    ;; private writes that keep the sum: only a snapshot may see them
    (local $at i32)
    (global.set $state (local.get $seed))
    (loop $next
      (local.set $at (i32.shl (i32.rem_u (call $random) (local.get $words)) (i32.const 2)))
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (i32.const 0))
)`);
