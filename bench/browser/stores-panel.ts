// Stores compared: one worker asks each for the same keys and values.

import { draw } from '../html/draw.ts';
import { axisTitle, format, short } from '../html/units.ts';
import type { Plot } from '../plot.ts';
import { keep, Panel, titled, trouble, work } from './panel.ts';

const STORES = { ringzero: 'ringzero', sqlite: 'sqlite-wasm (OPFS)', indexedDb: 'IndexedDB' };
const BATCHES = { ringzero: 100, sqlite: 20, indexedDb: 10 };
const GETS = { ringzero: 100_000, sqlite: 30_000, indexedDb: 5_000 };
/** Steps of a store: load, read, write. */
const STEPS = 3;

type Act = 'get' | 'load' | 'scan' | 'batch';
type Name = keyof typeof STORES;

/** What the store's peers need, of its time. */
function ratios({ points, values }: Plot): string {
  const [ours, ...peers] = points;
  if (ours === undefined || peers.length === 0) return '';
  const of = (point: Plot['points'][number]): number => point.samples[0]!;
  const times = peers.map((peer) => `${peer.series} takes ${short(of(peer) / of(ours))}× as long`);
  return `ringzero: ${format(of(ours), values)}. ${times.join('; ')}.`;
}

class Stores {
  readonly #panel: Panel;
  readonly #points: Record<Act, Plot['points'][number][]> = {
    get: [],
    load: [],
    scan: [],
    batch: [],
  };
  readonly #plots: readonly Plot[];

  constructor() {
    const { get, load, scan, batch } = this.#points;
    this.#plots = [
      { title: 'Random get', values: 'microseconds', points: get },
      { title: 'Loading, a key', values: 'microseconds', points: load },
      { title: 'Reading all in order, an entry', values: 'microseconds', points: scan },
      { title: 'A durable batch of 1000 puts', values: 'microseconds', points: batch },
    ];
    this.#panel = new Panel(
      'stores',
      'Compare the stores',
      ({ keys }) => void this.#run(Number(keys)),
    );
    this.#panel.onWidth(() => this.#draw());
  }

  async #run(keys: number): Promise<void> {
    const panel = this.#panel;
    for (const points of Object.values(this.#points)) points.length = 0;
    this.#draw();
    panel.running(true, 'Running');
    panel.button('run').disabled = true;
    try {
      await this.#compare(keys);
      keep('stores', () => ({ keys, plots: this.#plots }));
    } catch (error) {
      trouble(String(error));
    }
    panel.say('');
    panel.button('run').disabled = false;
    panel.running(false);
  }

  async #compare(keys: number): Promise<void> {
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
    try {
      const names = Object.keys(STORES) as Name[];
      for (const [i, name] of names.entries()) {
        const step = (part: number, text: string): void => {
          this.#panel.say(`${STORES[name]}: ${text}`);
          this.#panel.progress((i * STEPS + part) / (names.length * STEPS));
        };
        await this.#ask(name, keys, { ask, step });
      }
    } finally {
      worker.terminate(); // with what it has open
    }
  }

  async #ask(name: Name, keys: number, { ask, step }: Asked): Promise<void> {
    const add = (act: Act, ms: number, count: number): void => {
      this.#points[act].push({
        group: STORES[name],
        series: STORES[name],
        samples: [(ms / count) * 1000],
      });
      this.#draw();
    };
    step(0, `loading ${keys.toLocaleString('en')} keys`);
    add('load', await ask('load', name, keys), keys);
    step(1, 'reading');
    await ask('gets', name, GETS[name] / 10, keys); // until it is compiled
    add('get', await ask('gets', name, GETS[name], keys), GETS[name]);
    add('scan', await ask('scan', name, keys), keys);
    step(2, 'writing');
    await ask('beDurable', name);
    add('batch', await ask('batches', name, BATCHES[name], keys), BATCHES[name]);
    await ask('close', name);
  }

  #draw(): void {
    const shown = this.#plots.filter(({ points }) => points.length > 0);
    this.#panel.show(
      ...shown.map((plot) => {
        const text = Object.assign(document.createElement('p'), { textContent: ratios(plot) });
        return titled(plot.title, axisTitle(plot.values), draw(plot, this.#panel.width), text);
      }),
    );
  }
}

interface Asked {
  ask(act: string, ...args: unknown[]): Promise<number>;
  step(part: number, text: string): void;
}

export const startStores = (): void => void new Stores();
