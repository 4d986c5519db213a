// The format of a record of a log, by which a reader finds the end of the valid prefix.
//
//   u64 checksum: XXH64 of the payload, seeded with position and length
//   u32 length of the payload, at least 1   u32 zero
//   payload, then zeros up to a multiple of 16
//
// Interface   sizeOf() is the size of a record in the file. seal() writes a header. lengthAt() reads the
//             length from a header, isWhole() verifies the record at its position.
// Invariants  LOG-1  Nothing else is accepted as a record: zeros have length 0, which is invalid; a record
//                    from another position, or one with a part missing, has a different checksum.

import { hash } from './xxh64';

const CHECKSUM: u32 = 0;
const LENGTH: u32 = 8;
const ZERO: u32 = 12;
export const HEADER_BYTES: u32 = 16;
export const PAYLOAD_BYTES_MAX: u32 = 65536 - HEADER_BYTES;
export const RECORD_BYTES_MAX: u32 = 65536;

/** Bytes that a record with this payload occupies in the file. */
@inline
export function sizeOf(payloadBytes: u32): u32 {
  return HEADER_BYTES + ((payloadBytes + 15) & ~15);
}

function checksum(payload: u32, bytes: u32, place: u64): u64 {
  return hash(payload, bytes, place ^ ((<u64>bytes) << 40));
}

/** Writes the header of a record for `place` in the file; `payload` is the payload's current address. */
export function seal(header: u32, payload: u32, bytes: u32, place: u64): void {
  store<u64>(header, checksum(payload, bytes, place), CHECKSUM);
  store<u32>(header, bytes, LENGTH);
  store<u32>(header, 0, ZERO);
}

/** Length of the payload according to the header; 0 if it is not a valid header. */
export function lengthAt(header: u32): u32 {
  const bytes = load<u32>(header, LENGTH);
  return bytes <= PAYLOAD_BYTES_MAX && load<u32>(header, ZERO) == 0 ? bytes : 0;
}

/** Whether the record is complete, as it was written at `place`. */
export function isWhole(header: u32, bytes: u32, place: u64): bool {
  return load<u64>(header, CHECKSUM) == checksum(header + HEADER_BYTES, bytes, place);
}
