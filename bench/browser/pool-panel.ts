// A buffer pool smaller than its data: the runs of the designs, over each other, as long as they do
// the same work.

import * as Plots from '@observablehq/plot';
import { asImage, colour, legend } from '../html/draw.ts';
import { short } from '../html/units.ts';
import type { PoolPlace, YcsbSample } from './machines.ts';
import { PoolMaps } from './maps.ts';
import { keep, Panel, titled, work, type Choices } from './panel.ts';

const DRAW_MS = 200;
/** A run ends by itself, so that runs can be compared. */
const RUN_SECONDS = 12;
const HEIGHT = 190;

interface Run {
  readonly design: string;
  readonly name: string;
  readonly samples: YcsbSample[];
}

type Quantity = 'rate' | 'faults' | 'evictions';

/** Seconds since the first sample; loading does not count. */
const seconds = ({ samples }: Run, { atMs }: YcsbSample): number =>
  (atMs - samples[0]!.atMs) / 1000;

function plotOf(
  runs: readonly Run[],
  { quantity, title, width }: { quantity: Quantity; title: string; width: number },
): Element {
  const plot = Plots.plot({
    width,
    height: HEIGHT,
    marginLeft: 56,
    marginBottom: 40,
    x: { label: 'seconds', labelAnchor: 'center', labelArrow: 'none', domain: [0, RUN_SECONDS] },
    y: {
      label: null,
      grid: true,
      zero: true,
      ticks: 4,
      tickFormat: (value: number) =>
        value >= 1e6
          ? `${short(value / 1e6)} M`
          : value >= 1e3
            ? `${short(value / 1e3)} K`
            : short(value),
    },
    marks: runs.map((run, i) =>
      Plots.line(run.samples, {
        x: (sample: YcsbSample) => seconds(run, sample),
        y: quantity,
        stroke: colour(i),
        strokeWidth: 2,
      }),
    ),
  });
  return asImage(
    plot,
    `${title}: ${runs.map((run) => `${run.name} ${short(run.samples.at(-1)?.[quantity] ?? 0)}`).join(', ')}`,
  );
}

const inWords = ({ rate, faults, evictions }: YcsbSample): string =>
  `${short(rate / 1000)} K operations/s, ${short(faults)} page faults/s, ${short(evictions)} evictions/s`;

class Pool {
  readonly #panel: Panel;
  #runs: Run[] = [];
  #work = '{}';
  #worker: Worker | undefined;
  #maps: PoolMaps | undefined;
  #timers: ReturnType<typeof setInterval>[] = [];
  #queue: string[] = [];

  constructor() {
    this.#panel = new Panel(
      'pool',
      'Run this design',
      (choices) => this.#start(choices),
      () => {
        this.#queue = [];
        this.#stop();
      },
    );
    keep('pool', () =>
      this.#runs.map(({ design, samples }) => ({
        ...(JSON.parse(this.#work) as object),
        design,
        samples,
      })),
    );
    this.#panel.onWidth(() => this.#draw());
    this.#panel.form.addEventListener('change', () => this.#check());
    this.#panel.button('all').addEventListener('click', () => this.#startAll());
  }

  /** Whether the data are larger than the pool; if not, it says so. */
  #check(): boolean {
    const { poolMib, dataMib } = this.#panel.choices;
    const isLarger = Number(dataMib) > Number(poolMib);
    this.#panel.say(
      isLarger
        ? ''
        : `A pool of ${poolMib} MiB holds all of ${dataMib} MiB: choose more data or a smaller pool.`,
    );
    return isLarger;
  }

  #startAll(): void {
    const select = this.#panel.form.elements.namedItem('design') as HTMLSelectElement;
    const [first, ...rest] = [...select.options].map(({ value }) => value);
    if (this.#panel.isRunning || !this.#check()) return;
    this.#runs = [];
    this.#queue = rest;
    select.value = first!;
    this.#start(this.#panel.choices);
  }

  #start(choices: Choices): void {
    if (!this.#check()) return;
    const { design, ...rest } = choices;
    const same = JSON.stringify(rest);
    if (same !== this.#work) this.#runs = [];
    this.#work = same;
    const select = this.#panel.form.elements.namedItem('design') as HTMLSelectElement;
    const name = select.selectedOptions[0]!.textContent!;
    const run: Run = { design: String(design), name, samples: [] };
    this.#runs = [...this.#runs.filter((other) => other.design !== design), run];
    this.#panel.running(true);
    this.#panel.button('all').disabled = true;
    this.#panel.progress(0);
    this.#panel.say(`${name}: loading ${rest['dataMib']} MiB`);
    this.#worker = work('./machines.js', (message) => this.#hear(message, run, choices));
    this.#worker.postMessage({ start: 'ycsb', ...choices });
    this.#timers.push(setInterval(() => this.#draw(), DRAW_MS));
  }

  #stop(): void {
    this.#worker?.postMessage({ stop: true });
  }

  #hear(message: Record<string, unknown>, run: Run, choices: Choices): void {
    if ('pool' in message) {
      this.#maps = new PoolMaps(message as unknown as PoolPlace, Number(choices['dataMib']));
      this.#panel.section.querySelector<HTMLElement>('.maps')!.hidden = false;
    }
    if ('loading' in message) this.#panel.progress(message['loading'] as number);
    if ('rate' in message) {
      if (run.samples.length === 0) {
        this.#panel.progress(undefined);
        // the length of a run
        this.#timers.push(setTimeout(() => this.#stop(), RUN_SECONDS * 1000));
      }
      run.samples.push(message as unknown as YcsbSample);
    }
    if ('ended' in message || 'failed' in message) this.#ended('failed' in message);
  }

  #ended(hasFailed: boolean): void {
    this.#worker!.terminate();
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#draw();
    this.#maps = undefined;
    this.#panel.running(false);
    this.#panel.button('all').disabled = false;
    const next = hasFailed ? undefined : this.#queue.shift();
    if (next === undefined) return;
    (this.#panel.form.elements.namedItem('design') as HTMLSelectElement).value = next;
    this.#start(this.#panel.choices);
  }

  #draw(): void {
    this.#maps?.draw();
    const runs = this.#runs.filter(({ samples }) => samples.length > 0);
    const { width } = this.#panel;
    if (runs.length === 0) return this.#panel.show();
    const panel = (quantity: Quantity, title: string, below: string): HTMLElement =>
      titled(title, below, plotOf(runs, { quantity, title, width }));
    this.#panel.show(
      legend(runs.map(({ name }) => name)),
      panel('rate', 'Operations', 'A second; higher is better'),
      panel('faults', 'Page faults', 'A second: pages that had to be read'),
    );
    const { name, samples } = this.#runs.at(-1)!;
    const sample = samples.at(-1);
    if (sample !== undefined) this.#panel.say(`${name}: ${inWords(sample)}`);
  }
}

export const startPool = (): void => void new Pool();
