// Generated modules do the same translated and not, and every page that a translated one modifies was made
// writable in the view of that moment: what elision leaves out was not needed. A mutant for each rule of
// docs/translator.md must be noticed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import initWabt from 'wabt';
import { Facts } from '../../host/translator/facts.ts';
import { Locals, type Term } from '../../host/translator/locals.ts';
import { Loops } from '../../host/translator/loops.ts';
import { assemble } from '../../host/translator/assemble.ts';
import { translateMain } from '../../host/translator/index.ts';
import { MainImage } from '../../host/translator/main-image.ts';
import { mapModule } from '../../host/translator/module.ts';
import { patch } from '../../host/translator/relocation.ts';
import { CHECK_NONE, type Plan } from '../../host/translator/plan.ts';
import { Exception } from '../../host/vm/tags.ts';
import { generateModule, PAGES, randomOf } from './generator.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: differential');
const wabt = await initWabt();
const MODULES = Number(process.env.RZ_FUZZ_MODULES ?? 150);
const SEED = Number(process.env.RZ_SEED ?? Date.now() & 0xffffff);
const BYTES = PAGES * 65536;

interface Outcome {
  readonly result: string;
  readonly memory: Buffer | undefined; // not compared after a trap
  readonly unmarked: number[];
}

function outcomeOf(run: () => number, memory: WebAssembly.Memory): Omit<Outcome, 'unmarked'> {
  let result = 'exception';
  try {
    result = String(run());
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return { result: 'trap', memory: undefined };
    if (!(error instanceof Exception)) throw error;
  }
  return { result, memory: Buffer.from(new Uint8Array(memory.buffer, 0, BYTES).slice()) };
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

/**
 * What a translated module does wrong: it writes a page that was not marked, or differs from the untranslated
 * run.
 */
function wrongOf(
  bytes: Uint8Array,
  seed: number,
  elision: boolean,
  isCompact = false,
): string | undefined {
  const main = isCompact
    ? compactImage(bytes)
    : translateMain(bytes, { frames: 4096, elision }).main;
  assert.ok(WebAssembly.validate(main as BufferSource), `seed ${seed}: the image validates`);
  const plain = runPlain(bytes);
  const translated = runTranslated(main, seed);
  if (translated.unmarked.length > 0) return `pages ${translated.unmarked}`;
  // A load past the guest's memory stays inside the VM's: it need not trap, so there is nothing to compare.
  if (plain.result === 'trap') return undefined;
  if (plain.result !== translated.result)
    return `${plain.result} but translated ${translated.result}`;
  const isSame = !plain.memory || plain.memory.compare(translated.memory!) === 0;
  return isSame ? undefined : 'memory differs';
}

/** As if each function were too large for an engine. */
function compactImage(bytes: Uint8Array): Uint8Array {
  const choices = { safepoints: true, elision: true, bodyBytesMax: 0 };
  const main = assemble(new MainImage(mapModule(bytes), choices));
  patch(main, { frames: 4096, weakMemory: true });
  return main;
}

/** Of generated modules, those that do something wrong. */
function failures(count: number, first: number, elision: boolean, isCompact = false): string[] {
  const found: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const wrong = wrongOf(generateModule(seed), seed, elision, isCompact);
    if (wrong !== undefined) found.push(`seed ${seed}: ${wrong}`);
  }
  return found;
}

test(`generated modules do the same translated (RZ_SEED=${SEED})`, () => {
  assert.equal(failures(MODULES, SEED, true), []);
});

test(`so they do with every store checked (RZ_SEED=${SEED})`, () => {
  assert.equal(failures(MODULES >> 2, SEED, false), []);
});

test(`so they do with calls in place of checks (RZ_SEED=${SEED})`, () => {
  assert.equal(failures(MODULES >> 2, SEED, true, true), []);
});

/** A module for one rule: run() gets 3 and 40. */
function moduleOf(body: string): Uint8Array {
  const module = wabt.parseWat(
    'rule.wat',
    `(module (import "env" "tick" (func $tick)) (memory (export "memory") ${PAGES})
       (func (export "run") (param $three i32) (param $forty i32) (result i32) (local $p i32) (local $i i32)
         ${body}
         (i32.const 0)))`,
  );
  return module.toBinary({}).buffer;
}

type Method = (...values: never[]) => unknown;

/** Whether the audit notices that the method is replaced: in the module, which is right without. */
function isNoticed<K extends string>(
  owner: Record<K, Method>,
  method: K,
  mutant: Method,
  body: string,
): boolean {
  const bytes = moduleOf(body);
  const seeds = Array.from({ length: 16 }, (_, i) => i + 1);
  const isWrong = (): boolean => seeds.some((seed) => wrongOf(bytes, seed, true) !== undefined);
  assert.not(isWrong(), 'without the mutant');
  const original = owner[method];
  owner[method] = mutant;
  try {
    return isWrong();
  } finally {
    owner[method] = original;
  }
}

const ADD_TO_I = '(local.tee $i (i32.add (local.get $i) (i32.const 1)))';

test('ELIDE-1: the audit notices a store without a check', () => {
  const mutant = ({ check }: Plan, store: number): void => void (check[store] = CHECK_NONE);
  assert.ok(
    isNoticed(Facts.prototype, 'write', mutant, '(i32.store (i32.const 8192) (i32.const 1))'),
  );
});

test('ELIDE-2: the audit notices facts that outlive calls and polls', () => {
  const { kill } = Facts.prototype;
  const forget = function (this: Facts): void {
    this.region++;
  };
  Facts.prototype.kill = forget;
  try {
    assert.ok(failures(120, 1, true).length > 0);
  } finally {
    Facts.prototype.kill = kill;
  }
  const store = (value: string): string => `(i32.store (local.get $forty) ${value})`;
  const [one, two, i] = [store('(i32.const 1)'), store('(i32.const 2)'), store('(local.get $i)')];
  assert.ok(isNoticed(Facts.prototype, 'kill', forget, `${one} (call $tick) ${two}`));
  const loop = `(loop $l ${i} (call $tick) (br_if $l (i32.lt_u ${ADD_TO_I} (i32.const 9))))`;
  assert.ok(isNoticed(Loops.prototype, 'quiet', () => true, `${one} ${loop}`));
});

test('ELIDE-3: the audit notices facts that outlive a join', () => {
  const store = '(i32.store (i32.const 8192) (i32.const 1))';
  const body = `(block $b (br_if $b (local.get $three)) ${store}) ${store}`;
  assert.ok(isNoticed(Facts.prototype, 'keepOlder', () => {}, body));
});

test('ELIDE-5: the audit notices locals that keep their symbols at a join, or in a loop', () => {
  const store = '(i32.store (local.get $forty) (i32.const 1))';
  const join = `${store} (local.set $p (i32.const 20480))
    (if (i32.eqz (local.get $three)) (then (local.set $p (local.get $forty))))
    (i32.store (local.get $p) (i32.const 1))`;
  assert.ok(
    isNoticed(Locals.prototype, 'blur', () => {}, join),
    'join',
  );
  const loop = `(local.set $forty (i32.add (local.get $forty) (i32.const 20480)))
    (loop $l ${store} (br_if $l (i32.lt_u ${ADD_TO_I} (i32.const 9))))`;
  assert.ok(
    isNoticed(Locals.prototype, 'raiseFloor', () => {}, loop),
    'loop',
  );
});

test('ELIDE-6: the audit notices a check at a head of another address than that of the store', () => {
  const { terms } = Locals.prototype;
  const mutant = function (this: Locals, ...values: Parameters<typeof terms>): Term[] | undefined {
    const found = terms.apply(this, values);
    return values.length === 1 ? found?.slice(0, 1) : found; // not where it calls itself
  };
  const loop = `(local.set $p (i32.const 20480))
    (loop $l (i32.store8 (i32.add (local.get $three) (local.get $p)) (i32.const 1))
      (br_if $l (i32.lt_u ${ADD_TO_I} (i32.const 9))))`;
  assert.ok(isNoticed(Locals.prototype, 'terms', mutant, loop));
});

test.run();
