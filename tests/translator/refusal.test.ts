// Bytes that are not a module, and features that are not translated, are refused with an error that says so;
// no bytes make it hang, crash or emit an image that does not validate.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroError } from '../../host/errors.ts';
import { relocate, translate, translateSnapshot } from '../../host/translator/index.ts';
import { mapModule } from '../../host/translator/module.ts';
import { generateModule, randomOf } from './generator.ts';

const test = suite('translator: refusal');
const SEED = Number(process.env.RZ_SEED ?? Date.now() & 0xffffff);
const ROUNDS = Number(process.env.RZ_FUZZ_ROUNDS ?? 400);
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const TYPES = [1, 4, 1, 0x60, 0, 0];
const FUNCTION = [3, 2, 1, 0];
const MEMORY = [5, 3, 1, 0, 1];

const code = (...body: number[]): number[] => [
  10,
  body.length + 4,
  1,
  body.length + 2,
  0,
  ...body,
  0x0b,
];
const withCode = (...body: number[]): number[] => [
  ...HEADER,
  ...TYPES,
  ...FUNCTION,
  ...MEMORY,
  ...code(...body),
];

function refusal(
  bytes: readonly number[],
  make = translate as (bytes: Uint8Array) => unknown,
): RingzeroError {
  try {
    make(Uint8Array.from(bytes));
  } catch (error) {
    if (error instanceof RingzeroError) return error;
    throw error;
  }
  throw new Error('it was translated');
}

const FEATURES: [feature: RegExp, bytes: number[]][] = [
  [/more than one memory/, [...HEADER, 5, 5, 2, 0, 1, 0, 1]],
  [/memory64/, [...HEADER, 5, 3, 1, 4, 1]],
  [/page size/, [...HEADER, 5, 4, 1, 8, 1, 0]],
  [/garbage-collected/, [...HEADER, 1, 3, 1, 0x5f, 0]],
  [/garbage-collected/, [...HEADER, 1, 5, 1, 0x60, 1, 0x6e, 0]],
  [/mutable globals of typed/, [...HEADER, ...TYPES, 6, 7, 1, 0x63, 0, 1, 0xd0, 0, 0x0b]],
  [/garbage-collected references/, withCode(0xd3)], // ref.eq
  [
    /imported table of typed references/,
    [...HEADER, ...TYPES, 2, 9, 1, 1, 0x61, 0, 1, 0x63, 0, 0, 0],
  ],
  [/tables or globals of exceptions/, [...HEADER, 4, 4, 1, 0x69, 0, 0]],
  [/wide arithmetic/, withCode(0xfc, 19)],
  [/more than one memory/, withCode(0x41, 0, 0x28, 0x42, 1, 0, 0x1a)],
  [/component/, [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]],
];

/** One function with this many locals of type i32, and a body. */
const sized = (locals: number, body: number[]): number[] => {
  const declared = [1, ...leb(locals), 0x7f];
  const bytes = declared.length + body.length + 1;
  const section = [1, ...leb(bytes), ...declared, ...body, 0x0b];
  return [...HEADER, ...TYPES, ...FUNCTION, ...MEMORY, 10, ...leb(section.length), ...section];
};
const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];

test('C15, BOUND-3: a function that translation makes too large for engines has calls in place of checks', () => {
  const store = [0x20, 0, 0x20, 1, 0x36, 2, 0]; // local.get 0, local.get 1, i32.store
  const load = [0x20, 0, 0x28, 2, 0, 0x21, 1];
  const many = (locals: number): number[] => sized(locals, [...load, ...store]);
  const large = sized(2, Array.from({ length: 500_000 }, () => [...load, ...store]).flat());
  for (const bytes of [many(49_000), many(50_000), large]) {
    assert.ok(WebAssembly.validate(Uint8Array.from(bytes)));
    const { main, snapshot } = translate(Uint8Array.from(bytes));
    assert.ok(WebAssembly.validate(main as BufferSource));
    assert.ok(WebAssembly.validate(snapshot as BufferSource));
  }
});

test('BOUND-3: one that is too large even so is refused by name, in both images', () => {
  const loop = [0x03, 0x40, 0x0b]; // each polls
  const large = sized(2, Array.from({ length: 1_800_000 }, () => loop).flat());
  assert.ok(WebAssembly.validate(Uint8Array.from(large)));
  const cases = [
    [large, translate, /function 0/],
    [large, translateSnapshot, /function 0/],
  ] as const;
  for (const [bytes, make, what] of cases) {
    const { code, message } = refusal(bytes, make as (bytes: Uint8Array) => unknown);
    assert.is(code, 'RZ_MODULE_UNSUPPORTED', message);
    assert.match(message, what);
  }
});

test('C15: the section of dynamic linking stays the first one', () => {
  const dylink = [0, 10, 8, ...Buffer.from('dylink.0'), 0];
  const other = [0, 6, 5, ...Buffer.from('other')];
  const bytes = Uint8Array.from([...HEADER, ...dylink, ...withCode().slice(8), ...other]);
  const { main } = translate(bytes);
  assert.equal([...main.subarray(8, 20)], dylink);
  const named = WebAssembly.Module.customSections(
    new WebAssembly.Module(main as BufferSource),
    'other',
  );
  assert.is(named.length, 1);
});

test('C15: text in place of a module is named as text', () => {
  for (const text of [
    '(module)',
    '<!DOCTYPE html>',
    '\n {"error": 404}',
    '\ufeff<html>',
    'Not found',
  ]) {
    const { code, message } = refusal([...Buffer.from(text)]);
    assert.is(code, 'RZ_MODULE_MALFORMED');
    assert.match(message, /it is text/);
  }
  assert.match(refusal([0, 1, 2, 3]).message, /no magic number/);
});

test('a feature that is not taken is named', () => {
  for (const [feature, bytes] of FEATURES) {
    const { code, message } = refusal(bytes);
    assert.is(code, 'RZ_MODULE_UNSUPPORTED', message);
    assert.match(message, feature);
  }
});

test('so it is where only what snapshots run is looked at', () => {
  const exported = [7, 5, 1, 1, 0x66, 0, 0]; // f
  const withBody = (...body: number[]): number[] => [
    ...HEADER,
    ...TYPES,
    ...FUNCTION,
    ...MEMORY,
    ...exported,
    ...code(...body),
  ];
  const make = (bytes: Uint8Array): unknown =>
    translateSnapshot(bytes, { snapshotRuns: ['f'], validate: false });
  make(Uint8Array.from(withBody()));
  const cases: [string, number[]][] = [
    ['RZ_MODULE_MALFORMED', [0x12, 0x11]], // return_call 17
    ['RZ_MODULE_MALFORMED', [0x08, 0x00]], // throw of tag 0
    ['RZ_MODULE_UNSUPPORTED', [0xfb, 0x00]],
    ['RZ_MODULE_MALFORMED', [0x10, 0x07]], // call 7
    ['RZ_MODULE_MALFORMED', [0x41, 0, 0x11, 0x05, 0]], // call_indirect of type 5
    ['RZ_MODULE_MALFORMED', [0x10]],
  ];
  for (const [wanted, body] of cases)
    assert.is(refusal(withBody(...body), make).code, wanted, String(body));
});

test('what is no list of exported functions is no list of what snapshots run', () => {
  const module = generateModule(1);
  translate(module, { snapshotRuns: ['run'] });
  translate(module, { snapshotRuns: [] });
  for (const wrong of [
    5,
    true,
    {},
    () => {},
    [Symbol()],
    [5],
    [['run']],
    ['run', undefined],
    '',
    0,
    false,
    null,
    ['memory'],
    ['nothing'],
  ]) {
    for (const make of [translate, translateSnapshot])
      try {
        make(module, { snapshotRuns: wrong as never });
        assert.unreachable(String(wrong));
      } catch (error) {
        assert.is((error as RingzeroError).code, 'RZ_OPTION', `${typeof wrong}`);
      }
  }
});

test('what is no array of bytes is a wrong argument, and no malformed module', () => {
  for (const wrong of [undefined, 'guest.wasm', [...HEADER]]) {
    try {
      translate(wrong as unknown as Uint8Array);
      assert.unreachable();
    } catch (error) {
      assert.is((error as RingzeroError).code, 'RZ_OPTION');
    }
  }
});

test('what is no module is malformed', () => {
  const cases = [
    [],
    [0x7f, 0x45, 0x4c, 0x46],
    [...HEADER, 1],
    [...HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [...HEADER, 10, 1, 1],
    withCode(0x0d, 9), // an unknown label, and nothing to test
    withCode(0x6a), // two operands that are not there
    [...HEADER, ...TYPES, 3, 2, 1, 7],
  ];
  for (const bytes of cases) assert.is(refusal(bytes).code, 'RZ_MODULE_MALFORMED', String(bytes));
});

test('only an image can be relocated, and to a size that exists', () => {
  assert.throws(() => relocate(Uint8Array.from(HEADER), { frames: 4096 }), /not an image/);
  const { main } = translate(generateModule(1));
  assert.throws(() => relocate(main, { frames: 5000 }), /multiples of 4096/);
});

/** Translates, or is refused; an image validates whatever it was made of. */
function survive(bytes: Uint8Array, what: string): void {
  const both = (validate: boolean): Uint8Array[] => {
    const { main, snapshot } = translate(bytes, { validate });
    return [main, snapshot];
  };
  const reduced = (validate: boolean): Uint8Array[] => [
    translateSnapshot(bytes, { validate, snapshotRuns: ['run'] }).snapshot,
  ];
  for (const images of [both, reduced]) {
    for (const validate of [true, false]) {
      try {
        const made = images(validate);
        if (!validate) continue; // an ill-typed module gives an image that the engine refuses
        assert.ok(
          made.every((image) => WebAssembly.validate(image as BufferSource)),
          `${what}: an image`,
        );
      } catch (error) {
        if (!(error instanceof RingzeroError)) {
          throw new Error(`${what}: ${(error as Error).stack}`, { cause: error });
        }
      }
    }
  }
}

test(`flipped bits, cut ends and noise are survived (RZ_SEED=${SEED})`, () => {
  const random = randomOf(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = generateModule(SEED + (round >> 3)).slice();
    const what = `RZ_SEED=${SEED}, round ${round}`;
    const kind = round & 3;
    if (kind === 0) survive(bytes.subarray(0, random(bytes.length)), what);
    else if (kind === 1) {
      for (let i = 8; i < bytes.length; i++) bytes[i] = random(256);
      survive(bytes.subarray(0, 8 + random(200)), what);
    } else {
      for (let flips = random(4) + 1; flips > 0; flips--) {
        bytes[random(bytes.length)]! ^= 1 << random(8);
      }
      survive(bytes, what);
    }
  }
});

test(`so they are in a large module (RZ_SEED=${SEED})`, () => {
  const random = randomOf(SEED);
  const file = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm');
  const original = new Uint8Array(readFileSync(file));
  for (let round = 0; round < 8; round++) {
    const bytes = original.slice();
    for (let flips = 0; flips < 3; flips++) bytes[random(bytes.length)]! ^= 1 << random(8);
    survive(round % 4 === 0 ? bytes.subarray(0, random(bytes.length)) : bytes, `round ${round}`);
  }
});

test(`VALID-1: code that is not valid has images that are not, whatever the analysis makes of it (RZ_SEED=${SEED})`, () => {
  const random = randomOf(SEED);
  let translated = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = generateModule(SEED + (round >> 3)).slice();
    const { start, end } = mapModule(bytes).codeSection!;
    bytes[start + random(end - start)]! ^= 1 << random(8);
    if (WebAssembly.validate(bytes as BufferSource)) continue;
    const images = withoutValidation(bytes);
    for (const image of images)
      assert.not(WebAssembly.validate(image as BufferSource), `RZ_SEED=${SEED}, round ${round}`);
    translated += images.length;
  }
  assert.ok(translated > ROUNDS / 20, `${translated} images`);
});

/** Both images of a module that is not valid; none if that was noticed. */
function withoutValidation(bytes: Uint8Array): Uint8Array[] {
  try {
    const { main, snapshot } = translate(bytes, { validate: false });
    return [main, snapshot];
  } catch (error) {
    // DECODE-1: an index outside its space is.
    assert.instance(error, RingzeroError);
    return [];
  }
}

test.run();
