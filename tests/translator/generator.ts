// Seeded modules for differential tests.

import { Code } from '../../host/translator/code.ts';
import { I32, OP } from '../../host/translator/opcode.ts';
import { Writer } from '../../host/translator/writer.ts';
import { FUNCTIONS, Generator, LOCALS, randomOf, type Random } from './generated-body.ts';

export { randomOf };
export const PAGES = 1;

/** A module that exports `run(i32, i32): i32` and its memory, and imports `env.tick`. */
export function generateModule(seed: number): Uint8Array {
  const random = randomOf(seed);
  const out = new Writer(8192);
  const section = (id: number, write: (section: Code) => void): void => {
    const contents = new Code(4096);
    write(contents);
    out.byte(id);
    out.nameBytes(contents.view());
  };
  out.ops(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  section(1, (s) => {
    s.u32(3);
    s.ops(0x60, 0, 0, 0x60, 2, I32, I32, 1, I32, 0x60, 2, I32, I32, 2, I32, I32);
  });
  section(2, (s) => {
    s.u32(1);
    s.name('env');
    s.name('tick');
    s.ops(0, 0);
  });
  section(3, (s) => s.ops(FUNCTIONS, 1, 1, 1, 1, 1));
  section(4, (s) => s.ops(1, 0x70, 0, FUNCTIONS));
  section(5, (s) => s.ops(1, 3, PAGES, PAGES + 1));
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
  section(9, (s) => s.ops(1, 0, 0x41, 0, OP.end, FUNCTIONS, 1, 2, 3, 4, 5));
  section(12, (s) => s.u32(2));
  section(10, (s) => writeCode(s, random));
  section(11, (s) => {
    s.u32(2);
    s.byte(1);
    s.nameBytes(Uint8Array.from({ length: 64 }, (_, i) => i * 3));
    s.ops(0, 0x41, 16, OP.end);
    s.name('active data');
  });
  return out.finish();
}

function writeCode(s: Code, random: Random): void {
  s.u32(FUNCTIONS);
  for (let i = 0; i < FUNCTIONS; i++) {
    const generator = new Generator(random, i);
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
