// Functions whose shape makes engines work more than their size says: many values, many branches at which
// they are kept.

import { Code } from '../../host/translator/code.ts';
import { MAGIC } from '../../host/translator/module.ts';
import { I32, OP } from '../../host/translator/opcode.ts';
import { Writer } from '../../host/translator/writer.ts';
import type { Random } from '../random.ts';

export interface Shape {
  readonly kind: string;
  /** Values that are kept, and how often. */
  readonly values: number;
  readonly times: number;
}

const CALL = 2; // the function under test; 0 and 1 are input() and call()

/** Emits what is repeated, with `values` locals, operands or parameters. */
const BODIES: Readonly<Record<string, (code: Code, shape: Shape) => void>> = {
  ifs: (code, { times, values }) => {
    for (let i = 0; i < times; i++)
      code
        .get(i % values)
        .if()
        .i32(i)
        .set((i * 7) % values)
        .end();
  },
  blocks: (code, { times, values }) => {
    for (let i = 0; i < times; i++)
      code
        .block()
        .get(i % values)
        .brIf(0)
        .i32(i)
        .set((i * 7) % values)
        .end();
  },
  loops: (code, { times, values }) => {
    for (let i = 0; i < times; i++)
      code
        .loop()
        .get((i + 1) % values)
        .set((i * 7) % values)
        .i32(0)
        .brIf(0)
        .end();
  },
  nested: (code, { times }) => {
    for (let i = 0; i < times; i++) code.loop();
    for (let i = 0; i < times; i++)
      code
        .i32(0)
        .brIf(Math.min(i % 50, times - 1 - i))
        .end();
  },
  table: (code, { times }) => {
    code.block().block().get(0).op(0x0e);
    code.u32(times);
    for (let i = 0; i <= times; i++) code.u32(i & 1);
    code.end().end();
  },
  operands: (code, { times, values }) => {
    for (let i = 0; i < values; i++) code.i32(i);
    for (let i = 0; i < times; i++) code.i32(0).if().end();
    for (let i = 0; i < values; i++) code.op(OP.drop);
  },
  calls: (code, { times, values }) => {
    for (let i = 0; i < values; i++) code.i32(i);
    for (let i = 0; i < times; i++) code.call(CALL + 1);
    for (let i = 0; i < values; i++) code.op(OP.drop);
  },
  parameters: (code, { times, values }) => {
    for (let i = 0; i < values; i++) code.i32(i);
    for (let i = 0; i < times; i++) code.block(3).i32(0).brIf(0).end(); // a block of type 3
    for (let i = 0; i < values; i++) code.op(OP.drop);
  },
};

export const KINDS = Object.keys(BODIES);

export function randomShape(random: Random): Shape {
  const magnitude = (most: number): number =>
    Math.ceil(most ** random.pick([0.2, 0.5, 0.8, 1, 0.9]));
  const kind = random.pick(KINDS);
  const values = magnitude(kind === 'calls' || kind === 'parameters' ? 1000 : 49_000);
  return { kind, values, times: magnitude(kind === 'nested' ? 5000 : 60_000) };
}

/** A user-defined function that calls a function of that shape. */
export function moduleOf(shape: Shape): Uint8Array {
  const usesTypes = shape.kind === 'calls' || shape.kind === 'parameters';
  const out = new Writer(1 << 20);
  const section = (id: number, write: (to: Writer) => void): void => {
    const contents = new Writer(1 << 16);
    write(contents);
    out.byte(id);
    out.nameBytes(contents.view());
  };
  const many = new Uint8Array(usesTypes ? shape.values : 0).fill(I32);
  const one = Uint8Array.of(I32);
  const none = new Uint8Array();
  out.append(MAGIC);
  section(1, (to) => {
    const types = [
      [one, one],
      [Uint8Array.of(I32, I32), one],
      [none, none],
      [many, many],
    ] as const;
    to.u32(types.length);
    for (const [params, results] of types) {
      to.byte(0x60);
      to.nameBytes(params);
      to.nameBytes(results);
    }
  });
  section(3, (to) => to.append(Uint8Array.of(4, 0, 1, 2, 3)));
  section(5, (to) => to.append(Uint8Array.of(1, 0, 1)));
  section(7, (to) => {
    to.u32(3);
    to.exported('memory', 2, 0);
    to.exported('input', 0, 0);
    to.exported('call', 0, 1);
  });
  const body = (locals: number, build: (code: Code) => void): Uint8Array => {
    const code = new Code(1 << 16);
    build(code);
    code.end();
    const whole = new Writer(code.pos + 16);
    whole.u32(locals === 0 ? 0 : 1);
    if (locals > 0) {
      whole.u32(locals);
      whole.byte(I32);
    }
    whole.append(code.bytes.subarray(0, code.pos));
    return whole.finish();
  };
  const bodies = [
    body(0, (code) => code.i32(1024)),
    body(0, (code) => code.call(CALL).i32(1)),
    body(usesTypes ? 1 : shape.values, (code) => BODIES[shape.kind]!(code, shape)),
    body(0, (code) => many.forEach((_, i) => code.i32(i))),
  ];
  section(10, (to) => {
    to.u32(bodies.length);
    for (const bytes of bodies) to.nameBytes(bytes);
  });
  return out.finish();
}
