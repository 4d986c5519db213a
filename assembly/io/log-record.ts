// A record of a log in its file, so that a reader knows where the valid prefix ends.
//
//   u64 checksum: XXH64 of the payload, seeded with place and length   u32 length of the payload, at least 1   u32 zero
//   payload, then zeros up to a multiple of 16
//
// Interface   sizeOf() is what a record takes, seal() and checksum its header's parts, lengthAt() what a
//             header says if it can be one, isWhole() whether the record is what was written at this place.
// Invariants  LOG-1  Nothing else passes for a record: not zeros, for no length is 0; not a record that
//                    belongs elsewhere, nor one of which a part is missing, for its checksum is another one.

import { hash } from './xxh64';

const CHECKSUM: u32 = 0;
const LENGTH: u32 = 8;
const ZERO: u32 = 12;
export const HEADER_BYTES: u32 = 16;
export const PAYLOAD_BYTES_MAX: u32 = 65536 - HEADER_BYTES;
export const RECORD_BYTES_MAX: u32 = 65536;

/** Bytes in the file of a record with so long a payload. */
@inline
export function sizeOf(payloadBytes: u32): u32 {
  return HEADER_BYTES + ((payloadBytes + 15) & ~15);
}

function checksum(payload: u32, bytes: u32, place: u64): u64 {
  return hash(payload, bytes, place ^ ((<u64>bytes) << 40));
}

/** Writes the header of a record at `place` in the file, whose payload is at `payload` now. */
export function seal(header: u32, payload: u32, bytes: u32, place: u64): void {
  store<u64>(header, checksum(payload, bytes, place), CHECKSUM);
  store<u32>(header, bytes, LENGTH);
  store<u32>(header, 0, ZERO);
}

/** Length of the payload that a header announces; 0 when it is no header. */
export function lengthAt(header: u32): u32 {
  const bytes = load<u32>(header, LENGTH);
  return bytes <= PAYLOAD_BYTES_MAX && load<u32>(header, ZERO) == 0 ? bytes : 0;
}

/** Whether the whole record is there, as it was written at `place`. */
export function isWhole(header: u32, bytes: u32, place: u64): bool {
  return load<u64>(header, CHECKSUM) == checksum(header + HEADER_BYTES, bytes, place);
}
