// What the two programs wrote in the last seconds, as two lanes over one axis of time. Where a
// program stands still, its lane is empty and the pause is marked; while a fork exists, its lane is
// tinted. Each lane has a scale of its own: what is compared is when they write. Drawn at the width
// of its place, so that text keeps its size.

import { LANES, type Lane } from './fork-feed.ts';
import type { ForkEvent, WriterSample } from './writers.ts';

const SVG = 'http://www.w3.org/2000/svg';
const SECONDS = 4;
const SPAN_MS = SECONDS * 1000;
const HEIGHT = 76;
const HEAD = 30;
const FOOT = 24;
/** Pixels: a shorter pause cannot be seen, and is not drawn. */
const LEAST_WIDTH = 0.5;
const TITLES: Record<Lane, string> = { ours: 'Forked by ringzero', theirs: 'Copied' };

function shape(name: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

export class Lanes {
  readonly samples: Record<Lane, WriterSample[]> = { ours: [], theirs: [] };
  readonly forks: Record<Lane, ForkEvent[]> = { ours: [], theirs: [] };
  readonly #svg: SVGSVGElement;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
  }

  clear(): void {
    for (const lane of LANES) this.samples[lane].length = this.forks[lane].length = 0;
  }

  draw(): void {
    const width = Math.max(240, this.#svg.clientWidth);
    const height = LANES.length * (HEAD + HEIGHT) + FOOT;
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#svg.setAttribute('height', String(height));
    const end = Math.max(...LANES.map((lane) => this.samples[lane].at(-1)?.atMs ?? 0));
    const shown = (lane: Lane): WriterSample[] =>
      this.samples[lane].filter(({ atMs }) => atMs > end - SPAN_MS);
    const x = (ms: number): number => Math.max(0, (1 - (end - ms) / SPAN_MS) * width);
    const shapes = LANES.flatMap((lane, i) => {
      const base = (i + 1) * (HEAD + HEIGHT);
      return this.#lane(lane, shown(lane), { base, width, end, x });
    });
    this.#svg.replaceChildren(...shapes, ...axis(width, height));
  }

  #lane(lane: Lane, shown: readonly WriterSample[], { base, width, end, x }: Place): SVGElement[] {
    const recent = this.forks[lane].filter(({ endedMs }) => endedMs > end - SPAN_MS);
    const top = base - HEIGHT;
    const highest = Math.max(1, ...shown.map(rate));
    const bars = shown.map((sample) => {
      const y = base - (rate(sample) / highest) * (HEIGHT - 4);
      return `M${x(sample.fromMs).toFixed(1)} ${base}V${y.toFixed(1)}H${x(sample.atMs).toFixed(1)}V${base}Z`;
    });
    const band = ({ beganMs, endedMs }: ForkEvent): SVGElement =>
      shape('rect', {
        class: 'exists',
        x: x(beganMs),
        y: top,
        width: Math.max(0, x(endedMs) - x(beganMs)),
        height: HEIGHT,
      });
    const pause = ({ beganMs, pausedMs }: ForkEvent): SVGElement =>
      shape('rect', {
        class: 'pause',
        x: x(beganMs),
        y: top,
        width: x(beganMs + pausedMs) - x(beganMs),
        height: HEIGHT,
      });
    return [
      shape('text', { x: 0, y: top - 7, class: 'title' }, TITLES[lane]),
      shape(
        'text',
        { x: width, y: top - 7, 'text-anchor': 'end' },
        `up to ${(highest / 1000).toFixed(0)} M writes/s`,
      ),
      ...(lane === 'ours' ? recent.map(band) : []),
      shape('path', { class: `writes ${lane}`, d: bars.join('') }),
      ...recent.filter(({ pausedMs }) => (pausedMs / SPAN_MS) * width > LEAST_WIDTH).map(pause),
      shape('line', { x1: 0, x2: width, y1: base, y2: base }),
    ];
  }
}

interface Place {
  readonly base: number;
  readonly width: number;
  readonly end: number;
  x(ms: number): number;
}

/** Writes in a millisecond. */
const rate = ({ fromMs, atMs, writes }: WriterSample): number => writes / (atMs - fromMs);

function axis(width: number, height: number): SVGElement[] {
  return Array.from({ length: SECONDS + 1 }, (_, second) => {
    const at = (second / SECONDS) * width;
    const ago = SECONDS - second;
    const anchor = second === 0 ? 'start' : ago === 0 ? 'end' : 'middle';
    return shape(
      'text',
      { x: at, y: height - 7, 'text-anchor': anchor },
      ago === 0 ? 'now' : `${ago} s ago`,
    );
  });
}
