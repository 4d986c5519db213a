// The slab heap against a model: random allocations, frees and resizes of four kinds; then all of 4 GiB.
//
// Goal: no two objects overlap, accounting is exact (SLAB-3), empty runs come back (SLAB-2), a walk meets
// every live object of its kind once and in address order. What would be missed: wrong behaviour that needs
// more than one instance.
// Invariants: SLAB-1 to SLAB-3 in the model (SLAB-1: no run is missed), SLAB-5 at 4 GiB.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { probe, type Probe } from '../redis/probe.ts';

const test = suite('heap/slab');

const SOURCE = `
  import { slab } from '../../assembly/index.ts';
  export function boot(): void { slab.boot(); }
  export function alloc(kind: u32, bytes: u32): u32 { return slab.alloc(kind, bytes); }
  export function free(address: u32): void { slab.free(address); }
  export function resize(address: u32, bytes: u32): i32 { return slab.resize(address, bytes) ? 1 : 0; }
  export function usable(address: u32): u32 { return slab.usable(address); }
  export function roundUp(bytes: u32): u32 { return slab.roundUp(bytes); }
  export function nextLive(kind: u32, from: u32): u32 { return slab.nextLive(kind, from); }
  export function live(): f64 { return <f64>slab.liveBytes(); }
  export function heap(): f64 { return <f64>slab.heapBytes(); }
  export function free_(): f64 { return <f64>slab.freeBytes(); }
  export function hasRoom(bytes: u32): i32 { return slab.hasRoom(bytes) ? 1 : 0; }
`;

const KINDS = 4;
const WORD = 4;

interface Item {
  kind: number;
  bytes: number;
  tag: number;
}

class Model {
  readonly items = new Map<number, Item>();
  readonly guest: Probe;
  #nextTag = 1;

  constructor(guest: Probe) {
    this.guest = guest;
  }

  /** Memory as it is now: growing makes older views too short. */
  #words(): DataView {
    return new DataView(this.guest.memory.buffer);
  }

  alloc(kind: number, bytes: number): void {
    const address = this.guest.call['alloc']!(kind, bytes) >>> 0;
    assert.is.not(address, 0);
    assert.is(address % 8, 0);
    assert.is(this.items.has(address), false);
    this.#mark(address, { kind, bytes, tag: this.#nextTag++ });
  }

  /** A tag at both ends: an object that overlaps this one overwrites it sooner or later. */
  #mark(address: number, item: Item): void {
    this.items.set(address, item);
    const words = this.#words();
    words.setUint32(address, item.tag, true);
    if (item.bytes >= 2 * WORD) words.setUint32(address + item.bytes - WORD, item.tag, true);
  }

  check(address: number): void {
    const item = this.items.get(address)!;
    const words = this.#words();
    assert.is(words.getUint32(address, true), item.tag);
    if (item.bytes >= 2 * WORD)
      assert.is(words.getUint32(address + item.bytes - WORD, true), item.tag);
    assert.ok(this.guest.call['usable']!(address) >>> 0 >= item.bytes);
  }

  free(address: number): void {
    this.check(address);
    this.guest.call['free']!(address);
    this.items.delete(address);
  }

  resize(address: number, bytes: number): void {
    this.check(address);
    const item = this.items.get(address)!;
    if (!this.guest.call['resize']!(address, bytes)) return;
    assert.is(
      this.guest.call['usable']!(address) >>> 0,
      this.guest.call['roundUp']!(bytes) >>> 0,
      'a resized object is as long as a new one',
    );
    this.#mark(address, { ...item, bytes });
  }

  checkAll(): void {
    const sorted = [...this.items].sort(([a], [b]) => a - b);
    let end = 0;
    let live = 0;
    for (const [address] of sorted) {
      assert.ok(address >= end, 'objects do not overlap');
      const usable = this.guest.call['usable']!(address) >>> 0;
      end = address + usable;
      live += usable;
      this.check(address);
    }
    assert.is(this.guest.call['live']!(), live);
    for (let kind = 0; kind < KINDS; kind++) {
      const wanted = sorted.filter(([, item]) => item.kind === kind).map(([address]) => address);
      assert.equal(this.walk(kind), wanted);
    }
  }

  walk(kind: number): number[] {
    const met: number[] = [];
    let address = this.guest.call['nextLive']!(kind, 0) >>> 0;
    while (address !== 0) {
      met.push(address);
      address = this.guest.call['nextLive']!(kind, address + 1) >>> 0;
    }
    return met;
  }
}

function randomBytes(random: Random): number {
  const scale = [64, 512, 4096, 70000, 400000, 3000000];
  const weight = random.below(100);
  const index =
    weight < 40 ? 0 : weight < 70 ? 1 : weight < 88 ? 2 : weight < 96 ? 3 : weight < 99 ? 4 : 5;
  return 1 + random.below(scale[index]!);
}

test('random allocations agree with a model', async () => {
  const random = Random.forTest('heap/slab');
  const guest = await probe(SOURCE, 16);
  guest.call['boot']!();
  const model = new Model(guest);
  const target = [200, 3000, 20, 1500, 0];
  for (const objects of target) {
    for (let i = 0; i < 6000; i++) {
      const grows =
        random.below(objects + 1) > model.items.size / 2 || (model.items.size === 0 && objects > 0);
      if (grows) model.alloc(random.below(KINDS), randomBytes(random));
      else if (model.items.size > 0) {
        const address = [...model.items.keys()][random.below(Math.min(model.items.size, 50))]!;
        if (random.chance(0.1)) model.resize(address, randomBytes(random));
        else model.free(address);
      }
    }
    model.checkAll();
  }
  for (const address of [...model.items.keys()]) model.free(address);
  assert.is(guest.call['live']!(), 0);
  // All that is left are the tables of the heap itself and the descriptors of its spans, 2048 in a chunk.
  const chunks = Math.ceil(guest.memory.buffer.byteLength / 65536 / 2048);
  assert.is(guest.call['heap']!() - guest.call['free_']!(), (1 + chunks) * 65536);
});

test('a class wastes little: at most an eighth of an object above 128 bytes', async () => {
  const guest = await probe(SOURCE, 16);
  guest.call['boot']!();
  for (let bytes = 17; bytes < 600000; bytes += 1 + (bytes >> 6)) {
    const rounded = guest.call['roundUp']!(bytes) >>> 0;
    assert.ok(rounded >= bytes);
    if (bytes < 128) assert.ok(rounded - bytes < 8);
    else assert.ok(rounded <= bytes * 1.27, `${bytes} takes ${rounded}`);
  }
});

test('4 GiB are used up to the last span, refused beyond, and given back', async () => {
  const guest = await probe(SOURCE, 16);
  guest.call['boot']!();
  const megabyte = 1048576;
  const addresses: number[] = [];
  for (let address = 1; address !== 0;) {
    address = guest.call['alloc']!(1, 64 * megabyte - 1) >>> 0;
    if (address !== 0) addresses.push(address);
  }
  assert.ok(addresses.length >= 62, `${addresses.length} objects of 64 MiB`);
  // The rest in small ones, those at the very top included.
  const small: number[] = [];
  for (let address = 1; address !== 0;) {
    address = guest.call['alloc']!(0, 65536) >>> 0;
    if (address !== 0) small.push(address);
  }
  assert.ok(
    small.some((address) => address === 0xffff0000),
    'the last span is used',
  );
  const met: number[] = [];
  for (
    let at = guest.call['nextLive']!(0, 0) >>> 0;
    at !== 0;
    at = guest.call['nextLive']!(0, at + 1) >>> 0
  )
    met.push(at);
  assert.equal(
    met,
    [...small].sort((a, b) => a - b),
  );
  assert.is(guest.call['hasRoom']!(0), 0);
  for (const address of [...addresses, ...small]) guest.call['free']!(address);
  assert.is(guest.call['live']!(), 0);
  assert.is(guest.call['hasRoom']!(3 * 1024 * megabyte), 1);
});

test('checked: a freed object is overwritten, and freeing it again traps', async () => {
  const guest = await probe(SOURCE, 16, {}, ['RZ_CHECKED=1']);
  guest.call['boot']!();
  for (const bytes of [16, 100, 5000, 200_000]) {
    const kept = guest.call['alloc']!(0, bytes);
    const freed = guest.call['alloc']!(0, bytes);
    guest.bytes.fill(7, kept, kept + bytes);
    guest.bytes.fill(7, freed, freed + bytes);
    guest.call['free']!(freed);
    assert.ok(
      guest.bytes.subarray(freed, freed + bytes).every((byte) => byte !== 7),
      `${bytes}`,
    );
    assert.ok(
      guest.bytes.subarray(kept, kept + bytes).every((byte) => byte === 7),
      `${bytes}`,
    );
    assert.throws(() => guest.call['free']!(freed), 'unreachable');
    assert.throws(() => guest.call['free']!(kept + 8), 'unreachable');
  }
});

test.run();
