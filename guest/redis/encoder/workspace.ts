// Where the encoder works: one range of kernel memory, laid out here. Static data would be in the guest's
// memory.

import * as crc64 from '../rdb/crc64.ts';
import * as lzf from '../rdb/lzf.ts';

/** Longest string, or key with value, that is encoded here. Longer ones are packed by the guest itself. */
export const INPUT_BYTES: u32 = 65536;
export const OUTPUT_BYTES: u32 = 131072;

const CHECKSUM: u32 = 0; // crc64.SCRATCH_BYTES
const POSITIONS: u32 = 36864; // lzf.POSITIONS_BYTES
export const INPUT: u32 = 69632;
export const PACKED: u32 = INPUT + INPUT_BYTES;
export const OUTPUT: u32 = PACKED + INPUT_BYTES;
export const ROOM_BYTES: u32 = OUTPUT + OUTPUT_BYTES;

export let base: u32 = 0;

/** Copies bytes of the guest, as this vCPU sees them, to memory of the kernel. */
@external('libdbos', 'fetch')
export declare function fetch(from: u32, bytes: u32, to: u32): void;

/** Gives the encoder ROOM_BYTES of memory, aligned to 64, once and for all. */
export function attach(address: u32): void {
  base = address;
  crc64.build(address + CHECKSUM);
  lzf.attach(address + POSITIONS);
}

/** Compile-time proof that the parts do not overlap. */
if (CHECKSUM + crc64.SCRATCH_BYTES > POSITIONS) ERROR('the checksum needs more room');
if (POSITIONS + lzf.POSITIONS_BYTES > INPUT) ERROR('the positions need more room');
