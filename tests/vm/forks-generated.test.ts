// Forks of generated modules against the plain engine. A snapshot equals a plain instance after the same
// calls, also in the middle of a call; a call in a fork does what it does in that instance, whatever the
// parent and other forks have done since. A module is abandoned when the plain engine traps: a load outside
// memory traps there and not here.
// RZ_FUZZ_MODULES sets the number of modules, RZ_SEED replays a run.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type RingzeroError, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { generateModule } from '../translator/generator.ts';

const MODULES = Number(process.env['RZ_FUZZ_MODULES'] ?? 25);
const CALLS = 6;
const MIB = 2 ** 20;

type Call = readonly [a: number, b: number];
type Outcome = number | 'trap';

/** The result of a call, and memory after it. */
interface State {
  readonly outcome: Outcome;
  readonly memory: Buffer;
}

function attempt(run: () => number): Outcome {
  try {
    return run();
  } catch {
    return 'trap';
  }
}

/** A plain instance after `calls`; `onTick` sees its memory in the middle of a call. */
function replay(
  module: WebAssembly.Module,
  calls: readonly Call[],
  onTick?: (memory: Buffer) => void,
): State {
  const bytes = (): Buffer => Buffer.from(new Uint8Array(memory.buffer).slice());
  let isLast = false;
  const tick = (): void => {
    if (isLast) onTick?.(bytes());
  };
  const { exports } = new WebAssembly.Instance(module, { env: { tick } });
  const memory = exports['memory'] as WebAssembly.Memory;
  const run = exports['run'] as (a: number, b: number) => number;
  let outcome: Outcome = 0;
  calls.forEach(([a, b], i) => {
    isLast = i === calls.length - 1;
    outcome = attempt(() => run(a, b));
  });
  return { outcome, memory: bytes() };
}

interface Open {
  readonly snapshot: Snapshot;
  /**
   * The parent's calls up to the snapshot, then the fork's own; undefined if taken in the middle of a call.
   */
  calls: Call[] | undefined;
  memory: Buffer;
}

class Trial {
  readonly #random: Random;
  readonly #module: WebAssembly.Module;
  readonly #vm: MicroVM;
  readonly #calls: Call[] = [];
  #open: Open[] = [];
  /** Memory of the plain engine at each tick of the parent's current call. */
  #ticks: Buffer[] = [];
  #tick = 0;

  static async run(random: Random, seed: number): Promise<void> {
    const guest = generateModule(seed);
    const trial: { now?: Trial } = {};
    const vm = await MicroVM.create({
      guest,
      memory: 16 * MIB,
      imports: { env: { tick: () => trial.now!.#onTick() } },
      importsModule: new URL('./tick.js', import.meta.url).href,
    });
    trial.now = new Trial(random, new WebAssembly.Module(guest as BufferSource), vm);
    await trial.now.#all();
    await vm.close();
  }

  private constructor(random: Random, module: WebAssembly.Module, vm: MicroVM) {
    this.#random = random;
    this.#module = module;
    this.#vm = vm;
  }

  #onTick(): void {
    const memory = this.#ticks[this.#tick++];
    if (memory !== undefined && this.#open.length < 8 && this.#random.chance(0.1))
      this.#open.push({ snapshot: this.#vm.snapshot(), calls: undefined, memory });
  }

  async #all(): Promise<void> {
    const random = this.#random;
    for (let i = 0; i < CALLS; i++) {
      if (random.chance(0.7)) this.#take();
      if (this.#callParent() === 'trap') break; // its earlier stores may differ
      if (this.#open.length > 0 && random.chance(0.7))
        await this.#callFork(random.pick(this.#open));
      if (this.#open.length > 0 && random.chance(0.3)) {
        const [gone] = this.#open.splice(random.below(this.#open.length), 1);
        this.#check(gone!);
        await gone!.snapshot.release();
      }
    }
    for (const open of this.#open) {
      this.#check(open);
      await open.snapshot.release();
    }
  }

  #take(): void {
    if (this.#open.length >= 8) return;
    const calls = [...this.#calls];
    const { memory } = replay(this.#module, calls);
    this.#open.push({ snapshot: this.#vm.snapshot(), calls, memory });
  }

  #newCall(): Call {
    return [this.#random.below(100_000), this.#random.below(100)];
  }

  #callParent(): Outcome {
    const call = this.#newCall();
    this.#calls.push(call);
    this.#ticks = [];
    this.#tick = 0;
    const plain = replay(this.#module, this.#calls, (memory) => this.#ticks.push(memory));
    if (plain.outcome === 'trap') this.#ticks = [];
    const run = this.#vm.enter().exports['run']!;
    const ours = attempt(() => run(...call) as number);
    if (plain.outcome !== 'trap') assert.is(ours, plain.outcome, 'the parent');
    return plain.outcome;
  }

  async #callFork(open: Open): Promise<void> {
    if (open.calls === undefined) return;
    const call = this.#newCall();
    open.calls.push(call);
    const plain = replay(this.#module, open.calls);
    const ours = await open.snapshot.run('run', ...call).catch((error: unknown) => {
      assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP', String(error));
      return 'trap';
    });
    if (plain.outcome === 'trap') {
      open.calls = undefined; // stop comparing: stores before the trap may differ
      open.memory = this.#memoryOf(open);
      return;
    }
    assert.is(ours, plain.outcome, 'a fork');
    open.memory = plain.memory;
  }

  #memoryOf({ snapshot }: Open): Buffer {
    return Buffer.from(snapshot.read(0, snapshot.byteLength));
  }

  #check(open: Open): void {
    const ours = this.#memoryOf(open);
    if (ours.equals(open.memory)) return;
    const at = ours.findIndex((byte, i) => byte !== open.memory[i]);
    assert.unreachable(
      `a snapshot ${open.calls === undefined ? 'in a call' : 'between calls'} differs at ${at} of ${ours.length}, ${open.memory.length}`,
    );
  }
}

const test = suite('forks of generated modules');

test('C12: snapshots and forks of generated modules equal the plain engine', async () => {
  const random = Random.forTest('forks of generated modules');
  for (let i = 0; i < MODULES; i++) {
    const seed = random.bits();
    try {
      await Trial.run(random, seed);
    } catch (error) {
      throw new Error(`module ${i}, seed ${seed}`, { cause: error });
    }
  }
});

test.run();
