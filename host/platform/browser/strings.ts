// The engine's strings, directly from and to shared memory: a small module that uses WebAssembly's string
// builtins.
//
// Interface   engineStrings() returns take() and put(), or undefined where the engine has no such builtins.
// Cost        100 characters: 130 ns either way. A loop over them in JavaScript takes 220 to 260 ns, the
//             decoder 380 ns and garbage.
//
//   (module
//     (type $codes (array (mut i16)))
//     (import "wasm:js-string" "fromCharCodeArray" (func $from (param (ref null $codes) i32 i32) (result (ref
//     extern)))) (import "wasm:js-string" "intoCharCodeArray" (func $into (param externref (ref null $codes)
//     i32) (result i32))) (import "host" "memory" (memory 0 65536 shared))
//     (global $codes (ref $codes) (array.new_default $codes (i32.const CODES)))
//     (func (export "take") (param $at i32) (param $bytes i32) (result externref) ...)
//     (func (export "put") (param $text externref) (param $at i32) (result i32) ...))

import { originals } from '../../constructors.ts';

/** Maximum length in characters. */
export const CODES = 4096;

interface EngineStrings {
  /** The bytes at an address as text, null if they are not all ASCII. */
  take(at: number, bytes: number): string | null;
  /**
   * Writes text to an address and returns its length; -1 when it is not ASCII, and the bytes there are then
   * undefined.
   */
  put(text: string, at: number): number;
}

const I32 = 0x7f;
const EXTERN = 0x6f;
const NULLABLE = 0x63;
const CONCRETE = 0x64;
const FUNC = 0x60;
const ARRAY = [0x5e, 0x77, 1]; // of i16, mutable

const [IF, ELSE, END, LOOP, BR, CALL, SELECT] = [0x04, 0x05, 0x0b, 0x03, 0x0c, 0x10, 0x1b] as const;
const [GET, SET, TEE, GLOBAL] = [0x20, 0x21, 0x22, 0x23] as const;
const [CONST, ADD, OR, LESS] = [0x41, 0x6a, 0x72, 0x49] as const;
const [LOAD8, STORE8] = [
  [0x2d, 0, 0],
  [0x3a, 0, 0],
] as const;
const [ARRAY_GET, ARRAY_SET, ARRAY_NEW] = [
  [0xfb, 0x0d, 0],
  [0xfb, 0x0e, 0],
  [0xfb, 0x07, 0],
] as const;
const NULL = [0xd0, EXTERN];
const VOID = 0x40;

const leb = (number: number): number[] =>
  number < 128 ? [number] : [(number & 127) | 128, ...leb(number >>> 7)];
const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
const section = (id: number, ...content: number[]): number[] => [
  id,
  ...leb(content.length),
  ...content,
];
const body = (...code: number[]): number[] => [...leb(code.length + 1), ...code, END];
const LOCALS = (count: number): number[] => [1, count, I32];

/** Runs `step` for each of `bytes` characters; it leaves a code, and all codes are OR-ed together. */
const each = (bytes: number, i: number, seen: number, step: readonly number[]): number[] => [
  ...[LOOP, VOID, GET, i, GET, bytes, LESS, IF, VOID],
  ...[...step, GET, seen, OR, SET, seen],
  ...[GET, i, CONST, 1, ADD, SET, i, BR, 1, END, END],
];
/** Whether every code was below 128. */
const isAscii = (seen: number): number[] => [GET, seen, CONST, ...[0x80, 1], LESS];

// Locals: take has 0 at, 1 bytes, 2 i, 3 seen, 4 code; put has 0 text, 1 at, 2 i, 3 seen, 4 code, 5 length.
const TAKE = body(
  ...LOCALS(3),
  ...each(1, 2, 3, [
    ...[GLOBAL, 0, GET, 2, GET, 0, GET, 2, ADD, ...LOAD8, TEE, 4, ...ARRAY_SET, GET, 4],
  ]),
  ...[...isAscii(3), IF, EXTERN, GLOBAL, 0, CONST, 0, GET, 1, CALL, 0, ELSE, ...NULL, END],
);
const PUT = body(
  ...LOCALS(4),
  ...[GET, 0, GLOBAL, 0, CONST, 0, CALL, 1, SET, 5],
  ...each(5, 2, 3, [
    ...[GET, 1, GET, 2, ADD, GLOBAL, 0, GET, 2, ...ARRAY_GET, TEE, 4, ...STORE8, GET, 4],
  ]),
  ...[GET, 5, CONST, 0x7f, ...isAscii(3), SELECT],
);

const MODULE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(
    1,
    ...[5, ...ARRAY],
    ...[FUNC, 3, NULLABLE, 0, I32, I32, 1, CONCRETE, EXTERN],
    ...[FUNC, 3, EXTERN, NULLABLE, 0, I32, 1, I32],
    ...[FUNC, 2, I32, I32, 1, EXTERN],
    ...[FUNC, 2, EXTERN, I32, 1, I32],
  ),
  ...section(
    2,
    ...[3, ...name('wasm:js-string'), ...name('fromCharCodeArray'), 0, 1],
    ...[...name('wasm:js-string'), ...name('intoCharCodeArray'), 0, 2],
    ...[...name('host'), ...name('memory'), 2, 3, 0, ...leb(65536)],
  ),
  ...section(3, 2, 3, 4),
  ...section(6, 1, CONCRETE, 0, 0, CONST, ...leb(CODES), ...ARRAY_NEW, END),
  ...section(7, 2, ...name('take'), 0, 2, ...name('put'), 0, 3),
  ...section(10, 2, ...TAKE, ...PUT),
]);

export function engineStrings(memory: WebAssembly.Memory): EngineStrings | undefined {
  try {
    const compile = originals.Module as unknown as new (
      bytes: Uint8Array,
      options: { builtins: string[] },
    ) => WebAssembly.Module;
    const module = new compile(MODULE, { builtins: ['js-string'] });
    const { exports } = new originals.Instance(module, { host: { memory } });
    return exports as unknown as EngineStrings;
  } catch {
    return undefined; // no arrays, or no builtins
  }
}
