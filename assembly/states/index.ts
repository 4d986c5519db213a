// states.wasm: compresses and checks records of states for the host, in a memory of its own.
//
// Interface   The host puts a record's content at STATE_RAW, or its compressed form at STATE_PACKED
//             (abi/state.ts), and calls pack() or unpack(); hash() serves both.

import {
  STATE_PACKED,
  STATE_PACKED_BYTES,
  STATE_RAW,
  STATE_RAW_BYTES,
  STATE_TABLE,
} from '../abi/state';
import { hash as xxh64 } from '../io/xxh64';
import * as lz4 from './lz4';

/** Compresses `bytes` at STATE_RAW; returns the length at STATE_PACKED, or 0 when it would not be smaller. */
export function pack(bytes: u32): u32 {
  if (bytes == 0) return 0;
  return lz4.compress(
    STATE_RAW,
    bytes,
    STATE_PACKED,
    min<u32>(bytes - 1, STATE_PACKED_BYTES),
    STATE_TABLE,
  );
}

/** Decompresses `bytes` at STATE_PACKED; whether the result is exactly `wanted` bytes at STATE_RAW. */
export function unpack(bytes: u32, wanted: u32): bool {
  return (
    wanted <= STATE_RAW_BYTES && lz4.decompress(STATE_PACKED, bytes, STATE_RAW, wanted) == wanted
  );
}

/** XXH64 of a range. */
export function hash(address: u32, bytes: u32, seed: u64): u64 {
  return xxh64(address, bytes, seed);
}
