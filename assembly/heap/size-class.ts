// The size classes of the slab heap.
//
// 16 to 256 bytes in steps of 8; then 16 classes per doubling up to 4 KiB, 8 up to 32 KiB, 4 up to 256 KiB.
// An object wastes less than 8 bytes, then at most one part in 16, in 8, in 4.

export const CLASSES: u32 = 131;

/** Bytes of a slot of a class. */
export function sizeOfClass(index: u32): u32 {
  if (index < 31) return 16 + (index << 3);
  if (index < 95) return geometric(index - 31, 8, 4);
  if (index < 119) return geometric(index - 95, 12, 3);
  return geometric(index - 119, 15, 2);
}

function geometric(step: u32, power: u32, stepsShift: u32): u32 {
  const base: u32 = (<u32>1) << (power + (step >> stepsShift));
  return base + ((step & ((1 << stepsShift) - 1)) + 1) * (base >> stepsShift);
}

/** The smallest class whose slots hold this many bytes, at most 256 KiB. */
@inline
export function classOf(bytes: u32): u32 {
  if (bytes <= 256) return bytes <= 16 ? 0 : (bytes - 9) >> 3;
  const n = bytes - 1;
  const power: u32 = 31 - clz(n);
  if (power < 12) return 31 + ((power - 8) << 4) + ((n >> (power - 4)) & 15);
  if (power < 15) return 95 + ((power - 12) << 3) + ((n >> (power - 3)) & 7);
  return 119 + ((power - 15) << 2) + ((n >> (power - 2)) & 3);
}
