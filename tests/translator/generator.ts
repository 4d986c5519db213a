// Seeded modules for differential tests.

import { Code } from '../../host/translator/code.ts';
import { EXNREF, I32, OP, VOID } from '../../host/translator/opcode.ts';
import { Writer } from '../../host/translator/writer.ts';
import { FUNCTIONS, LOCALS, randomOf, type Random } from './generated-accesses.ts';
import { Generator, type Handlers, TABLES } from './generated-body.ts';

export { randomOf };
export const PAGES = 1;

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** A function with a try_table that catches nothing. */
const STANDARD = [
  1,
  4,
  1,
  0x60,
  0,
  0,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  OP.tryTable,
  VOID,
  0,
  0x0b,
  0x0b,
];
const takesStandard = WebAssembly.validate(Uint8Array.from([...MAGIC, ...STANDARD]));

/** How the module of the seed catches exceptions; every other one has none. */
function handlersOf(seed: number): Handlers {
  if (seed % 2 === 0) return 'none';
  return takesStandard && seed % 4 === 1 ? 'standard' : 'legacy';
}

/** A module that exports `run(i32, i32): i32` and its memory, and imports `env.tick`. */
export function generateModule(seed: number): Uint8Array {
  const random = randomOf(seed);
  const handlers = handlersOf(seed);
  const out = new Writer(8192);
  const section = (id: number, write: (section: Code) => void): void => {
    const contents = new Code(4096);
    write(contents);
    out.byte(id);
    out.nameBytes(contents.view());
  };
  out.ops(...MAGIC);
  section(1, (s) => {
    s.u32(handlers === 'standard' ? 5 : 4);
    s.ops(0x60, 0, 0, 0x60, 2, I32, I32, 1, I32, 0x60, 2, I32, I32, 2, I32, I32, 0x60, 1, I32, 0);
    if (handlers === 'standard') s.ops(0x60, 1, EXNREF, 0);
  });
  section(2, (s) => {
    s.u32(1);
    s.name('env');
    s.name('tick');
    s.ops(0, 0);
  });
  section(3, (s) => s.ops(FUNCTIONS, 1, 1, 1, 1, 1));
  section(4, (s) => s.ops(TABLES, 0x70, 0, FUNCTIONS, 0x70, 0, FUNCTIONS + 3));
  section(5, (s) => s.ops(1, 3, PAGES, PAGES + 1));
  section(13, (s) => s.ops(2, 0, 3, 0, 0)); // with an i32, and without a value
  section(6, (s) => {
    s.u32(3);
    for (const value of [60000, 6000, 77]) {
      s.ops(I32, 1);
      s.i32(value).end();
    }
  });
  section(7, (s) => {
    s.u32(2);
    s.name('run');
    s.ops(0, 1);
    s.name('memory');
    s.ops(2, 0);
  });
  section(9, (s) => {
    s.ops(2, 0, 0x41, 0, OP.end, FUNCTIONS, 1, 2, 3, 4, 5);
    s.ops(2, 1, 0x41, 0, OP.end, 0, FUNCTIONS, 1, 2, 3, 4, 5);
  });
  section(12, (s) => s.u32(2));
  section(10, (s) => writeCode(s, random, handlers));
  section(11, (s) => {
    s.u32(2);
    s.byte(1);
    s.nameBytes(Uint8Array.from({ length: 64 }, (_, i) => i * 3));
    s.ops(0, 0x41, 16, OP.end);
    s.name('active data');
  });
  return out.finish();
}

function writeCode(s: Code, random: Random, handlers: Handlers): void {
  s.u32(FUNCTIONS);
  for (let i = 0; i < FUNCTIONS; i++) {
    const generator = new Generator(random, i, handlers);
    generator.body();
    generator.code.end();
    const locals = new Writer(64);
    locals.u32(LOCALS.length);
    for (const type of LOCALS) locals.ops(1, type);
    s.u32(locals.pos + generator.code.pos);
    s.append(locals.view());
    s.append(generator.code.view());
  }
}
