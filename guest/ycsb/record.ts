// Keys and values: 8 and 120 bytes.
//
//   key      its number, big-endian            value    u64 number, u64 stamp, 13 x u64 mix(number, stamp, i)
//
// Interface   A value contains the key it belongs to and the change that wrote it, and all of it follows from
//             these two: a torn or misplaced value is detected (isWhole).

export const KEY_BYTES: u32 = 8;
export const VALUE_BYTES: u32 = 120;
const STAMP: u32 = 8;
const REST: u32 = 16;


@inline
export function writeKey(at: u32, number: u64): void {
  store<u64>(at, bswap<u64>(number));
}


@inline
function mix(number: u64, stamp: u64, at: u32): u64 {
  return (number ^ (stamp * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd + <u64>at;
}

export function write(at: u32, number: u64, stamp: u64): void {
  store<u64>(at, number);
  store<u64>(at, stamp, STAMP);
  for (let i = REST; i < VALUE_BYTES; i += 8) store<u64>(at + i, mix(number, stamp, i));
}

export function isWhole(at: u32, number: u64): bool {
  const stamp = load<u64>(at, STAMP);
  if (load<u64>(at) != number) return false;
  for (let i = REST; i < VALUE_BYTES; i += 8)
    if (load<u64>(at + i) != mix(number, stamp, i)) return false;
  return true;
}


@inline
export function stampOf(at: u32): u64 {
  return load<u64>(at, STAMP);
}
