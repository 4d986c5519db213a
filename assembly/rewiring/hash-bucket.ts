// A bucket of a hash table: 15 entries of a u64 key and a u64 value, in four cache lines. The bucket's first
// 16 bytes hold a byte of each entry's hash, so one compare finds the candidates for a key.
//
// Interface   find(), insert(), remove(), and split() by the next bit of the hash. hashOf() is the hash.
// Invariants  BUCKET-1  A fingerprint is not 0 if and only if its entry is in use.
//             BUCKET-2  All keys of a bucket agree in the last `depth` bits of their hash.
// Concurrency One vCPU at a time.
// Cost        find(): usually two cache lines; a full bucket has a false candidate in one of 17 look-ups.
//
//
//   0  u8  depth     1  u8 x 15  fingerprints     16  15 x (u64 key, u64 value)

export const BUCKET_BYTES: u32 = 256;
const BUCKET_ENTRIES: u32 = 15;

const ENTRY_SHIFT: u32 = 4; // entry i, from 1 on, is at i << 4
const VALUE: u32 = 8;
const FINGERPRINTS: u32 = 0xfffe; // lanes 1 to 15

/** Each bit of the key changes about half of the hash: the finaliser of SplitMix64, Stafford's constants. */
@inline
export function hashOf(key: u64): u64 {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
  return key ^ (key >> 31);
}


@inline
function fingerprint(hash: u64): u32 {
  return max<u32>(<u32>(hash >> 56), 1);
}


@inline
function lanesOf(bucket: u32, byte: u32): u32 {
  return i8x16.bitmask(i8x16.eq(v128.load(bucket), i8x16.splat(<i8>byte))) & FINGERPRINTS;
}


@inline
export function depthOf(bucket: u32): u32 {
  return load<u8>(bucket);
}

/** Empties the bucket. */
@inline
export function clear(bucket: u32, depth: u32): void {
  v128.store(bucket, i8x16.replace_lane(i8x16.splat(0), 0, <i8>depth));
}

/** Address of the key's value, 0 if the key is absent. */
@inline
export function find(bucket: u32, hash: u64, key: u64): u32 {
  for (let lanes = lanesOf(bucket, fingerprint(hash)); lanes != 0; lanes &= lanes - 1) {
    const entry = bucket + (ctz(lanes) << ENTRY_SHIFT);
    if (load<u64>(entry) == key) return entry + VALUE;
  }
  return 0;
}

/** Adds a key that must be absent; false if the bucket is full. */
@inline
export function insert(bucket: u32, hash: u64, key: u64, value: u64): bool {
  const free = lanesOf(bucket, 0);
  if (free == 0) return false;
  const lane = ctz(free);
  const entry = bucket + (lane << ENTRY_SHIFT);
  store<u64>(entry, key);
  store<u64>(entry, value, VALUE);
  store<u8>(bucket + lane, fingerprint(hash));
  return true;
}

/** Removes the entry whose value is at that address. */
export function remove(bucket: u32, value: u32): void {
  store<u8>(bucket + ((value - bucket) >> ENTRY_SHIFT), 0);
}

/** Number of entries in use. */
export function count(bucket: u32): u32 {
  return BUCKET_ENTRIES - popcnt(lanesOf(bucket, 0));
}

/** Moves the keys whose hash has the next bit set to `fresh`, and gives both buckets their new depth. */
export function split(bucket: u32, fresh: u32): void {
  const depth = depthOf(bucket);
  clear(fresh, depth + 1);
  store<u8>(bucket, depth + 1);
  for (let lane: u32 = 1; lane <= BUCKET_ENTRIES; lane++) {
    if (load<u8>(bucket + lane) == 0) continue;
    const entry = bucket + (lane << ENTRY_SHIFT);
    if (((hashOf(load<u64>(entry)) >> depth) & 1) == 0) continue;
    v128.store(fresh + (lane << ENTRY_SHIFT), v128.load(entry));
    store<u8>(fresh + lane, load<u8>(bucket + lane));
    store<u8>(bucket + lane, 0);
  }
}
