// Generated modules do the same translated and not, and every page that a translated one modifies was made writable
// in the view of that moment: the proof that what elision leaves out was not needed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Facts } from '../../host/translator/facts.ts';
import { translateMain } from '../../host/translator/index.ts';
import { generateModule, PAGES, randomOf } from './generator.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: differential');
const MODULES = Number(process.env.RZ_FUZZ_MODULES ?? 150);
const SEED = Number(process.env.RZ_SEED ?? Date.now() & 0xffffff);
const BYTES = PAGES * 65536;

interface Outcome {
  readonly result: string;
  readonly memory: Buffer | undefined; // not compared after a trap
  readonly unmarked: number[];
}

function outcomeOf(run: () => number, memory: WebAssembly.Memory): Omit<Outcome, 'unmarked'> {
  try {
    const result = String(run());
    return { result, memory: Buffer.from(new Uint8Array(memory.buffer, 0, BYTES).slice()) };
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return { result: 'trap', memory: undefined };
  }
}

function runPlain(bytes: Uint8Array): Outcome {
  const module = new WebAssembly.Module(bytes as BufferSource);
  const { exports } = new WebAssembly.Instance(module, { env: { tick() {} } });
  const run = exports.run as (a: number, b: number) => number;
  return { ...outcomeOf(() => run(3, 40), exports.memory as WebAssembly.Memory), unmarked: [] };
}

function runTranslated(image: Uint8Array, seed: number): Outcome {
  const random = randomOf(seed ^ 0x5bd1e995);
  const kernel = new StubKernel(PAGES);
  const unmarked: number[] = [];
  const audit = (): void => {
    unmarked.push(...kernel.unmarkedWrites());
  };
  const perhapsAdvance = (): void => {
    if (random(2) === 0) return;
    audit();
    kernel.advance();
    kernel.watch();
  };
  kernel.onSafepoint = () => {
    kernel.pending = random(4) > 0;
    perhapsAdvance();
  };
  const imports = kernel.mainImports();
  const fault = imports.fault as (address: number) => void;
  imports.fault = (address: number) => {
    fault(address);
    kernel.pending = true;
  };
  const tick = (): void => {
    if (random(2) === 0) kernel.pending = true;
    perhapsAdvance();
  };
  const module = new WebAssembly.Module(image as BufferSource);
  const { exports } = new WebAssembly.Instance(module, {
    env: { tick },
    ringzero: imports as WebAssembly.ModuleImports,
  });
  (exports['ringzero.boot'] as () => void)();
  kernel.watch();
  kernel.pending = random(2) === 0;
  const run = exports.run as (a: number, b: number) => number;
  const outcome = outcomeOf(() => run(3, 40), kernel.memory);
  audit();
  return { ...outcome, unmarked };
}

/** Seeds of modules that write a page which was not marked, or differ from the untranslated run. */
function failures(count: number, first: number, elision: boolean): string[] {
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const seed = first + i;
    const bytes = generateModule(seed);
    const { main } = translateMain(bytes, { frames: 4096, elision });
    assert.ok(WebAssembly.validate(main as BufferSource), `seed ${seed}: the image validates`);
    const plain = runPlain(bytes);
    const translated = runTranslated(main, seed);
    if (translated.unmarked.length > 0) found.push(`seed ${seed}: pages ${translated.unmarked}`);
    // A load past the guest's memory stays inside the VM's: it need not trap, so there is nothing to compare.
    if (plain.result === 'trap') continue;
    if (plain.result !== translated.result) {
      found.push(`seed ${seed}: ${plain.result} but translated ${translated.result}`);
    } else if (plain.memory && plain.memory.compare(translated.memory!) !== 0) {
      found.push(`seed ${seed}: memory differs`);
    }
  }
  return found;
}

test(`generated modules do the same translated (RZ_SEED=${SEED})`, () => {
  assert.equal(failures(MODULES, SEED, true), []);
});

test(`so they do with every store checked (RZ_SEED=${SEED})`, () => {
  assert.equal(failures(MODULES >> 2, SEED, false), []);
});

test('the audit notices an elision that forgets calls and polls', () => {
  const { kill } = Facts.prototype;
  Facts.prototype.kill = function (this: Facts) {
    this.region++;
  };
  try {
    assert.ok(failures(60, 1, true).length > 0);
  } finally {
    Facts.prototype.kill = kill;
  }
});

test.run();
