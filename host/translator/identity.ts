// Which module an image or a state was made from: its length and XXH32, against mistakes, not against
// attackers. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
//
// Cost  about a millisecond for 2 MB; 32-bit multiplications, because BigInt would take a hundred times that.

const PRIME1 = 0x9e3779b1;
const PRIME2 = 0x85ebca77;
const PRIME3 = 0xc2b2ae3d;
const PRIME4 = 0x27d4eb2f;
const PRIME5 = 0x165667b1;

/**
 * What tells modules apart.
 *
 * @category Translator
 */
export interface ModuleIdentity {
  readonly bytes: number;
  readonly xxh32: number;
}

export function identityOf(module: Uint8Array): ModuleIdentity {
  return { bytes: module.length, xxh32: xxh32(module) };
}

/** XXH32 with seed 0. */
export function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length;
  let at = 0;
  let sum = PRIME5;
  if (end >= 16) {
    let a = (PRIME1 + PRIME2) | 0;
    let b = PRIME2 | 0;
    let c = 0;
    let d = -PRIME1 | 0;
    for (; at + 16 <= end; at += 16) {
      a = round(a, view.getUint32(at, true));
      b = round(b, view.getUint32(at + 4, true));
      c = round(c, view.getUint32(at + 8, true));
      d = round(d, view.getUint32(at + 12, true));
    }
    sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  sum = (sum + end) | 0;
  for (; at + 4 <= end; at += 4)
    sum = Math.imul(rotate(sum + Math.imul(view.getUint32(at, true), PRIME3), 17), PRIME4);
  for (; at < end; at++) sum = Math.imul(rotate(sum + Math.imul(bytes[at]!, PRIME5), 11), PRIME1);
  sum = Math.imul(sum ^ (sum >>> 15), PRIME2);
  sum = Math.imul(sum ^ (sum >>> 13), PRIME3);
  return (sum ^ (sum >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotate(lane + Math.imul(word, PRIME2), 13), PRIME1);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
