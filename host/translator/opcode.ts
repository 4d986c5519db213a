// The names of what the binary format numbers: value types and instructions. What an instruction is
// made of and does is in instructions.ts.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EXNREF = 0x69;
/** The null reference of exceptions. */
export const NULLEXNREF = 0x74;
/** Those of functions and of JavaScript values, of which only `ref.null` is taken. */
export const NULLFUNCREF = 0x73;
export const NULLEXTERNREF = 0x72;
// References that are not null take two bytes in a module, REF and the nullable type; here they have a code.
export const REF = 0x64;
export const REF_NULL = 0x63;
export const REF_FUNC = 0x01;
export const REF_EXTERN = 0x02;
export const REF_EXN = 0x03;
export const VOID = 0x40;

// An instruction has one number, its code: a one-byte opcode is its own, and each prefix has a page of codes.
export const PREFIX_GC = 0xfb; // refused
export const PREFIX_MISC = 0xfc;
export const PREFIX_SIMD = 0xfd;
export const PREFIX_ATOMIC = 0xfe;
export const PAGE_MISC = 0x100;
export const PAGE_SIMD = 0x200;
export const PAGE_ATOMIC = 0x400;
/** All codes are below it. */
export const CODES = 0x500;

/** Codes by their text names, as far as the translator mentions them. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8S: 0x2c,
  i32Load8U: 0x2d,
  i32Load16S: 0x2e,
  i32Load16U: 0x2f,
  i64Load8S: 0x30,
  i64Load8U: 0x31,
  i64Load16S: 0x32,
  i64Load16U: 0x33,
  i64Load32S: 0x34,
  i64Load32U: 0x35,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64Or: 0x84,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  i32Extend8S: 0xc0,
  i32Extend16S: 0xc1,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  refAsNonNull: 0xd4,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  memoryInit: PAGE_MISC + 8,
  dataDrop: PAGE_MISC + 9,
  memoryCopy: PAGE_MISC + 10,
  memoryFill: PAGE_MISC + 11,
  tableInit: PAGE_MISC + 12,
  elemDrop: PAGE_MISC + 13,
  tableCopy: PAGE_MISC + 14,
  tableGrow: PAGE_MISC + 15,
  tableSize: PAGE_MISC + 16,
  tableFill: PAGE_MISC + 17,
  v128Load: PAGE_SIMD,
  v128Load8x8S: PAGE_SIMD + 1,
  v128Load32x2U: PAGE_SIMD + 6,
  v128Load8Splat: PAGE_SIMD + 7,
  v128Load64Splat: PAGE_SIMD + 10,
  v128Store: PAGE_SIMD + 11,
  v128Const: PAGE_SIMD + 12,
  i8x16Shuffle: PAGE_SIMD + 13,
  i8x16ExtractLaneS: PAGE_SIMD + 21,
  i64x2ExtractLane: PAGE_SIMD + 29,
  f64x2ReplaceLane: PAGE_SIMD + 34,
  v128Bitselect: PAGE_SIMD + 82,
  v128Load8Lane: PAGE_SIMD + 84,
  v128Store8Lane: PAGE_SIMD + 88,
  v128Load32Zero: PAGE_SIMD + 92,
  v128Load64Zero: PAGE_SIMD + 93,
  atomicNotify: PAGE_ATOMIC,
  atomicWait32: PAGE_ATOMIC + 1,
  atomicWait64: PAGE_ATOMIC + 2,
  atomicFence: PAGE_ATOMIC + 3,
  i32AtomicLoad: PAGE_ATOMIC + 0x10,
  i32AtomicStore: PAGE_ATOMIC + 0x17,
  i32AtomicRmwAdd: PAGE_ATOMIC + 0x1e,
  i32AtomicRmwCmpxchg: PAGE_ATOMIC + 0x48,
} as const;

/** The prefix byte of a code; 0 = none. */
export function prefixOf(code: number): number {
  if (code < PAGE_MISC) return 0;
  return code < PAGE_SIMD ? PREFIX_MISC : code < PAGE_ATOMIC ? PREFIX_SIMD : PREFIX_ATOMIC;
}

/** What follows the prefix; of a code without one, the opcode. */
export function subOf(code: number): number {
  if (code < PAGE_SIMD) return code & 255;
  return code - (code < PAGE_ATOMIC ? PAGE_SIMD : PAGE_ATOMIC);
}

/** The code of an instruction with a prefix; -1 if its page ends before it. */
export function codeOf(prefix: number, sub: number): number {
  if (prefix === PREFIX_SIMD) return sub < PAGE_ATOMIC - PAGE_SIMD ? PAGE_SIMD + sub : -1;
  if (prefix === PREFIX_MISC) return sub < PAGE_SIMD - PAGE_MISC ? PAGE_MISC + sub : -1;
  return sub < CODES - PAGE_ATOMIC ? PAGE_ATOMIC + sub : -1;
}
