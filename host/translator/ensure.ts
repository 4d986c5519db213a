// How the main image checks pages: the tests in line, and the routines behind them.
//
//   T[address >>> 12] != view                 the page is not writable in this view
//
// T is the epoch table, `view` the vCPU's 8-bit epoch. A range of several bytes may reach into a second
// page: the tests say "look closer" then, and ensure() looks at both. Writes of a power of two are
// assumed aligned: bits of the address that only a misaligned one has are or-ed in above the epoch, and
// make it differ from any view.
//
// Interface   test*() leave on the stack whether a range needs a closer look; `start` emits the range's
//             first byte. ensure(), ensureBytes(), ensureRange() and window() are indices of routines.

import { FRAME_BYTES, FRAME_SHIFT } from '../../assembly/abi/limits.ts';
import type { Code } from './code.ts';
import { i32s } from './indices.ts';
import { I32, OP } from './opcode.ts';
import type { VmImage } from './vm-image.ts';

const PAGE_MASK = -FRAME_BYTES;

/** Emits an address. */
export type Start = () => void;

/** Of [start, + bytes). `isAligned`: a single access of a power of two, assumed aligned. */
export function test(
  image: VmImage,
  code: Code,
  start: Start,
  bytes: number,
  isAligned: boolean,
): void {
  if (bytes > 1 && !isAligned) return testPages(image, code, start, endOf(code, start, bytes));
  start();
  code.i32(FRAME_SHIFT).op(OP.i32ShrU).epochByte();
  if (bytes > 1) {
    start();
    code
      .i32(32 - Math.log2(bytes))
      .op(OP.i32Shl)
      .op(OP.i32Or);
  }
  code.globalGet(image.registerGlobal).op(OP.i32Ne);
}

/** Of [start, last], which are less than a page apart. */
export function testPages(image: VmImage, code: Code, start: Start, last: Start): void {
  start();
  code.i32(FRAME_SHIFT).op(OP.i32ShrU).epochByte();
  last();
  start();
  code.op(OP.i32Xor).i32(FRAME_BYTES).op(OP.i32And).op(OP.i32Or);
  code.globalGet(image.registerGlobal).op(OP.i32Ne);
}

/** As test(), but exact: zero once both pages are writable. */
export function testBoth(image: VmImage, code: Code, start: Start, bytes: number): void {
  test(image, code, start, 1, false);
  if (bytes === 1) return;
  test(image, code, endOf(code, start, bytes), 1, false);
  code.op(OP.i32Or);
}

function endOf(code: Code, start: Start, bytes: number): Start {
  return () => {
    start();
    code.i32(bytes - 1).op(OP.i32Add);
  };
}

/** ensure(address, last): the pages of the bytes [address, address + last] become writable; last < 4096. */
export function ensure(image: VmImage): number {
  return image.routine('ringzero.ensure', i32s(2), [], (code) => {
    const page = (isLast: boolean): void => {
      code.get(0).i32(12).op(OP.i32ShrU).epochByte().globalGet(image.registerGlobal).op(OP.i32Ne);
      code.if().get(0).call(image.kernel('fault')).end();
      if (isLast) return;
      code.get(0).get(1).op(OP.i32Add).tee(1).i32(12).op(OP.i32ShrU);
      code.get(0).i32(12).op(OP.i32ShrU).op(OP.i32LeU).if().op(OP.return).end();
      code.get(1).set(0);
    };
    page(false);
    page(true);
    return [];
  });
}

/** ensure for a fixed number of bytes: one argument less where it is called. */
export function ensureBytes(image: VmImage, bytes: number): number {
  return image.routine(`ringzero.ensure${bytes}`, [I32], [], (code) => {
    code
      .get(0)
      .i32(bytes - 1)
      .call(ensure(image));
    return [];
  });
}

/** ensureRange(address, bytes): as ensure, for any number of bytes. */
export function ensureRange(image: VmImage): number {
  return image.routine('ringzero.ensureRange', i32s(2), [], (code) => {
    const [address, bytes, page, last] = [0, 1, 2, 3];
    code.get(bytes).op(OP.i32Eqz).if().op(OP.return).end();
    code.get(address).get(bytes).op(OP.i32Add).i32(1).op(OP.i32Sub).tee(last);
    code.get(address).op(OP.i32LtU).if().op(OP.return).end(); // leaves 32 bits: the instruction traps
    code.get(address).i32(12).op(OP.i32ShrU).set(page);
    code.get(last).i32(12).op(OP.i32ShrU).set(last);
    code.loop();
    code.get(page).epochByte().globalGet(image.registerGlobal).op(OP.i32Ne).if();
    code.get(address).get(bytes).call(image.kernel('faultRange')).op(OP.return).end();
    code.get(page).get(last).op(OP.i32LtU).if();
    code.get(page).i32(1).op(OP.i32Add).set(page).br(1).end();
    code.end();
    return i32s(2);
  });
}

/**
 * window(start, last): ensures the range; returns where a window of one page begins that contains only
 * writable pages.
 */
export function window(image: VmImage): number {
  return image.routine('ringzero.window', i32s(2), [I32], (code) => {
    code.get(0).get(1).call(ensure(image));
    // A range that straddles begins the window, which then ends within the range's second page.
    code.get(0).get(0).i32(PAGE_MASK).op(OP.i32And);
    code.get(0).get(0).get(1).op(OP.i32Add).op(OP.i32Xor).i32(FRAME_SHIFT).op(OP.i32ShrU);
    code.op(OP.select);
    return [];
  });
}
