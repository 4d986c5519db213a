// Heat maps of a buffer pool: the pages of its file, and the frames of its memory. The page reads
// the frames' headers while the worker runs; a header is one word that changes at once
// (assembly/tabby/header.ts), so a look costs the worker nothing.
//
// Cost        16 bytes read for each frame and look.

import type { PoolPlace } from './machines.ts';

const FRAME_BYTES = 4096;
const VPN_SHIFT = 28n;
const DIRTY = 0x80;
const INVALID = 127;
const STATE_MASK = 127;
/** The share of its brightness that a cell keeps from look to look. */
const FADE = 0.8;

const [ABSENT, FREE] = [
  [0x55, 0x55, 0x55],
  [0, 0, 0],
] as const;

/** A canvas of square cells. */
class Cells {
  readonly #context: CanvasRenderingContext2D;
  readonly #image: ImageData;
  readonly heat: Float32Array;

  constructor(id: string, count: number) {
    const canvas = document.querySelector<HTMLCanvasElement>(`#${id}`)!;
    canvas.width = Math.ceil(Math.sqrt(count));
    canvas.height = Math.ceil(count / canvas.width);
    this.#context = canvas.getContext('2d')!;
    this.#image = this.#context.createImageData(canvas.width, canvas.height);
    this.heat = new Float32Array(count);
  }

  set(i: number, [red, green, blue]: readonly [number, number, number]): void {
    const { data } = this.#image;
    data[i * 4] = red;
    data[i * 4 + 1] = green;
    data[i * 4 + 2] = blue;
    data[i * 4 + 3] = 255;
  }

  /** Blue or orange, and the brighter the hotter. */
  setHot(i: number, isDirty: boolean): void {
    const heat = this.heat[i]! * 200;
    this.set(i, isDirty ? [255, 120 + heat * 0.6, heat] : [heat, 60 + heat, 180 + heat * 0.35]);
  }

  show(): void {
    this.#context.putImageData(this.#image, 0, 0);
  }
}

export class PoolMaps {
  readonly #words: BigUint64Array;
  readonly #first: number;
  readonly #seen: BigUint64Array;
  readonly #pages: Cells;
  readonly #frames: Cells;
  readonly #isThere: Uint8Array;

  constructor({ pool, word }: PoolPlace, dataMib: number) {
    const words = new Uint32Array(pool.buffer);
    const block = words[word >>> 2]!;
    this.#first = words[block >>> 2]!;
    this.#words = new BigUint64Array(pool.buffer);
    const frames = words[(block >>> 2) + 1]!;
    const pages = Math.ceil(dataMib * 256 * 1.02);
    this.#seen = new BigUint64Array(frames);
    this.#isThere = new Uint8Array(pages);
    this.#frames = new Cells('frames', frames);
    this.#pages = new Cells('pages', pages);
  }

  draw(): void {
    const [pages, frames, isThere] = [this.#pages, this.#frames, this.#isThere];
    for (let page = 0; page < isThere.length; page++) {
      pages.heat[page]! *= FADE;
      pages.set(page, ABSENT);
    }
    const now = new Uint8Array(isThere.length);
    for (let i = 0; i < this.#seen.length; i++) {
      const header = Atomics.load(this.#words, (this.#first + i * FRAME_BYTES) >>> 3);
      frames.heat[i] = header === this.#seen[i] ? frames.heat[i]! * FADE : 1;
      this.#seen[i] = header;
      const low = Number(header & 0xffn);
      if ((low & STATE_MASK) === INVALID || header === 0n) {
        frames.set(i, FREE);
        continue;
      }
      const isDirty = (low & DIRTY) !== 0;
      frames.setHot(i, isDirty);
      const page = Number(header >> VPN_SHIFT);
      if (page >= isThere.length) continue;
      now[page] = 1;
      if (isThere[page] === 0) pages.heat[page] = 1;
      pages.setHot(page, isDirty);
    }
    isThere.set(now);
    pages.show();
    frames.show();
  }
}
