// The demo of forks: a program writes while its memory is forked, next to one whose memory is
// copied. It starts by itself, takes both every two seconds, and ends by itself on the home page.
// Without shared memory it shows a recorded run, and says so.

import { live, recorded, type Choices, type Feed, type Lane, type Recording } from './fork-feed.ts';
import { Lanes } from './fork-lanes.ts';
import type { ForkEvent } from './writers.ts';
import { median } from '../statistics.ts';

const FORK_EVERY_MS = 2000;
const FIRST_FORK_MS = 500;
const DRAW_MS = 100;
/** The step of the clock in an isolated page: no shorter pause can be told from none. */
const CLOCK_MS = 0.005;
const HEADERS =
  'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
const STILL = matchMedia('(prefers-reduced-motion: reduce)');

interface ForkDemoOptions {
  /** Ends by itself after this time. */
  limitMs?: number;
  /** When this page cannot run it. */
  recording?: () => Promise<Recording>;
}

const count = (value: number): string => Math.round(value).toLocaleString('en');

/** A length of time in the unit that suits it. */
function duration(ms: number): string {
  if (ms < CLOCK_MS) return 'under 5 µs';
  if (ms < 1) return `${count(ms * 1000)} µs`;
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

export class ForkDemo {
  readonly #root: Element;
  readonly #form: HTMLFormElement;
  readonly #lanes: Lanes;
  readonly #options: ForkDemoOptions;
  readonly #pauses: Record<Lane, number[]> = { ours: [], theirs: [] };
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #feed: Feed | undefined;
  #choices: Choices = { mib: 64, part: 16 };

  constructor(root: Element, options: ForkDemoOptions = {}) {
    this.#root = root;
    this.#options = options;
    this.#form = root.querySelector('form')!;
    this.#lanes = new Lanes(root.querySelector('svg')!);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#feed === undefined) void this.start();
      else this.stop();
    });
    this.#button('fork').addEventListener('click', () => this.#feed?.fork());
    document.addEventListener('visibilitychange', () => document.hidden && this.stop());
    new ResizeObserver(() => this.#lanes.draw()).observe(this.#find('svg'));
    this.#button('run').disabled = false;
  }

  /** All that was measured since the start. */
  get measured(): Pick<Lanes, 'samples' | 'forks'> & Choices {
    const { samples, forks } = this.#lanes;
    return { ...this.#choices, samples, forks };
  }

  get isRunning(): boolean {
    return this.#feed !== undefined;
  }

  async start(): Promise<void> {
    this.#find('.proof').textContent = '';
    this.#lanes.clear();
    this.#pauses.ours.length = this.#pauses.theirs.length = 0;
    const data = new FormData(this.#form);
    const chosen = (name: keyof Choices): number => Number(data.get(name) ?? this.#choices[name]);
    this.#choices = { mib: chosen('mib'), part: chosen('part') };
    if (crossOriginIsolated) this.#run((listener) => live(this.#choices, listener), '');
    else await this.#replay();
  }

  /** Ends it; what was measured stays. */
  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#feed?.stop();
  }

  async #replay(): Promise<void> {
    const missing =
      `This page cannot run it: its server does not send ${HEADERS}, ` +
      'without which a browser shares no memory between threads.';
    const { recording } = this.#options;
    if (recording === undefined) return this.#note(missing);
    const run = await recording();
    this.#find('h2').textContent = 'A recorded run';
    const { mib, part } = run;
    this.#choices = { mib, part };
    this.#run(
      (listener) => recorded(run, listener),
      `${missing} This run was recorded in ${run.where}.`,
    );
  }

  #run(feed: (listener: Parameters<typeof live>[1]) => Feed, note: string): void {
    this.#note(note);
    this.#running(true);
    this.#feed = feed({
      sample: (lane, sample) => void this.#lanes.samples[lane].push(sample),
      fork: (lane, event) => this.#heard(lane, event),
      failed: (text) => this.#note(text),
      ended: () => this.#ended(),
    });
    if (!STILL.matches) this.#timers.push(setInterval(() => this.#lanes.draw(), DRAW_MS));
    // the demonstration's pace
    this.#timers.push(setTimeout(() => this.#feed?.fork(), FIRST_FORK_MS));
    this.#timers.push(setInterval(() => this.#feed?.fork(), FORK_EVERY_MS));
    const { limitMs } = this.#options;
    // and its end
    if (limitMs !== undefined) this.#timers.push(setTimeout(() => this.stop(), limitMs));
  }

  #heard(lane: Lane, event: ForkEvent): void {
    this.#lanes.forks[lane].push(event);
    this.#pauses[lane].push(event.pausedMs);
    this.#show();
    if (lane === 'ours') this.#find('.proof').textContent = this.#proof(event);
    if (STILL.matches) this.#lanes.draw();
  }

  #ended(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#feed = undefined;
    this.#running(false);
    this.#lanes.draw();
  }

  /** The bars, on one linear scale, and the ratio. */
  #show(): void {
    const { ours, theirs } = this.#pauses;
    const [our, their] = [ours, theirs].map((ms) => (ms.length > 0 ? median(ms) : undefined));
    const longest = Math.max(our ?? 0, their ?? 0, CLOCK_MS);
    for (const [lane, value] of [
      ['ours', our],
      ['theirs', their],
    ] as const) {
      if (value === undefined) continue;
      this.#find(`.pauses .${lane} output`).textContent = duration(value);
      this.#find<HTMLElement>(`.pauses .${lane} .bar span`).style.width =
        `${(value / longest) * 100}%`;
    }
    if (our === undefined || their === undefined) return;
    const ratio = their / Math.max(our, CLOCK_MS);
    const least = our < CLOCK_MS ? 'at least ' : '';
    this.#find('.ratio strong').textContent = `${least}${count(ratio)}× shorter`;
  }

  #proof({ fork, beganMs, endedMs, pausedMs, sum, copies = 0 }: ForkEvent): string {
    const words = count((this.#choices.mib * 2 ** 20) / 4);
    const wrong = sum === 0 ? '' : ', WHICH IS WRONG';
    const time = duration(endedMs - beganMs);
    const added = `another thread added up its ${words} words to ${sum}${wrong} in ${time}`;
    const copied = `the program wrote on and ${count(copies)} of its pages were copied`;
    const why =
      'Each write moves a unit from one word to another, so a sum of 0 is one moment of the program.';
    return `Fork ${fork}: taken in ${duration(pausedMs)}; ${added}, while ${copied}. ${why}`;
  }

  #running(isRunning: boolean): void {
    const again = this.#lanes.samples.ours.length > 0 ? 'Run again' : 'Start';
    this.#button('run').textContent = isRunning ? 'Stop' : again;
    this.#button('fork').disabled = !isRunning || !crossOriginIsolated;
    for (const select of this.#form.querySelectorAll('select')) select.disabled = isRunning;
  }

  #note(text: string): void {
    this.#find('.note').textContent = text;
  }

  #find<E extends Element = Element>(selector: string): E {
    return this.#root.querySelector<E>(selector)!;
  }

  #button(name: string): HTMLButtonElement {
    return this.#form.elements.namedItem(name) as HTMLButtonElement;
  }
}
