// The bench page: three experiments, each with its worker, plots that move while they run, and what was measured as a file. The page's own
// thread only draws and looks; it never waits.

import * as Plots from '@observablehq/plot';
import { draw } from '../html/draw.ts';
import type { Plot } from '../plot.ts';
import { PoolMaps } from './maps.ts';
import type { ForkEvent, PoolPlace, WriterSample, YcsbSample } from './machines.ts';

const SECONDS_SHOWN = 12;
const DRAW_MS = 200;

const results: Record<string, unknown> = { userAgent: navigator.userAgent, cores: navigator.hardwareConcurrency }; // prettier-ignore

const trouble = (text: string): void =>
  void (document.querySelector('#trouble')!.textContent = text);

/** A section: its choices, its buttons, its line of text and its plot. */
class Panel {
  readonly #form: HTMLFormElement;
  readonly #output: HTMLOutputElement;
  readonly #figure: HTMLElement;

  constructor(
    id: string,
    start: (choices: Record<string, number | string>) => void,
    stop?: () => void,
  ) {
    const section = document.querySelector(`#${id}`)!;
    this.#form = section.querySelector('form')!;
    this.#output = section.querySelector('output')!;
    this.#figure = section.querySelector('figure')!;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.isRunning) stop?.();
      else {
        this.say('');
        start(this.#choices());
      }
    });
  }

  #choices(): Record<string, number | string> {
    const entries = [...new FormData(this.#form)].map(([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)] as const); // prettier-ignore
    return Object.fromEntries(entries) as Record<string, number | string>;
  }

  button(name: string): HTMLButtonElement {
    return this.#form.elements.namedItem(name) as HTMLButtonElement;
  }

  isRunning = false;
  running(isRunning: boolean, text = isRunning ? 'Stop' : 'Start'): void {
    this.isRunning = isRunning;
    this.button('run').textContent = text;
    for (const select of this.#form.querySelectorAll('select')) select.disabled = isRunning;
  }

  say(text: string): void {
    this.#output.textContent = text;
  }

  show(...drawn: Element[]): void {
    this.#figure.replaceChildren(...drawn);
  }
}

/** A worker of the page; what it says goes to `hear`. */
function work(file: string, hear: (message: Record<string, unknown>) => void): Worker {
  const worker = new Worker(new URL(file, import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => {
    if (data !== null && typeof data === 'object' && 'failed' in data) trouble(String(data.failed));
    hear(data as Record<string, unknown>);
  };
  worker.onerror = ({ message }) => trouble(message);
  return worker;
}

/** Calls `body` some times a second until it is stopped. */
function repeatedly(body: () => void): () => void {
  const timer = setInterval(body, DRAW_MS);
  return () => clearInterval(timer);
}

const late = <T extends { atMs: number }>(samples: readonly T[]): T[] => {
  const from = (samples.at(-1)?.atMs ?? 0) - SECONDS_SHOWN * 1000;
  return samples.filter(({ atMs }) => atMs >= from);
};
const seconds = ({ atMs }: { atMs: number }): number => atMs / 1000;

// --- forks --------------------------------------------------------------------------------------------------------------

{
  let samples: WriterSample[] = [];
  let forks: ForkEvent[] = [];
  let worker: Worker | undefined;
  let rest = (): void => {};

  const drawn = (): void => {
    const shown = late(samples);
    const from = shown[0]?.atMs ?? 0;
    const during = forks.filter(({ endedMs }) => endedMs > from);
    panel.show(
      Plots.plot({
        width: 820,
        height: 300,
        marginLeft: 60,
        x: { label: 'seconds' },
        y: { label: 'microseconds for 256 moves', type: 'log', grid: true, tickFormat: '~r' },
        color: { legend: true, domain: ['median of 20 ms', 'greatest', 'a fork exists'], range: ['steelblue', 'orange', '#c338'] }, // prettier-ignore
        marks: [
          Plots.rectX(during, { x1: (fork: ForkEvent) => Math.max(fork.beganMs, from) / 1000, x2: (fork: ForkEvent) => fork.endedMs / 1000, fill: '#c33', fillOpacity: 0.15 }), // prettier-ignore
          Plots.ruleX(during, { x: ({ beganMs }: ForkEvent) => Math.max(beganMs, from) / 1000, stroke: '#c33' }), // prettier-ignore
          Plots.dot(shown, { x: seconds, y: 'maxUs', r: 1.5, fill: 'orange' }),
          Plots.line(shown, { x: seconds, y: 'medianUs', stroke: 'steelblue' }),
        ],
      }),
    );
  };

  const hear = (message: Record<string, unknown>): void => {
    if ('medianUs' in message) samples.push(message as unknown as WriterSample);
    if ('fork' in message) {
      const event = message as unknown as ForkEvent;
      forks.push(event);
      panel.say(
        `Fork ${event.fork}: taken in ${event.takenUs.toFixed(0)} us, added up in ${(event.endedMs - event.beganMs).toFixed(0)} ms to ${event.sum}${event.sum === 0 ? '' : ', WHICH IS WRONG'}; ${event.copies} pages were copied meanwhile`,
      );
    }
    if ('ended' in message || 'failed' in message) {
      worker!.terminate();
      rest();
      drawn();
      panel.running(false);
      panel.button('fork').disabled = true;
      results['forks'] = { samples, forks };
    }
  };

  const panel: Panel = new Panel(
    'forks',
    (choices) => {
      [samples, forks] = [[], []];
      worker = work('./machines.js', hear);
      worker.postMessage({ start: 'writer', ...choices });
      panel.running(true);
      panel.button('fork').disabled = false;
      rest = repeatedly(drawn);
    },
    () => worker!.postMessage({ stop: true }),
  );
  panel.button('fork').addEventListener('click', () => worker?.postMessage({ fork: true }));
}

// --- the pool -----------------------------------------------------------------------------------------------------------

{
  let samples: YcsbSample[] = [];
  let worker: Worker | undefined;
  let maps: PoolMaps | undefined;
  let rest = (): void => {};
  let chosen: Record<string, number | string> = {};

  const drawn = (): void => {
    const shown = late(samples);
    maps?.draw();
    if (shown.length === 0) return;
    const line = (y: keyof YcsbSample, name: string): Plots.Markish => Plots.line(shown, { x: seconds, y, stroke: () => name }); // prettier-ignore
    panel.show(
      Plots.plot({
        width: 820,
        height: 240,
        marginLeft: 70,
        x: { label: 'seconds' },
        y: { label: 'a second', type: 'symlog', grid: true },
        color: { legend: true, domain: ['operations', 'page faults', 'evictions'] },
        marks: [
          line('rate', 'operations'),
          line('faults', 'page faults'),
          line('evictions', 'evictions'),
        ],
      }),
    );
    const { rate, faults, evictions } = shown.at(-1)!;
    panel.say(`${(rate / 1000).toFixed(1)} K operations/s, ${faults.toFixed(0)} page faults/s, ${evictions.toFixed(0)} evictions/s`); // prettier-ignore
  };

  const hear = (message: Record<string, unknown>): void => {
    if ('pool' in message)
      maps = new PoolMaps(message as unknown as PoolPlace, Number(chosen['dataMib']));
    if ('loading' in message) panel.say(`loading: ${((message['loading'] as number) * 100).toFixed(0)} %`); // prettier-ignore
    if ('rate' in message) samples.push(message as unknown as YcsbSample);
    if ('ended' in message || 'failed' in message) {
      worker!.terminate();
      rest();
      drawn();
      maps = undefined;
      panel.running(false);
      const runs = (results['pool'] ??= []) as unknown[];
      runs.push({ ...chosen, samples });
    }
  };

  const panel: Panel = new Panel(
    'pool',
    (choices) => {
      samples = [];
      chosen = choices;
      worker = work('./machines.js', hear);
      worker.postMessage({ start: 'ycsb', ...choices });
      panel.running(true);
      rest = repeatedly(drawn);
    },
    () => worker!.postMessage({ stop: true }),
  );
}

// --- stores -------------------------------------------------------------------------------------------------------------

const STORES = { ringzero: 'ringzero', sqlite: 'sqlite-wasm (OPFS)', indexedDb: 'IndexedDB' };
const BATCHES = { ringzero: 100, sqlite: 20, indexedDb: 10 };
const GETS = { ringzero: 100_000, sqlite: 30_000, indexedDb: 5_000 };

{
  const panel: Panel = new Panel('stores', ({ keys }) => {
    panel.running(true, 'running');
    panel.button('run').disabled = true;
    void compare(Number(keys)).finally(() => {
      panel.button('run').disabled = false;
      panel.running(false);
    });
  });

  const compare = async (keys: number): Promise<void> => {
    let answered = (_: unknown): void => {};
    const worker = work('./contestants.js', (answer) => answered(answer));
    const ask = (act: string, ...args: unknown[]): Promise<number> =>
      new Promise((resolve, reject) => {
        answered = (answer) =>
          answer !== null && typeof answer === 'object' && 'failed' in answer
            ? reject(new Error(String(answer.failed)))
            : resolve(answer as number);
        worker.postMessage({ act, args });
      });
    const points: Record<'get' | 'load' | 'scan' | 'batch', { group: string; series: string; samples: number[] }[]> = { get: [], load: [], scan: [], batch: [] }; // prettier-ignore
    const plots: Plot[] = [
      { title: 'Random get', values: 'microseconds', isLog: true, points: points.get },
      { title: 'Loading, a key', values: 'microseconds', points: points.load },
      { title: 'Reading all in order, an entry', values: 'microseconds', isLog: true, points: points.scan }, // prettier-ignore
      { title: 'A durable batch of 1000 puts', values: 'microseconds', isLog: true, points: points.batch }, // prettier-ignore
    ];
    const add = (to: keyof typeof points, title: string, ms: number, count: number): void => {
      points[to].push({ group: title, series: title, samples: [(ms * 1000) / count] });
      const shown = plots.filter((plot) => plot.points.length > 0);
      panel.show(...shown.flatMap((plot) => [Object.assign(document.createElement('h3'), { textContent: plot.title }), draw(plot)])); // prettier-ignore
    };
    try {
      for (const [name, title] of Object.entries(STORES) as [keyof typeof STORES, string][]) {
        panel.say(`${title}: loading ${keys} keys`);
        add('load', title, await ask('load', name, keys), keys);
        panel.say(`${title}: reading`);
        await ask('gets', name, GETS[name] / 10, keys); // until it is compiled
        add('get', title, await ask('gets', name, GETS[name], keys), GETS[name]);
        add('scan', title, await ask('scan', name, keys), keys);
        panel.say(`${title}: writing`);
        await ask('beDurable', name);
        add('batch', title, await ask('batches', name, BATCHES[name], keys), BATCHES[name]);
        await ask('close', name);
      }
      panel.say('');
      results['stores'] = { keys, plots };
    } catch (error) {
      panel.say('');
      trouble(String(error));
    } finally {
      worker.terminate(); // with what it has open
    }
  };
}

document.querySelector('#save')!.addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(results, null, 1)], { type: 'application/json' })); // prettier-ignore
  link.download = 'ringzero-bench.json';
  link.click();
  URL.revokeObjectURL(link.href);
});
if (!crossOriginIsolated)
  trouble('This page is not cross-origin isolated: its server has to send the headers that docs/browser.md names.'); // prettier-ignore
