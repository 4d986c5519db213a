// LOLWUT's picture: the protection rings of a machine as a round maze. The gaps lead to ring 0.
//
// Every dot is decided by itself: its distance from the middle says whether it is on a ring, its direction
// whether the ring has a gap there or a wall stands between two rings. No table, no canvas, no sine. A
// character is a Braille cell of 2 by 4 dots.

import * as ascii from '../bytes/ascii.ts';
import * as text from '../bytes/text.ts';

const RINGS_MAX: u32 = 24;
// RINGS_MAX * 24: gap x, gap y, wall x as f64; the wall's y follows from it.
const GAPS: usize = memory.data(576, 8);
const SPACING: f64 = 5; // dots between two rings
const LINE: f64 = 0.55; // half the thickness of a line
const DOOR: f64 = 4; // half the width of a gap, in dots

let seed: u64 = 0;

function draw(): f64 {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return <f64>(seed >> 40) / 8388608 - 1; // -1 .. 1
}

/** Stores a random direction of length one at `at`. */
function direction(at: usize): void {
  let x: f64 = 0;
  let y: f64 = 0;
  let square: f64 = 0;
  for (let turn = 0; turn < 64 && (square > 1 || square < 0.01); turn++) {
    x = draw();
    y = draw();
    square = x * x + y * y;
  }
  const scale = square < 0.01 ? 1 : 1 / sqrt(square);
  store<f64>(at, x * scale);
  store<f64>(at, y * scale, 8);
}

function isInk(x: f64, y: f64, rings: u32): bool {
  const radius = sqrt(x * x + y * y);
  const ring = nearest(radius / SPACING);
  if (ring > <f64>rings) return false;
  if (abs(radius - ring * SPACING) < LINE) {
    if (ring < 1) return true;
    const gap = GAPS + (<usize>ring - 1) * 24;
    const along = x * load<f64>(gap) + y * load<f64>(gap, 8);
    const across = x * load<f64>(gap, 8) - y * load<f64>(gap);
    return along < 0 || abs(across) > DOOR * 0.5;
  }
  const outer = <u32>ceil(radius / SPACING);
  if (outer < 2 || outer > rings) return false;
  const gap = GAPS + (outer - 1) * 24;
  const wallX = load<f64>(gap, 16);
  const wallY =
    load<f64>(gap) < 0
      ? sqrt(max<f64>(0, 1 - wallX * wallX))
      : -sqrt(max<f64>(0, 1 - wallX * wallX));
  return x * wallX + y * wallY > 0 && abs(x * wallY - y * wallX) < LINE;
}

/** The bits of a Braille cell whose top left dot is (x, y): dots 1 to 3 and 7 left, 4 to 6 and 8 right. */
function cell(x: f64, y: f64, rings: u32): u32 {
  let bits: u32 = 0;
  for (let row: u32 = 0; row < 4; row++) {
    if (isInk(x, y + <f64>row, rings)) bits |= row < 3 ? 1 << row : 64;
    if (isInk(x + 1, y + <f64>row, rings)) bits |= row < 3 ? 8 << row : 128;
  }
  return bits;
}

/** Appends a maze of 1 to 24 rings. */
export function put(rings: u32, random: u64): void {
  rings = rings < 1 ? 1 : rings > RINGS_MAX ? RINGS_MAX : rings;
  seed = random | 1;
  for (let warm = 0; warm < 8; warm++) draw();
  for (let ring: u32 = 0; ring < rings; ring++) {
    const gap = GAPS + ring * 24;
    direction(gap + 8);
    store<f64>(gap, load<f64>(gap, 8), 16);
    direction(gap);
  }
  const reach = <f64>rings * SPACING + 1;
  for (let y = -reach; y <= reach; y += 4) {
    for (let x = -reach; x <= reach; x += 2) {
      const bits = cell(x, y, rings);
      text.byte(0xe2);
      text.byte(0xa0 | (bits >> 6));
      text.byte(0x80 | (bits & 63));
    }
    text.byte(ascii.LF);
  }
}
