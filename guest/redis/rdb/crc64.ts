// CRC-64 of RDB files ("Jones": polynomial 0xad93d23594c935a9, reflected, no start or end value).
//
// Interface   update(crc, bytes) continues a checksum; the first is 0. build() makes the tables; once, at
//             boot.
// Structure   A block of 16 KiB is 16 lanes of 1 KiB, whose checksums are computed side by side in vectors:
//             vector j holds byte j of each lane's. A byte of data changes them by a table of 256 u64, which
//             is linear, so that two tables of 16 for its halves suffice: they fit in vectors too, and a step
//             reads no memory except the data. Then the lanes are joined. What is left of a block takes a
//             step per 8 bytes, by eight tables of 256 u64: table n has the checksum of a byte that n zero
//             bytes follow.
// Cost        In a snapshot, where every load is translated, a save takes two thirds of the time that the
//             eight tables take.

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5; // reflected
const LANE_BYTES: u32 = 1024;
const LANES: u32 = 16;

/** What build() fills and update() works in: this many bytes, aligned to 64. */
export const SCRATCH_BYTES: u32 = 33408;
const TABLES: u32 = 0; // eight tables of 256 u64
const SHIFTS: u32 = 16384; // eight again: what LANE_BYTES zero bytes make of a checksum, by its bytes
const HALVES: u32 = 32768; // for each byte of a checksum: by the low half of a data byte, by the high half
const COLUMNS: u32 = 33024; // 16 bytes of each lane, as 16 vectors of one byte of each
const STATES: u32 = 33280; // vectors 0 to 7

let scratch: u32 = 0;

/** Makes the tables, at an address of the caller's choice. */
export function build(at: u32): void {
  scratch = at;
  for (let i: u32 = 0; i < 256; i++) {
    let crc: u64 = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    store<u64>(scratch + (i << 3), crc, TABLES);
  }
  for (let i: u32 = 256; i < 2048; i++) {
    const before = load<u64>(scratch + ((i - 256) << 3), TABLES);
    store<u64>(scratch + (i << 3), (before >> 8) ^ tableOf(0, before), TABLES);
  }
  buildHalves();
  buildShifts();
}

function buildHalves(): void {
  for (let half: u32 = 0; half < 16; half++) {
    for (let byte: u32 = 0; byte < 8; byte++) {
      const shift: u64 = byte << 3;
      const cell = scratch + HALVES + (byte << 5) + half;
      store<u8>(cell, <u8>(tableOf(0, half) >> shift));
      store<u8>(cell, <u8>(tableOf(0, half << 4) >> shift), 16);
    }
  }
}

/** Runs each single bit through LANE_BYTES zero bytes, then joins bits to bytes. */
function buildShifts(): void {
  for (let bit: u32 = 0; bit < 64; bit++) {
    let crc = (<u64>1) << (<u64>bit);
    for (let i: u32 = 0; i < LANE_BYTES; i += 8) crc = advance(crc);
    store<u64>(scratch + ((bit >> 3) << 11) + ((1 << (bit & 7)) << 3), crc, SHIFTS);
  }
  for (let byte: u32 = 0; byte < 8; byte++) {
    const table = scratch + SHIFTS + (byte << 11);
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
  return load<u64>(scratch + (table << 11) + (((<u32>value) & 255) << 3), TABLES);
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
  return load<u64>(
    scratch + (byte << 11) + (((<u32>(crc >> ((<u64>byte) << 3))) & 255) << 3),
    SHIFTS,
  );
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


@inline
function evens(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}


@inline
function odds(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/**
 * Reads 16 bytes of each lane and writes them as columns: the bits of a byte's place are turned by one, four
 * times. After the first turn, the columns of the lanes' low and high halves are apart.
 */
function transpose(at: u32): void {
  const r0 = v128.load(at, 0 * LANE_BYTES);
  const r1 = v128.load(at, 1 * LANE_BYTES);
  const r2 = v128.load(at, 2 * LANE_BYTES);
  const r3 = v128.load(at, 3 * LANE_BYTES);
  const r4 = v128.load(at, 4 * LANE_BYTES);
  const r5 = v128.load(at, 5 * LANE_BYTES);
  const r6 = v128.load(at, 6 * LANE_BYTES);
  const r7 = v128.load(at, 7 * LANE_BYTES);
  const r8 = v128.load(at, 8 * LANE_BYTES);
  const r9 = v128.load(at, 9 * LANE_BYTES);
  const r10 = v128.load(at, 10 * LANE_BYTES);
  const r11 = v128.load(at, 11 * LANE_BYTES);
  const r12 = v128.load(at, 12 * LANE_BYTES);
  const r13 = v128.load(at, 13 * LANE_BYTES);
  const r14 = v128.load(at, 14 * LANE_BYTES);
  const r15 = v128.load(at, 15 * LANE_BYTES);
  spread(
    evens(r0, r8),
    evens(r1, r9),
    evens(r2, r10),
    evens(r3, r11),
    evens(r4, r12),
    evens(r5, r13),
    evens(r6, r14),
    evens(r7, r15),
    scratch + COLUMNS,
  );
  spread(
    odds(r0, r8),
    odds(r1, r9),
    odds(r2, r10),
    odds(r3, r11),
    odds(r4, r12),
    odds(r5, r13),
    odds(r6, r14),
    odds(r7, r15),
    scratch + COLUMNS + 128,
  );
}

/** The other three turns, for the eight columns of one half. */
function spread(
  r0: v128,
  r1: v128,
  r2: v128,
  r3: v128,
  r4: v128,
  r5: v128,
  r6: v128,
  r7: v128,
  to: u32,
): void {
  for (let turn = 0; turn < 3; turn++) {
    const t0 = evens(r0, r4);
    const t1 = odds(r0, r4);
    const t2 = evens(r1, r5);
    const t3 = odds(r1, r5);
    const t4 = evens(r2, r6);
    const t5 = odds(r2, r6);
    const t6 = evens(r3, r7);
    const t7 = odds(r3, r7);
    r0 = t0;
    r1 = t1;
    r2 = t2;
    r3 = t3;
    r4 = t4;
    r5 = t5;
    r6 = t6;
    r7 = t7;
  }
  v128.store(to, r0, 0);
  v128.store(to, r1, 16);
  v128.store(to, r2, 32);
  v128.store(to, r3, 48);
  v128.store(to, r4, 64);
  v128.store(to, r5, 80);
  v128.store(to, r6, 96);
  v128.store(to, r7, 112);
}

/** Adds 16 bytes of each lane, in COLUMNS, to STATES. */
function addColumns(): void {
  const low0 = v128.load(scratch, HALVES + 0);
  const high0 = v128.load(scratch, HALVES + 16);
  let s0 = v128.load(scratch, STATES + 0);
  const low1 = v128.load(scratch, HALVES + 32);
  const high1 = v128.load(scratch, HALVES + 48);
  let s1 = v128.load(scratch, STATES + 16);
  const low2 = v128.load(scratch, HALVES + 64);
  const high2 = v128.load(scratch, HALVES + 80);
  let s2 = v128.load(scratch, STATES + 32);
  const low3 = v128.load(scratch, HALVES + 96);
  const high3 = v128.load(scratch, HALVES + 112);
  let s3 = v128.load(scratch, STATES + 48);
  const low4 = v128.load(scratch, HALVES + 128);
  const high4 = v128.load(scratch, HALVES + 144);
  let s4 = v128.load(scratch, STATES + 64);
  const low5 = v128.load(scratch, HALVES + 160);
  const high5 = v128.load(scratch, HALVES + 176);
  let s5 = v128.load(scratch, STATES + 80);
  const low6 = v128.load(scratch, HALVES + 192);
  const high6 = v128.load(scratch, HALVES + 208);
  let s6 = v128.load(scratch, STATES + 96);
  const low7 = v128.load(scratch, HALVES + 224);
  const high7 = v128.load(scratch, HALVES + 240);
  let s7 = v128.load(scratch, STATES + 112);
  for (let column: u32 = 0; column < 256; column += 16) {
    const index = v128.xor(s0, v128.load(scratch + column, COLUMNS));
    const low = v128.and(index, i8x16.splat(15));
    const high = v128.shr<u8>(index, 4);
    s0 = v128.xor(s1, v128.xor(v128.swizzle(low0, low), v128.swizzle(high0, high)));
    s1 = v128.xor(s2, v128.xor(v128.swizzle(low1, low), v128.swizzle(high1, high)));
    s2 = v128.xor(s3, v128.xor(v128.swizzle(low2, low), v128.swizzle(high2, high)));
    s3 = v128.xor(s4, v128.xor(v128.swizzle(low3, low), v128.swizzle(high3, high)));
    s4 = v128.xor(s5, v128.xor(v128.swizzle(low4, low), v128.swizzle(high4, high)));
    s5 = v128.xor(s6, v128.xor(v128.swizzle(low5, low), v128.swizzle(high5, high)));
    s6 = v128.xor(s7, v128.xor(v128.swizzle(low6, low), v128.swizzle(high6, high)));
    s7 = v128.xor(v128.swizzle(low7, low), v128.swizzle(high7, high));
  }
  v128.store(scratch, s0, STATES + 0);
  v128.store(scratch, s1, STATES + 16);
  v128.store(scratch, s2, STATES + 32);
  v128.store(scratch, s3, STATES + 48);
  v128.store(scratch, s4, STATES + 64);
  v128.store(scratch, s5, STATES + 80);
  v128.store(scratch, s6, STATES + 96);
  v128.store(scratch, s7, STATES + 112);
}

/** Checksum of LANES * LANE_BYTES bytes. */
function addBlock(crc: u64, at: u32): u64 {
  memory.fill(scratch + STATES, 0, 128);
  for (let byte: u32 = 0; byte < 8; byte++)
    store<u8>(scratch + (byte << 4), <u8>(crc >> ((<u64>byte) << 3)), STATES);
  for (let i: u32 = 0; i < LANE_BYTES; i += 16) {
    transpose(at + i);
    addColumns();
  }
  crc = 0;
  for (let lane: u32 = 0; lane < LANES; lane++) {
    let own: u64 = 0;
    for (let byte: u32 = 0; byte < 8; byte++)
      own |= (<u64>load<u8>(scratch + (byte << 4) + lane, STATES)) << ((<u64>byte) << 3);
    crc = shiftLane(crc) ^ own;
  }
  return crc;
}

export function update(crc: u64, at: u32, bytes: u32): u64 {
  for (; bytes >= LANES * LANE_BYTES; bytes -= LANES * LANE_BYTES, at += LANES * LANE_BYTES)
    crc = addBlock(crc, at);
  for (; bytes >= 8; bytes -= 8, at += 8) crc = advance(crc ^ load<u64>(at));
  for (; bytes > 0; bytes--, at++) crc = (crc >> 8) ^ tableOf(0, crc ^ load<u8>(at));
  return crc;
}
