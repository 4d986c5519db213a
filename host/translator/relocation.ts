// The parts of an image that depend on the VM and its processor, listed in a custom section, so that a
// translated module fits any:
//
//   name "ringzero.relocations" | u8 version | places of the memory's size | of the epoch table's address
//   | of fences | of the limit of stores | of loads that stay in order
//   places: count, then each one's distance from the previous one (the first from the start of the file),
//   all LEB128
//
// Size, address and limit are five-byte LEB128. A fence is three bytes, `atomic.fence` or three `nop`.
// A load is four, `i32.atomic.load` or `nop` and `i32.load`, which costs an engine half as much. The
// plain forms are for strongly ordered processors, where the engine is V8, which neither moves nor
// merges loads of memory. The size is minimum and maximum, so that the engine knows that memory never
// grows; otherwise it reloads the start of memory after each call.

import { epochTable, vmBlock } from '../../assembly/abi/memory-map.ts';
import { FRAME_BYTES, FRAMES_MAX, FRAMES_MIN, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { checkObject, refuse, RingzeroError } from '../errors.ts';
import type { Image } from './image.ts';
import { malformed, moduleBytes, Reader } from './reader.ts';
import type { Bytes } from '../bytes.ts';
import { Writer, writePadded, writePaddedSigned } from './writer.ts';

const NAME = 'ringzero.relocations';
const VERSION = 3;
const NOP = 0x01;
const FENCE = [0xfe, 0x03, 0x00];
const NO_FENCE = [NOP, NOP, NOP];
const ATOMIC_LOAD = [0xfe, 0x10, 0x02, 0x00];
const PLAIN_LOAD = [NOP, 0x28, 0x02, 0x00];

/**
 * The VM and the processor that an image runs on.
 *
 * @category Translator
 */
export interface RelocateOptions {
  /** Frames of the VM, a multiple of 4096. */
  readonly frames: number;
  /** The processor may reorder loads (default true: correct everywhere, slower on x64). */
  readonly weakMemory?: boolean;
}

export function checkFrames(frames: number): void {
  if (frames >= FRAMES_MIN && frames <= FRAMES_MAX && frames % FRAMES_MIN === 0) return;
  refuse('frames', frames, `multiples of ${FRAMES_MIN}, up to ${FRAMES_MAX}`);
}

export function relocationSection(
  image: Image,
  codeStart: number,
  sizes: readonly number[],
): Uint8Array {
  const out = new Writer(1024 + image.relocations.length * 2);
  out.name(NAME);
  out.byte(VERSION);
  places(out, sizes, 0);
  places(out, image.relocations, codeStart);
  places(out, image.fences, codeStart);
  places(out, image.limits, codeStart);
  places(out, image.ordered, codeStart);
  return out.finish();
}

function places(out: Writer, at: readonly number[], from: number): void {
  out.u32(at.length);
  let last = 0;
  for (const place of at) {
    out.u32(place + from - last);
    last = place + from;
  }
}

/**
 * A copy of a translated image for a VM of `frames` frames.
 *
 * @category Translator
 */
export function relocate(image: Bytes, options: RelocateOptions): Uint8Array {
  const out = moduleBytes(image).slice();
  checkObject(options);
  checkFrames(options.frames);
  patch(out, options);
  return out;
}

/** As relocate, in place. */
export function patch(image: Uint8Array, options: RelocateOptions): void {
  const reader = findSection(image);
  const { frames, weakMemory } = options;
  const size = (frames * FRAME_BYTES) / WASM_PAGE_BYTES;
  each(reader, image, 5, (at) => writePadded(image, at, size));
  each(reader, image, 5, (at) => writePadded(image, at, epochTable(frames)));
  const fence = weakMemory === false ? NO_FENCE : FENCE;
  each(reader, image, FENCE.length, (at) => image.set(fence, at));
  each(reader, image, 5, (at) => writePaddedSigned(image, at, storeLimit(frames)));
  const load = weakMemory === false ? PLAIN_LOAD : ATOMIC_LOAD;
  each(reader, image, ATOMIC_LOAD.length, (at) => image.set(load, at));
}

/**
 * Stores of a snapshot image above it look closer: it is above guest memory, and 64 KiB beyond it are
 * still memory.
 */
const storeLimit = (frames: number): number => vmBlock(frames) - 2 * WASM_PAGE_BYTES;

function each(reader: Reader, image: Uint8Array, bytes: number, put: (at: number) => void): void {
  let at = 0;
  for (let left = reader.count(); left > 0; left--) {
    at += reader.u32();
    if (at + bytes > image.length) throw malformed('relocation out of bounds', at);
    put(at);
  }
}

function findSection(image: Uint8Array): Reader {
  const reader = new Reader(image);
  reader.skip(8);
  while (reader.pos < reader.end) {
    const id = reader.byte();
    const size = reader.count();
    const end = reader.pos + size;
    if (id === 0) {
      const section = new Reader(image, reader.pos, end);
      if (section.name() === NAME && section.byte() === VERSION) return section;
    }
    reader.pos = end;
  }
  throw new RingzeroError(
    'RZ_OPTION',
    'these bytes are not an image of this version of ringzero; translate the module first',
  );
}
