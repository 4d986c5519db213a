// XXH64, the checksum of a page in storage.
//
// Interface   hash(address, bytes, seed): the published algorithm; tests/tabby has known answers.
// Cost        about 0.3 us per page, in four independent lanes of 64-bit multiplication, which Wasm SIMD does
//             not accelerate.

const PRIME1: u64 = 0x9e3779b185ebca87;
const PRIME2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME3: u64 = 0x165667b19e3779f9;
const PRIME4: u64 = 0x85ebca77c2b2ae63;
const PRIME5: u64 = 0x27d4eb2f165667c5;


@inline
function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * PRIME2, 31) * PRIME1;
}


@inline
function merge(sum: u64, lane: u64): u64 {
  return (sum ^ round(0, lane)) * PRIME1 + PRIME4;
}

export function hash(address: u32, bytes: u32, seed: u64): u64 {
  const end = address + bytes;
  let at = address;
  let sum: u64 = seed + PRIME5;
  if (bytes >= 32) {
    let a = seed + PRIME1 + PRIME2;
    let b = seed + PRIME2;
    let c = seed;
    let d = seed - PRIME1;
    const last = end - 32;
    while (at <= last) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
      at += 32;
    }
    sum = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    sum = merge(merge(merge(merge(sum, a), b), c), d);
  }
  return avalanche(tail(sum + <u64>bytes, at, end));
}

/** The last bytes, fewer than 32. */
function tail(start: u64, from: u32, end: u32): u64 {
  let sum = start;
  let at = from;
  while (end - at >= 8) {
    sum = rotl<u64>(sum ^ round(0, load<u64>(at)), 27) * PRIME1 + PRIME4;
    at += 8;
  }
  if (end - at >= 4) {
    sum = rotl<u64>(sum ^ (<u64>load<u32>(at) * PRIME1), 23) * PRIME2 + PRIME3;
    at += 4;
  }
  while (at < end) {
    sum = rotl<u64>(sum ^ (<u64>load<u8>(at) * PRIME5), 11) * PRIME1;
    at += 1;
  }
  return sum;
}

function avalanche(sum: u64): u64 {
  sum = (sum ^ (sum >> 33)) * PRIME2;
  sum = (sum ^ (sum >> 29)) * PRIME3;
  return sum ^ (sum >> 32);
}
