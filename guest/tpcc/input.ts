// What the specification draws at random: non-uniform numbers (2.1.6), names (4.3.2.3), texts (4.3.2.2).
//
// Interface   The functions that write return the bytes written. Texts of a record have their length in
//             front.

import * as random from '../workload/random';
import * as map from './memory-map';
import * as record from './record';

/** Chooses the constants C of NURand; those of last names differ as 2.1.6.1 wants. */
export function choose(): void {
  const load = random.between(0, 255);
  let difference: u32;
  do difference = random.between(65, 119);
  while (difference == 96 || difference == 112);
  store<u32>(map.C_LAST_LOAD, load);
  store<u32>(map.C_LAST_RUN, load >= difference ? load - difference : load + difference);
  store<u32>(map.C_CUSTOMER, random.between(0, 1023));
  store<u32>(map.C_ITEM, random.between(0, 8191));
}


@inline
function nonUniform(a: u32, low: u32, high: u32, c: u32): u32 {
  return (((random.between(0, a) | random.between(low, high)) + c) % (high - low + 1)) + low;
}

export function customer(): u32 {
  return nonUniform(1023, 1, record.CUSTOMERS, load<u32>(map.C_CUSTOMER));
}

export function item(): u32 {
  return nonUniform(8191, 1, record.ITEMS, load<u32>(map.C_ITEM));
}

/** A number from 0 to 999 that determines a last name. */
export function lastNameInRun(): u32 {
  return nonUniform(255, 0, 999, load<u32>(map.C_LAST_RUN));
}

export function lastNameAtLoad(): u32 {
  return nonUniform(255, 0, 999, load<u32>(map.C_LAST_LOAD));
}

/** Letters of a syllable, the first one lowest. */
function syllable(digit: u32): u64 {
  switch (digit) {
    case 0:
      return 0x524142; // BAR
    case 1:
      return 0x544847554f; // OUGHT
    case 2:
      return 0x454c4241; // ABLE
    case 3:
      return 0x495250; // PRI
    case 4:
      return 0x53455250; // PRES
    case 5:
      return 0x455345; // ESE
    case 6:
      return 0x49544e41; // ANTI
    case 7:
      return 0x594c4c4143; // CALLY
    case 8:
      return 0x4e4f495441; // ATION
    default:
      return 0x474e4945; // EING
  }
}

/** Writes a last name, without its length; there is room for 20 bytes. */
export function lastName(at: u32, number: u32): u32 {
  let to = at;
  for (let unit: u32 = 100; unit != 0; unit /= 10) {
    const letters = syllable((number / unit) % 10);
    store<u64>(to, letters);
    to += 8 - ((<u32>clz<u64>(letters)) >> 3);
  }
  return to - at;
}

function letter(): u8 {
  const i = random.below(62);
  if (i < 10) return <u8>(48 + i);
  return <u8>(i < 36 ? 55 + i : 61 + i);
}

export function letters(at: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(at + i, letter());
}

export function digits(at: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(at + i, <u8>(48 + random.below(10)));
}

/** A text of a record, of `low` to `high` letters; its length. */
export function text(at: u32, low: u32, high: u32): u32 {
  const bytes = random.between(low, high);
  store<u8>(at, <u8>bytes);
  letters(at + 1, bytes);
  return bytes;
}

/** "ORIGINAL", the first letter lowest. */
const ORIGINAL: u64 = 0x4c414e494749524f;

/** The data of an item or a stock: one in ten has ORIGINAL somewhere. */
export function data(at: u32): void {
  const bytes = text(at, 26, 50);
  if (random.below(10) == 0) store<u64>(at + 1 + random.below(bytes - 7), ORIGINAL);
}

export function isOriginal(at: u32): bool {
  const end = at + 1 + <u32>load<u8>(at) - 7;
  for (let i = at + 1; i < end; i++) if (load<u64>(i) == ORIGINAL) return true;
  return false;
}

/** Street, street, city, state and zip, in the layout that three kinds of record share. */
export function address(at: u32): void {
  text(at, 10, 20);
  text(at + 21, 10, 20);
  text(at + 42, 10, 20);
  letters(at + 63, 2);
  digits(at + 65, 4);
  for (let i: u32 = 0; i < 5; i++) store<u8>(at + 69 + i, 49);
}
