// The instruction set as tables: what follows an opcode in the binary, and what it does to memory.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const VOID = 0x40;

// What follows an opcode.
export const IMM_NONE = 0;
export const IMM_BLOCK = 1; // block type
export const IMM_INDEX = 2; // one u32 that translation does not change
export const IMM_BR_TABLE = 3;
export const IMM_CALL = 4; // function index
export const IMM_CALL_INDIRECT = 5; // type index, table index
export const IMM_GLOBAL = 6; // global index
export const IMM_ACCESS = 7; // memarg
export const IMM_MEMORY = 8; // memory.size, memory.grow
export const IMM_I32 = 9;
export const IMM_I64 = 10;
export const IMM_F32 = 11;
export const IMM_F64 = 12;
export const IMM_SELECT = 13; // vector of types
export const IMM_REF_NULL = 14; // heap type
export const IMM_PREFIX = 15; // 0xfc, 0xfd, 0xfe
export const IMM_ELSE = 16;
export const IMM_END = 17;
export const IMM_BRANCH = 18; // label
export const IMM_REFUSED = 255;

/** IMM_* by opcode. */
export const IMMEDIATE = immediates();

function immediates(): Uint8Array {
  const table = new Uint8Array(256).fill(IMM_REFUSED);
  for (const plain of [0x00, 0x01, 0x0f, 0x1a, 0x1b, 0xd1]) table[plain] = IMM_NONE;
  table.fill(IMM_NONE, 0x45, 0xc5);
  for (const block of [0x02, 0x03, 0x04]) table[block] = IMM_BLOCK;
  table[0x05] = IMM_ELSE;
  table[0x0b] = IMM_END;
  for (const index of [0x20, 0x21, 0x22, 0x25, 0x26]) table[index] = IMM_INDEX;
  table[0x0c] = table[0x0d] = IMM_BRANCH;
  table[0x0e] = IMM_BR_TABLE;
  table[0x10] = table[0xd2] = IMM_CALL;
  table[0x11] = IMM_CALL_INDIRECT;
  table[0x1c] = IMM_SELECT;
  table[0x23] = table[0x24] = IMM_GLOBAL;
  table.fill(IMM_ACCESS, 0x28, 0x3f);
  table[0x3f] = table[0x40] = IMM_MEMORY;
  table[0x41] = IMM_I32;
  table[0x42] = IMM_I64;
  table[0x43] = IMM_F32;
  table[0x44] = IMM_F64;
  table[0xd0] = IMM_REF_NULL;
  table[0xfc] = table[0xfd] = table[0xfe] = IMM_PREFIX;
  return table;
}

// What an instruction does to memory: ACCESS_* kind << 16 | value type << 8 | width in bytes; 0 = nothing.
export const LOAD = 1;
export const STORE = 2;
export const LANE_LOAD = 3; // address and vector; a lane index follows the memarg
export const LANE_STORE = 4;
export const ATOMIC_LOAD = 5;
export const ATOMIC_STORE = 6;
export const RMW = 7; // address, operand
export const CMPXCHG = 8; // address, expected, replacement
export const WAIT = 9; // address, expected, timeout in i64
export const NOTIFY = 10; // address, count

export const accessKind = (access: number): number => access >>> 16;
export const accessType = (access: number): number => (access >>> 8) & 255;
export const accessWidth = (access: number): number => access & 255;

const pack = (kind: number, type: number, width: number): number =>
  (kind << 16) | (type << 8) | width;

/** Access by opcode 0x28 .. 0x3e. */
export const ACCESS = mvpAccesses();
/** Access by sub-opcode of 0xfd. */
export const SIMD_ACCESS = simdAccesses();
/** Access by sub-opcode of 0xfe. */
export const ATOMIC_ACCESS = atomicAccesses();

function mvpAccesses(): Uint32Array {
  const table = new Uint32Array(256);
  const types = [I32, I64, F32, F64, I32, I32, I32, I32, I64, I64, I64, I64, I64, I64];
  const widths = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4];
  types.forEach((type, i) => (table[0x28 + i] = pack(LOAD, type, widths[i]!)));
  const storeTypes = [I32, I64, F32, F64, I32, I32, I64, I64, I64];
  const storeWidths = [4, 8, 4, 8, 1, 2, 1, 2, 4];
  storeTypes.forEach((type, i) => (table[0x36 + i] = pack(STORE, type, storeWidths[i]!)));
  return table;
}

function simdAccesses(): Uint32Array {
  const table = new Uint32Array(256);
  const loads = [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8];
  loads.forEach((width, i) => (table[i] = pack(LOAD, V128, width)));
  table[11] = pack(STORE, V128, 16);
  for (let i = 0; i < 4; i++) {
    table[84 + i] = pack(LANE_LOAD, V128, 1 << i);
    table[88 + i] = pack(LANE_STORE, V128, 1 << i);
  }
  table[92] = pack(LOAD, V128, 4);
  table[93] = pack(LOAD, V128, 8);
  return table;
}

function atomicAccesses(): Uint32Array {
  const table = new Uint32Array(256);
  const types = [I32, I64, I32, I32, I64, I64, I64];
  const widths = [4, 8, 1, 2, 1, 2, 4];
  table[0] = pack(NOTIFY, I32, 4);
  table[1] = pack(WAIT, I32, 4);
  table[2] = pack(WAIT, I64, 8);
  types.forEach((type, i) => {
    table[0x10 + i] = pack(ATOMIC_LOAD, type, widths[i]!);
    table[0x17 + i] = pack(ATOMIC_STORE, type, widths[i]!);
    for (let group = 0; group < 6; group++) {
      table[0x1e + group * 7 + i] = pack(RMW, type, widths[i]!);
    }
    table[0x48 + i] = pack(CMPXCHG, type, widths[i]!);
  });
  return table;
}

/** Bytes that follow a SIMD sub-opcode which is no memory access. */
export function simdImmediateBytes(sub: number): number {
  if (sub === 12 || sub === 13) return 16; // v128.const, i8x16.shuffle
  return sub >= 21 && sub <= 34 ? 1 : 0; // extract and replace lane
}

/** Sub-opcodes of 0xfd that the SIMD proposal left unassigned. */
export const SIMD_UNASSIGNED: ReadonlySet<number> = new Set([
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2,
  0xd3, 0xd4, 0xe2, 0xee,
]);
