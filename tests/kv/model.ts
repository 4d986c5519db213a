// The model that stores are compared with, and the kinds of test keys and values.

import { KEY_BYTES_MAX } from '../../assembly/abi/kv.ts';
import type { Random } from '../random.ts';
import type { Entry, Range } from './store.ts';

/** A sorted map of byte strings. Hex orders as bytes do. */
export class Model {
  readonly map = new Map<string, Buffer>();

  set(key: Buffer, value: Buffer | undefined): void {
    if (value === undefined) this.map.delete(key.toString('hex'));
    else this.map.set(key.toString('hex'), value);
  }

  range({ low, lowOpen, high, highOpen, reverse, limit }: Range): Entry[] {
    const keys = [...this.map.keys()].sort().filter((key) => {
      const bytes = Buffer.from(key, 'hex');
      const below = low === undefined ? 1 : Buffer.compare(bytes, low);
      const above = high === undefined ? -1 : Buffer.compare(bytes, high);
      return (below > 0 || (below === 0 && !lowOpen)) && (above < 0 || (above === 0 && !highOpen));
    });
    if (reverse === true) keys.reverse();
    return keys.slice(0, limit).map((key) => [Buffer.from(key, 'hex'), this.map.get(key)!]);
  }
}

export interface Shape {
  name: string;
  frames: number;
  operations: number;
  key: (random: Random) => Buffer;
  value: (random: Random) => Buffer;
}

const bytesOf = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.below(256)));
const filled = (random: Random, length: number): Buffer => Buffer.alloc(length, random.below(256));
export const word = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeUInt32BE(value, 4);
  return buffer;
};

export const SHAPES: readonly Shape[] = [
  {
    name: 'short random keys',
    frames: 12,
    operations: 6000,
    key: (r) => bytesOf(r, r.below(6)),
    value: (r) => filled(r, r.below(100)),
  },
  {
    name: '8-byte keys close together',
    frames: 16,
    operations: 8000,
    key: (r) => word(r.below(2000)),
    value: (r) => filled(r, r.below(200)),
  },
  {
    name: 'keys of the maximum length that differ at the end',
    frames: 40,
    operations: 1500,
    key: (r) =>
      Buffer.concat([Buffer.alloc(KEY_BYTES_MAX - 2, r.below(3)), bytesOf(r, 1), bytesOf(r, 1)]),
    value: (r) => filled(r, r.below(8)),
  },
  {
    name: 'zero bytes, prefixes of each other',
    frames: 12,
    operations: 4000,
    key: (r) => Buffer.alloc(r.below(300), r.below(2)),
    value: (r) => filled(r, r.below(20)),
  },
  {
    name: 'values from inline to long chains',
    frames: 24,
    operations: 700,
    key: (r) => word(r.below(100)),
    value: (r) => filled(r, r.below(r.below(4) === 0 ? 60_000 : 1100)),
  },
];

export function randomRange(random: Random, shape: Shape): Range {
  const range: Range = { reverse: random.below(2) === 0, limit: 1 + random.below(60) };
  if (random.below(3) > 0) range.low = shape.key(random);
  if (random.below(3) > 0) range.high = shape.key(random);
  range.lowOpen = range.low !== undefined && random.below(2) === 0;
  range.highOpen = range.high !== undefined && random.below(2) === 0;
  return range;
}

export const plain = (entries: readonly Entry[]): string[] =>
  entries.map(([key, value]) => `${key.toString('hex')}=${value.length}:${value.at(-1) ?? ''}`);
