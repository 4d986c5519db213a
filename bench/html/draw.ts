// Draws the plots of a report in the page that holds its results. Runs in a browser, and with any document that is given.

import * as Plots from '@observablehq/plot';
import type { Plot, Point } from '../plot.ts';
import { percentile } from '../statistics.ts';

interface Mark {
  group: string | number;
  series: string;
  median: number;
  low: number;
  high: number;
}

function markOf({ group, series, samples }: Point): Mark {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    group,
    series,
    median: percentile(sorted, 0.5),
    low: sorted[0]!,
    high: sorted.at(-1)!,
  };
}

const WIDTH = 760;
const BAR = 24;
/** Width of an average letter of the labels. */
const LETTER = 6;

/** The plot as an element: lines over numbers, bars in groups of words; dots where the axis is logarithmic. */
export function draw(plot: Plot, width = WIDTH): Element {
  const marks = plot.points.filter(({ samples }) => samples.length > 0).map(markOf);
  return marks.every(({ group }) => typeof group === 'number')
    ? lines(plot, marks, width)
    : bars(plot, marks, width);
}

function lines(plot: Plot, marks: readonly Mark[], width: number): Element {
  const at = { x: 'group', stroke: 'series' };
  const groups = new Set(marks.map(({ group }) => group as number));
  const isWide = Math.max(...groups) > 20 * Math.max(Math.min(...groups), 1e-9);
  return Plots.plot({
    width,
    height: 320,
    marginLeft: 70,
    grid: true,
    color: { legend: true, domain: seriesOf(marks) },
    x: {
      label: plot.groups ?? '',
      type: isWide ? 'log' : 'linear',
      ticks: [...groups],
      tickFormat: String,
    },
    y: { label: plot.values, ...axisOf(plot) },
    marks: [
      Plots.ruleX(marks, {
        ...at,
        y1: 'low',
        y2: 'high',
        strokeOpacity: 0.4,
        strokeWidth: 4,
      }),
      Plots.lineY(marks, { ...at, z: 'series', y: 'median' }),
      Plots.dot(marks, { x: 'group', y: 'median', fill: 'series', title: titleOf(plot) }),
    ],
  });
}

function bars(plot: Plot, marks: readonly Mark[], width: number): Element {
  const series = seriesOf(marks);
  const isOneEach = new Set(marks.map(({ group }) => group)).size === marks.length;
  const place = isOneEach ? { y: 'group' } : { y: 'series', fy: 'group' };
  const value = plot.isLog
    ? Plots.dot(marks, { ...place, x: 'median', fill: 'series', r: 5, title: titleOf(plot) })
    : Plots.barX(marks, { ...place, x: 'median', fill: 'series', title: titleOf(plot) });
  return Plots.plot({
    width,
    height: 60 + marks.length * BAR + (isOneEach ? 0 : new Set(marks.map(({ group }) => group)).size * BAR * 0.5), // prettier-ignore
    marginLeft: labelWidth(marks),
    marginRight: 90,
    color: { legend: series.length > 1, domain: series },
    x: { label: plot.values, grid: true, ...axisOf(plot) }, // prettier-ignore
    y: { label: null, domain: isOneEach ? marks.map(({ group }) => group) : series, axis: isOneEach ? 'left' : null }, // prettier-ignore
    fy: { label: null, axis: 'left', domain: [...new Set(marks.map(({ group }) => group))] },
    marks: [
      value,
      Plots.ruleY(marks, { ...place, x1: 'low', x2: 'high', stroke: 'currentColor', strokeWidth: 1.5 }), // prettier-ignore
      Plots.text(marks, { ...place, x: 'high', text: (mark: Mark) => short(mark.median), textAnchor: 'start', dx: 6 }), // prettier-ignore
    ],
  });
}

/** Room for the longest label of a group. */
function labelWidth(marks: readonly Mark[]): number {
  const longest = Math.max(0, ...marks.map(({ group }) => String(group).length));
  return Math.min(WIDTH / 2, Math.max(80, longest * LETTER + 20));
}

const axisOf = ({ isLog }: Plot): Plots.ScaleOptions =>
  isLog === true ? { type: 'log', tickFormat: '~r' } : { type: 'linear', zero: true };

const seriesOf = (marks: readonly Mark[]): string[] => [...new Set(marks.map(({ series }) => series))]; // prettier-ignore

const titleOf =
  ({ values }: Plot) =>
  ({ group, series, median, low, high }: Mark): string =>
    `${group}, ${series}: ${short(median)} (${short(low)} to ${short(high)}) ${values}`;

function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
