// Commands with keys and values at the limits of encodings, in memory and in RDB files.

import type { Random } from '../random.ts';

export const NAMES = ['a', 'b', 'h', 'h2', '', 'f', 'x'.repeat(44), 'y'.repeat(65), '\0\xff\r\n'];

/**
 * Around these lengths strings change from embstr to raw, and their length in listpacks and files takes
 * another form.
 */
const LENGTHS = [
  0, 1, 4, 5, 11, 12, 19, 20, 21, 43, 44, 45, 63, 64, 65, 127, 128, 253, 254, 255, 256,
];
const LONG_LENGTHS = [4095, 4096, 16383, 16384, 20000, 70000];

/** Around these numbers an integer takes more bytes, or stops being an integer. */
const LIMITS = [
  0n,
  12n,
  127n,
  128n,
  255n,
  4095n,
  4096n,
  32767n,
  32768n,
  65536n,
  8388607n,
  8388608n,
].concat([2147483647n, 2147483648n, 4294967296n, 9223372036854775807n, 9223372036854775808n]);

const NEAR_NUMBERS = [
  '-0',
  '00',
  '01',
  '+1',
  ' 1',
  '1 ',
  '1.0',
  '1e3',
  '-',
  '1\0',
  '0x1',
  '9999999999999999999',
];

const ENTRIES = ['0', '1', '2', '3', '8', '40', '64', '512', '40000'];
const VALUE_BYTES = ['0', '1', '8', '20', '63', '64', '65', '128', '5000', '100000'];

/** Options that decide about encodings. */
export function encodingOptions(random: Random): string[] {
  return [
    ...['hash-max-listpack-entries', random.pick(ENTRIES)],
    ...['hash-max-listpack-value', random.pick(VALUE_BYTES)],
  ];
}

export class Shapes {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  value(): string {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 3) {
      const limit = random.pick(LIMITS) + BigInt(random.below(3) - 1);
      return String(random.chance(0.5) ? limit : -limit);
    }
    if (kind === 3) return random.pick(NEAR_NUMBERS);
    const lengths = random.chance(0.05) ? LONG_LENGTHS : LENGTHS;
    const length = Math.max(0, random.pick(lengths) + random.below(3) - 1);
    if (kind < 6) return 'v'.repeat(length);
    if (kind < 8) return this.#repeated(length);
    return this.#bytes(length);
  }

  /** A text that LZF compresses: a few pieces, again and again. */
  #repeated(length: number): string {
    const pieces = Array.from({ length: 3 }, () => this.#bytes(1 + this.#random.below(9)));
    let text = '';
    while (text.length < length) text += this.#random.pick(pieces);
    return text.slice(0, length);
  }

  #bytes(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.#random.below(256));
    return text;
  }

  /** Long before or after the test, because the servers do not read their clocks at the same moment. */
  #deadline(): string {
    const random = this.#random;
    const seconds = random.pick([1, 100000, 4000000000, 4102444800, 9000000000000]);
    return String(seconds + random.below(1000));
  }

  #field(): string {
    return `f${this.#random.below(60)}`;
  }

  next(): string[] {
    const random = this.#random;
    const key = random.pick(NAMES);
    switch (random.below(14)) {
      case 0:
        return ['config', 'set', ...encodingOptions(random)];
      case 1:
        return ['set', key, this.value(), random.pick(['EXAT', 'PXAT']), this.#deadline()];
      case 2:
        return [random.pick(['expireat', 'pexpireat']), key, this.#deadline()];
      case 3:
        return ['append', key, this.value()];
      case 4:
        return ['setrange', key, random.pick(['0', '1', '43', '44', '64']), this.value()];
      case 5:
        return [random.pick(['incrby', 'decrby']), key, this.value()];
      case 6:
        return ['hincrby', key, this.#field(), this.value()];
      case 7:
        return ['hdel', key, this.#field(), this.#field(), this.#field()];
      case 8:
        return ['hset', key, this.value(), this.value()];
      case 9:
        return ['mset', key, this.value(), random.pick(NAMES), this.value()];
      case 10:
        return random.chance(0.1) ? ['debug', 'reload'] : ['debug', 'digest-value'];
      case 11:
      case 12: {
        const pairs = Array.from({ length: 1 + random.below(random.chance(0.1) ? 70 : 6) }, () => [
          this.#field(),
          this.value(),
        ]);
        return ['hset', key, ...pairs.flat()];
      }
      default:
        return ['set', key, this.value()];
    }
  }
}
