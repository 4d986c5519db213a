import { OP } from '../../host/translator/opcode.ts';
// Generated modules run as a snapshot see the world exactly as it was, while the main vCPU overwrites one
// page after the other, and what they write is theirs alone.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VCPU_CLOSER } from '../../assembly/abi/vcpu-block.ts';
import { assemble } from '../../host/translator/assemble.ts';
import type { Body } from '../../host/translator/body.ts';

import { entryPlace } from '../../host/translator/exact.ts';
import { translateSnapshot } from '../../host/translator/index.ts';
import { mapModule } from '../../host/translator/module.ts';
import { Pages } from '../../host/translator/pages.ts';
import { patch } from '../../host/translator/relocation.ts';
import { SnapshotImage } from '../../host/translator/snapshot-image.ts';
import { Exception } from '../../host/vm/tags.ts';
import { generateModule, PAGES, randomOf } from './generator.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: snapshot');
const MODULES = Number(process.env.RZ_FUZZ_MODULES ?? 100);
const SEED = Number(process.env.RZ_SEED ?? Date.now() & 0xffffff);
const BYTES = PAGES * 65536;
type Run = (a: number, b: number) => number;

function attempt(run: () => number): string {
  try {
    return String(run());
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return 'trap';
    if (error instanceof Exception) return 'exception';
    throw error;
  }
}

/**
 * Every access that takes its entry from a group's place traps unless that is its own page's, or stands for a
 * closer look.
 */
class AuditedImage extends SnapshotImage {
  audits = 0;

  protected override audit({ code, offset }: Body, address: number, place: number): void {
    this.audits++;
    code.get(place).get(address).i32(offset).op(OP.i32Add);
    entryPlace(this, code);
    code.op(OP.i32Ne).get(place).globalGet(this.vcpuGlobal).i32(VCPU_CLOSER).op(OP.i32Add);
    code.op(OP.i32Ne).op(OP.i32And).if().op(OP.unreachable).end();
  }
}

function auditedImage(bytes: Uint8Array, weakMemory: boolean, bodyBytesMax?: number): Uint8Array {
  const choices = { safepoints: true, elision: true };
  const image = new AuditedImage(
    mapModule(bytes),
    bodyBytesMax === undefined ? choices : { ...choices, bodyBytesMax },
  );
  const snapshot = assemble(image);
  patch(snapshot, { frames: 4096, weakMemory });
  audits += image.audits;
  return snapshot;
}

let audits = 0;

/** What is wrong with the module of this seed; undefined = nothing. */
function difference(seed: number, isAudited: boolean, bodyBytesMax?: number): string | undefined {
  const bytes = generateModule(seed);
  const random = randomOf(seed ^ 0x2545f491);
  const content = Uint8Array.from({ length: BYTES }, () => random(256));
  const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
    env: { tick() {} },
  });
  const plainMemory = new Uint8Array((plain.exports.memory as WebAssembly.Memory).buffer);
  plainMemory.set(content);
  const expected = attempt(() => (plain.exports.run as Run)(3, 40));

  const kernel = new StubKernel(PAGES);
  kernel.bytes.set(content);
  const world = kernel.snapshotWorld(3);
  const disturb = (): void => {
    for (let i = random(4); i > 0; i--) world.overwrite(random(BYTES / 4096));
  };
  kernel.onSafepoint = () => {
    kernel.pending = random(8) > 0;
    disturb();
  };
  const own = world.imports.viewFault as (address: number) => number;
  const viewFault = (address: number): number => {
    disturb();
    if (random(2) === 0) kernel.pending = true;
    return own(address);
  };
  const weakMemory = random(2) === 0;
  const snapshot = isAudited
    ? auditedImage(bytes, weakMemory, bodyBytesMax)
    : translateSnapshot(bytes, { frames: 4096, weakMemory }).snapshot;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(snapshot as BufferSource), {
    env: { tick: disturb },
    ringzero: { ...world.imports, viewFault } as WebAssembly.ModuleImports,
  });
  (instance.exports['ringzero.table'] as WebAssembly.Global).value = world.table | 0;
  (instance.exports['ringzero.attach'] as () => void)();
  kernel.pending = true;
  const result = attempt(() => (instance.exports.run as Run)(3, 40));
  if (!world.mainUntouched()) return 'it wrote to main memory';
  if (expected === 'trap') return undefined;
  if (result !== expected) return `${expected} but in the snapshot ${result}`;
  const seen = world.read(0, BYTES);
  return seen.compare(plainMemory) === 0 ? undefined : 'memory differs';
}

test(`a snapshot is the world of its moment (RZ_SEED=${SEED})`, () => {
  for (let i = 0; i < MODULES; i++)
    assert.is(difference(SEED + i, false), undefined, `seed ${SEED + i}`);
});

test(`so it is with calls in place of accesses (RZ_SEED=${SEED})`, () => {
  for (let i = 0; i < MODULES; i++)
    assert.is(difference(SEED + i, true, 0), undefined, `seed ${SEED + i}`);
});

// PLACE-1, PLACE-2, PLACE-3: the place that an access uses is that of its page, or that of a closer look.
test(`C17: accesses of a group read the entry of their own page (RZ_SEED=${SEED})`, () => {
  for (let i = 0; i < MODULES; i++)
    assert.is(difference(SEED + i, true), undefined, `seed ${SEED + i}`);
  assert.ok(audits > 20 * MODULES, `${audits} accesses in groups`);
});

test('PLACE-2, PLACE-4: the audit notices groups that outlive a join, or a local that a loop gives away', () => {
  const { keepOlder, enterLoop } = Pages.prototype;
  const isFound = (): boolean => {
    for (let seed = 1; seed <= 90; seed++) if (difference(seed, true) !== undefined) return true;
    return false;
  };
  try {
    Pages.prototype.keepOlder = () => {};
    assert.ok(isFound(), 'joins');
    Pages.prototype.keepOlder = keepOlder;
    Pages.prototype.enterLoop = function (this: Pages) {
      enterLoop.call(this, 0, () => true); // nothing is pinned
    };
    assert.ok(isFound(), 'loops');
  } finally {
    Object.assign(Pages.prototype, { keepOlder, enterLoop });
  }
});

test.run();
