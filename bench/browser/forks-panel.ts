// Forks on the bench page: the demo, and below it how long each piece of the program's work took.

import * as Plots from '@observablehq/plot';
import { asImage, legend } from '../html/draw.ts';
import { format } from '../html/units.ts';
import { ForkDemo } from './fork-demo.ts';
import { keep, titled } from './panel.ts';
import type { ForkEvent, WriterSample } from './writers.ts';

const TITLE = 'Time for 4,096 moves';
const SECONDS_SHOWN = 12;
const DRAW_MS = 250;
const LIMIT_MS = 60_000;

/** Microseconds for a piece of work, as medians and maxima of slices of 20 ms. */
function plotOf(
  samples: readonly WriterSample[],
  forks: readonly ForkEvent[],
  width: number,
): Element {
  const end = samples.at(-1)!.atMs;
  const start = Math.max(samples[0]!.fromMs, end - SECONDS_SHOWN * 1000);
  const seconds = (ms: number): number => (Math.max(ms, start) - samples[0]!.fromMs) / 1000;
  const shown = samples.filter(({ atMs }) => atMs >= start);
  const during = forks.filter(({ endedMs }) => endedMs > start);
  const at = ({ atMs }: WriterSample): number => seconds(atMs);
  const plot = Plots.plot({
    width,
    height: 260,
    marginLeft: 56,
    marginBottom: 40,
    x: { label: 'seconds', labelAnchor: 'center', labelArrow: 'none' },
    y: {
      label: null,
      type: 'log',
      grid: true,
      ticks: 4,
      tickFormat: (us: number) => format(us, 'microseconds'),
    },
    marks: [
      Plots.rectX(during, {
        x1: (fork: ForkEvent) => seconds(fork.beganMs),
        x2: (fork: ForkEvent) => seconds(fork.endedMs),
        fill: 'var(--s1)',
        fillOpacity: 0.2,
      }),
      Plots.dot(shown, { x: at, y: 'maxUs', r: 1.5, fill: 'var(--s2)' }),
      Plots.line(shown, { x: at, y: 'medianUs', stroke: 'var(--s1)', strokeWidth: 2 }),
    ],
  });
  return asImage(plot, `${TITLE}, while forks are taken`);
}

export function startForks(): void {
  const section = document.querySelector('#forks')!;
  const figure = section.querySelector<HTMLElement>('.detail')!;
  const demo = new ForkDemo(section.querySelector('.demo')!, { limitMs: LIMIT_MS });
  const draw = (): void => {
    const { samples, forks } = demo.measured;
    if (samples.ours.length < 2) return;
    const plot = plotOf(samples.ours, forks.ours, Math.round(figure.clientWidth) || 320);
    const names = legend(['median of 20 ms', 'maximum']);
    figure.replaceChildren(
      titled(
        TITLE,
        'Lower is better; the scale is logarithmic. Tinted: a fork exists.',
        names,
        plot,
      ),
    );
  };
  let wasRunning = false;
  setInterval(() => {
    if (demo.isRunning || wasRunning) draw();
    wasRunning = demo.isRunning;
  }, DRAW_MS);
  keep('forks', () => {
    const { samples, forks, mib, part } = demo.measured;
    return {
      mib,
      part,
      samples: samples.ours,
      forks: forks.ours,
      copierSamples: samples.theirs,
      copies: forks.theirs,
    };
  });
  void demo.start();
}
