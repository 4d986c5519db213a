/** One for the whole process, so that RZ_SEED replays all of it. */
let processSeed: number | undefined;

/** Seeded randomness: every test that uses it prints its seed and replays from `RZ_SEED`. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** The process's seed, printed so that a failure can be replayed. */
  static forTest(name: string): Random {
    processSeed ??= Number(process.env['RZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`${name}: RZ_SEED=${processSeed}`);
    return new Random(processSeed);
  }

  /** 32 random bits (splitmix32). */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** A whole number from 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.bits() / 2 ** 32 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
