// Growable arrays for the tests: elements of 1 << shift bytes, 8 or more, of which the first and the last 8
// are looked at.

import { ENOMEM } from '../../../assembly/abi/errno';
import { barrier, growableArray } from '../../../assembly/linked';

export function tableBytes(pagesMax: u32): u32 {
  return growableArray.tableBytes(pagesMax);
}

export function create(array: u32, pagesMax: u32, shift: u32): void {
  growableArray.create(array, pagesMax, shift);
}

export function free(array: u32): void {
  growableArray.free(array);
}

export function length(array: u32): u32 {
  return growableArray.length(array);
}

export function push(array: u32, shift: u32, value: u64): i32 {
  const at = growableArray.push(array, shift);
  if (at == 0) return -ENOMEM;
  put(at, shift, value);
  return 0;
}

function put(at: u32, shift: u32, value: u64): void {
  store<u64>(at + (1 << shift) - 8, ~value);
  store<u64>(at, value);
}

export function set(array: u32, index: u32, shift: u32, value: u64): void {
  put(growableArray.at(array, index, shift), shift, value);
}

export function get(array: u32, index: u32, shift: u32): u64 {
  const at = growableArray.at(array, index, shift);
  const value = load<u64>(at);
  return shift == 3 || load<u64>(at + (1 << shift) - 8) == ~value ? value : u64.MAX_VALUE;
}

export function pop(array: u32, shift: u32): bool {
  return growableArray.pop(array, shift);
}

export function resize(array: u32, count: u32, shift: u32): i32 {
  return growableArray.resize(array, count, shift);
}

export function append(array: u32, other: u32): i32 {
  return growableArray.append(array, other);
}

export function move(array: u32, to: u32, pagesMax: u32): i32 {
  return growableArray.move(array, to, pagesMax);
}

/** Sum of all elements of 8 bytes, a page at a time. */
export function sum(array: u32): u64 {
  let total: u64 = 0;
  const count = growableArray.length(array);
  for (let index: u32 = 0; index < count;) {
    const some = min(count - index, growableArray.inPage(index, 3));
    const first = growableArray.at(array, index, 3);
    for (let i: u32 = 0; i < some; i++) total += load<u64>(first + (i << 3));
    index += some;
  }
  return total;
}

/** Pushes 0, 1, 2 ... up to `count` elements, and tells other vCPUs at `published` how many there are. */
export function produce(array: u32, count: u32, published: u32): i32 {
  for (let i = growableArray.length(array); i < count; i++) {
    const at = growableArray.push(array, 3);
    if (at == 0) return -ENOMEM;
    store<u64>(at, i);
    barrier.publish32(published, i + 1);
  }
  return 0;
}

/** Reads elements of produce() on another vCPU until all are there: how many were wrong. */
export function follow(array: u32, count: u32, published: u32): u32 {
  let wrong: u32 = 0;
  let random: u32 = 1;
  while (true) {
    const seen = atomic.load<u32>(published);
    if (seen == 0) continue;
    for (let i: u32 = 0; i < 64; i++) {
      random = random * 1664525 + 1013904223;
      const index = i == 0 ? seen - 1 : (random >> 4) % seen;
      wrong += <u32>(load<u64>(growableArray.at(array, index, 3)) != index);
    }
    if (seen == count) return wrong;
  }
}

/** Sum of `count` random elements of 8 bytes. */
export function lookUp(array: u32, count: u32): u64 {
  const length = growableArray.length(array);
  let total: u64 = 0;
  let random: u32 = 1;
  for (let i: u32 = 0; i < count; i++) {
    random = random * 1664525 + 1013904223;
    total += load<u64>(growableArray.at(array, (random >> 4) % length, 3));
  }
  return total;
}
