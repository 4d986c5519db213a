// How many operands each instruction takes and gives, for those whose effect the opcode alone tells.

const UNKNOWN = 0;
const pack = (takes: number, gives: number): number => 1 + takes * 4 + gives;

export const effectTakes = (effect: number): number => (effect - 1) >> 2;
export const effectGives = (effect: number): number => (effect - 1) & 3;

/** By opcode: 0 = not told by the opcode, else see effectTakes and effectGives. */
export const EFFECT = plainEffects();
/** By sub-opcode of 0xfd, for those that are no memory access. */
export const SIMD_EFFECT = vectorEffects();
/** By sub-opcode of 0xfc. */
export const MISC_EFFECT = miscellaneousEffects();

function plainEffects(): Uint8Array {
  const table = new Uint8Array(256).fill(UNKNOWN);
  const each = (from: number, to: number, takes: number, gives: number): void => {
    table.fill(pack(takes, gives), from, to + 1);
  };
  each(0x01, 0x01, 0, 0); // nop
  each(0x1a, 0x1a, 1, 0); // drop
  each(0x1b, 0x1c, 3, 1); // select
  each(0x25, 0x25, 1, 1); // table.get
  each(0x26, 0x26, 2, 0); // table.set
  each(0x28, 0x35, 1, 1); // loads
  each(0x3f, 0x3f, 0, 1);
  each(0x40, 0x40, 1, 1);
  each(0x41, 0x44, 0, 1); // constants
  each(0x45, 0x45, 1, 1);
  each(0x46, 0x4f, 2, 1); // i32 comparisons
  each(0x50, 0x50, 1, 1);
  each(0x51, 0x66, 2, 1); // i64, f32, f64 comparisons
  each(0x67, 0x69, 1, 1); // i32 clz ctz popcnt
  each(0x6a, 0x78, 2, 1);
  each(0x79, 0x7b, 1, 1); // i64 clz ctz popcnt
  each(0x7c, 0x8a, 2, 1);
  each(0x8b, 0x91, 1, 1); // f32 unary
  each(0x92, 0x98, 2, 1);
  each(0x99, 0x9f, 1, 1); // f64 unary
  each(0xa0, 0xa6, 2, 1);
  each(0xa7, 0xc4, 1, 1); // conversions
  each(0xd0, 0xd0, 0, 1); // ref.null
  each(0xd1, 0xd1, 1, 1); // ref.is_null
  each(0xd2, 0xd2, 0, 1); // ref.func
  return table;
}

function vectorEffects(): Uint8Array {
  const table = new Uint8Array(256).fill(pack(2, 1));
  const unary = [
    15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 27, 29, 31, 33, 77, 83, 94, 95, 96, 97, 98, 99, 100,
    103, 104, 105, 106, 116, 117, 122, 124, 125, 126, 127, 128, 129, 131, 132, 135, 136, 137, 138,
    148, 160, 161, 163, 164, 167, 168, 169, 170, 192, 193, 195, 196, 199, 200, 201, 202, 224, 225,
    227, 236, 237, 239, 248, 249, 250, 251, 252, 253, 254, 255,
  ];
  for (const sub of unary) table[sub] = pack(1, 1);
  table[12] = pack(0, 1); // v128.const
  table[82] = pack(3, 1); // bitselect
  return table;
}

function miscellaneousEffects(): Uint8Array {
  const table = new Uint8Array(32).fill(UNKNOWN);
  table.fill(pack(1, 1), 0, 8); // saturating conversions
  for (const three of [8, 10, 11, 12, 14, 17]) table[three] = pack(3, 0);
  table[9] = table[13] = pack(0, 0);
  table[15] = pack(2, 1); // table.grow
  table[16] = pack(0, 1); // table.size
  return table;
}
