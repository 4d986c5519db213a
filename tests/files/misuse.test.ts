// Any argument at the interface for JavaScript: an error with a code, and whole files.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { Random } from '../random.ts';
import { CELLS } from '../vm/guests.ts';
import { audit } from './audit.ts';

const test = suite('files: misuse');
const STRANGE: readonly unknown[] = [
  ...['', '/', '.', '..', '/..', '/a', '/a/', '/a/b', '/l', '/l/l', '/l2', 'a\0', '/é', '/\udcff'],
  ...['x'.repeat(300), `/${'y/'.repeat(5000)}`, '__proto__', '/constructor'],
  ...[undefined, null, 5, -1, NaN, 1e12, 2 ** 60, Symbol('path'), {}, [], new Uint8Array(3)],
  ...[{ recursive: true }, { recursiv: true }, { flag: 'r' }, { mode: -1 }],
];

test('random arguments of every function give errors with a code, and damage nothing', async () => {
  const random = Random.forTest('misuse');
  const program = await MicroVM.load(CELLS, {}, { memory: 2 ** 26 });
  const { fs } = program;
  fs.symlinkSync('l', '/l');
  fs.symlinkSync('/l3', '/l2');
  fs.symlinkSync('/l2', '/l3');
  const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(fs)).filter(
    (name) => name.endsWith('Sync') && !/^(import|export)/.test(name),
  );
  const codes = new Set<string>();
  for (let i = 0; i < 20000; i++) {
    const name = random.pick(names);
    const args = Array.from({ length: 1 + random.below(3) }, () => random.pick(STRANGE));
    try {
      functions[name]!.apply(fs, args);
    } catch (error) {
      const { code } = error as { code?: unknown };
      assert.type(code, 'string', `${name}(${args.map(String).join()}): ${String(error)}`);
      codes.add(code as string);
    }
  }
  for (const code of ['RZ_OPTION', 'ENOENT', 'ELOOP', 'ENAMETOOLONG', 'EINVAL', 'EISDIR'])
    assert.ok(codes.has(code), code);
  audit(fs);
  fs.rmSync('/a', { recursive: true, force: true });
  fs.writeFileSync('/a', 'as ever');
  assert.is(fs.readFileSync('/a', 'utf8'), 'as ever');
  await program.close();
});

test.run();
