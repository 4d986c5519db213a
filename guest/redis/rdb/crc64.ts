// CRC-64 of RDB files ("Jones": polynomial 0xad93d23594c935a9, reflected, no start or end value), 8 bytes at a step.
//
// Interface   update(crc, bytes) continues a checksum; the first is 0. build() makes the tables; once, at boot.
// Structure   Eight tables of 256 u64: table n gives the checksum of a byte that n zero bytes follow.
// Cost        Two streams are computed side by side and joined, because each step waits for eight loads of the one
//             before: see bench. 32 KiB of tables.

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5; // reflected
const TABLES: usize = memory.data(16384, 64);
/** Eight tables again: the checksum of 8 bytes that LANE_BYTES zero bytes follow. */
const SHIFTS: usize = memory.data(16384, 64);
const LANE_BYTES: u32 = 4096;

export function build(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let crc: u64 = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    store<u64>(TABLES + (i << 3), crc);
  }
  for (let i: u32 = 256; i < 2048; i++) {
    const before = load<u64>(TABLES + ((i - 256) << 3));
    store<u64>(TABLES + (i << 3), (before >> 8) ^ tableOf(0, before));
  }
  buildShifts();
}

/** Runs each single bit through LANE_BYTES zero bytes, then joins bits to bytes. */
function buildShifts(): void {
  for (let bit: u32 = 0; bit < 64; bit++) {
    let crc = (<u64>1) << (<u64>bit);
    for (let i: u32 = 0; i < LANE_BYTES; i += 8) crc = advance(crc);
    store<u64>(SHIFTS + ((bit >> 3) << 11) + ((1 << (bit & 7)) << 3), crc);
  }
  for (let byte: u32 = 0; byte < 8; byte++) {
    const table = SHIFTS + (byte << 11);
    store<u64>(table, 0);
    for (let i: u32 = 3; i < 256; i++) {
      const low = i & (i - 1);
      if (low != 0)
        store<u64>(
          table + (i << 3),
          load<u64>(table + (low << 3)) ^ load<u64>(table + ((i ^ low) << 3)),
        );
    }
  }
}


@inline
function tableOf(table: u32, value: u64): u64 {
  return load<u64>(TABLES + (table << 11) + (((<u32>value) & 255) << 3));
}

/** The checksum after 8 bytes that were already added to it. */
@inline
function advance(crc: u64): u64 {
  return (
    tableOf(7, crc) ^
    tableOf(6, crc >> 8) ^
    tableOf(5, crc >> 16) ^
    tableOf(4, crc >> 24) ^
    tableOf(3, crc >> 32) ^
    tableOf(2, crc >> 40) ^
    tableOf(1, crc >> 48) ^
    tableOf(0, crc >> 56)
  );
}


@inline
function shiftOf(byte: u32, crc: u64): u64 {
  return load<u64>(SHIFTS + (byte << 11) + (((<u32>(crc >> ((<u64>byte) << 3))) & 255) << 3));
}

/** The checksum after LANE_BYTES zero bytes. */
function shiftLane(crc: u64): u64 {
  return (
    shiftOf(0, crc) ^
    shiftOf(1, crc) ^
    shiftOf(2, crc) ^
    shiftOf(3, crc) ^
    shiftOf(4, crc) ^
    shiftOf(5, crc) ^
    shiftOf(6, crc) ^
    shiftOf(7, crc)
  );
}

export function update(crc: u64, at: u32, bytes: u32): u64 {
  while (bytes >= 3 * LANE_BYTES) {
    let first = crc;
    let second: u64 = 0;
    let third: u64 = 0;
    for (let i: u32 = 0; i < LANE_BYTES; i += 8) {
      first = advance(first ^ load<u64>(at + i));
      second = advance(second ^ load<u64>(at + i, LANE_BYTES));
      third = advance(third ^ load<u64>(at + i, 2 * LANE_BYTES));
    }
    crc = shiftLane(shiftLane(first) ^ second) ^ third;
    at += 3 * LANE_BYTES;
    bytes -= 3 * LANE_BYTES;
  }
  for (; bytes >= 8; bytes -= 8, at += 8) crc = advance(crc ^ load<u64>(at));
  for (; bytes > 0; bytes--, at++) crc = (crc >> 8) ^ tableOf(0, crc ^ load<u8>(at));
  return crc;
}
