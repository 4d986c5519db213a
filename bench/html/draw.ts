// Draws the plots of a report in the page that holds its results. Runs in a browser, and with any
// document that is given. A plot is drawn at the width that it is given, so that its text keeps its
// size; the labels of groups stand above their bars, where they have room.

import * as Plots from '@observablehq/plot';
import type { Plot, Point } from '../plot.ts';
import { percentile } from '../statistics.ts';
import { format } from './units.ts';

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
const BAR = 20;
/** Beyond the bars, for their values. */
const VALUE_WIDTH = 76;
/** Room that a tick of an axis below needs. */
const TICK = 110;
/** Width of an average letter of the labels. */
const LETTER = 6.6;
/** Colours of the stylesheet: ringzero's own, those of its peers. */
const COLOURS = ['--s1', '--s2', '--s3', '--s4', '--s5', '--s6'].map((name) => `var(${name})`);

/**
 * The plot as an element: lines over numbers, bars in groups of words; dots where the axis is
 * logarithmic.
 */
export function draw(plot: Plot, width = WIDTH): HTMLElement {
  const marks = plot.points.filter(({ samples }) => samples.length > 0).map(markOf);
  const groups = new Set(marks.map(({ group }) => group));
  const isLine = groups.size > 1 && [...groups].every((group) => typeof group === 'number');
  const series = seriesOf(marks);
  const drawn = (isLine ? lines : bars)(plot, marks, width);
  asImage(drawn, `${plot.title}: ${marks.map(titleOf(plot)).join('; ')}`);
  const made = document.createElement('div');
  made.className = 'plot';
  if (series.length > 1 && !isOneEach(marks)) made.append(legend(series));
  made.append(drawn);
  return made;
}

/**
 * One image for a screen reader; the names of its parts, which only an element with a role may
 * have, become data.
 */
export function asImage<E extends Element>(drawn: E, label: string): E {
  for (const part of drawn.querySelectorAll('[aria-label]')) {
    part.setAttribute('data-part', part.getAttribute('aria-label')!);
    part.removeAttribute('aria-label');
    part.removeAttribute('aria-description');
  }
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', label);
  return drawn;
}

/** The names of the series with their colours. */
export function legend(series: readonly string[], kind = ''): HTMLElement {
  const made = document.createElement('p');
  made.className = 'legend';
  series.forEach((name, i) => {
    const swatch = document.createElement('i');
    swatch.className = `swatch ${kind}`;
    swatch.style.background = colour(i);
    const entry = document.createElement('span');
    entry.append(swatch, name);
    made.append(entry);
  });
  return made;
}

export const colour = (i: number): string => COLOURS[i % COLOURS.length]!;

/** Each series has one group of its own: the label of the group is enough. */
const isOneEach = (marks: readonly Mark[]): boolean =>
  new Set(marks.map(({ group }) => group)).size === marks.length;

function lines(plot: Plot, marks: readonly Mark[], width: number): Element {
  const at = { x: 'group', stroke: 'series' };
  const groups = [...new Set(marks.map(({ group }) => group as number))].sort((a, b) => a - b);
  const isWide = groups.at(-1)! > 20 * Math.max(groups[0]!, 1e-9);
  return Plots.plot({
    width,
    height: 300,
    marginLeft: 64,
    marginRight: 24,
    marginTop: 16,
    marginBottom: plot.groups === undefined ? 28 : 44,
    color: { domain: seriesOf(marks), range: COLOURS },
    x: { type: isWide ? 'log' : 'linear', axis: null },
    y: { ...axisOf(plot), axis: null },
    marks: [
      ...valueAxis('y', plot, marks),
      Plots.axisX(spread(groups, width, isWide), {
        label: plot.groups ?? null,
        labelAnchor: 'center',
        labelArrow: 'none',
        tickFormat: String,
        tickSize: 4,
      }),
      Plots.ruleX(marks, {
        ...at,
        y1: 'low',
        y2: 'high',
        strokeOpacity: 0.35,
        strokeWidth: 4,
      }),
      Plots.lineY(marks, { ...at, z: 'series', y: 'median', strokeWidth: 2 }),
      Plots.dot(marks, { x: 'group', y: 'median', fill: 'series', r: 3.5, title: titleOf(plot) }),
    ],
  });
}

/** Those of the numbers whose labels have room. */
function spread(groups: readonly number[], width: number, isLog: boolean): number[] {
  const place = (value: number): number => (isLog ? Math.log(value) : value);
  const span = place(groups.at(-1)!) - place(groups[0]!) || 1;
  const shown: number[] = [];
  for (const group of groups) {
    const last = shown.at(-1);
    const distance =
      last === undefined ? Infinity : ((place(group) - place(last)) / span) * (width - 88);
    if (distance > String(group).length * LETTER + 14) shown.push(group);
  }
  return shown;
}

const rowOf = (group: string | number, series = ''): string => `${group}\n${series}`;

/** For each group a row with its label, and below it one for each of its series. */
function rowsOf(marks: readonly Mark[]): string[] {
  const rows: string[] = [];
  for (const group of new Set(marks.map((mark) => mark.group))) {
    rows.push(rowOf(group));
    for (const mark of marks) if (mark.group === group) rows.push(rowOf(group, mark.series));
  }
  return rows;
}

/** The labels of the rows that have one, where they fit. */
function labels({ groups }: Plot, rows: readonly string[], width: number): Plots.Markish {
  const label = (row: string): string => {
    const group = row.slice(0, -1);
    return groups !== undefined && /^[\d.]+$/.test(group) ? `${group} ${groups}` : group;
  };
  return Plots.text(
    rows.filter((row) => row.endsWith('\n')),
    {
      y: (row: string) => row,
      text: (row: string) => cut(label(row), width),
      frameAnchor: 'left',
      dy: 3,
      fontWeight: 600,
      fill: 'currentColor',
    },
  );
}

function bars(plot: Plot, marks: readonly Mark[], width: number): Element {
  const isSingle = isOneEach(marks);
  const rows = rowsOf(marks);
  const place = { y: ({ group, series }: Mark) => rowOf(group, series) };
  const axis = axisOf(plot);
  const hasNothing = marks.every(({ high }) => high === 0);
  return Plots.plot({
    width,
    height: rows.length * BAR + 36,
    marginLeft: 8,
    marginRight: VALUE_WIDTH,
    marginTop: 4,
    marginBottom: 28,
    color: { domain: seriesOf(marks), range: isSingle ? singleColours(marks) : COLOURS },
    x: { ...axis, axis: null, ...(hasNothing && { domain: [0, 1] }) },
    y: { axis: null, domain: rows, padding: 0.15 },
    marks: [
      ...valueAxis('x', plot, marks, width),
      ...(plot.isLog
        ? [
            Plots.ruleY(marks, {
              ...place,
              x2: 'median',
              x1: () => axis.domain![0],
              stroke: 'series',
              strokeOpacity: 0.4,
            }),
            Plots.dot(marks, { ...place, x: 'median', fill: 'series', r: 5, title: titleOf(plot) }),
          ]
        : [Plots.barX(marks, { ...place, x: 'median', fill: 'series', title: titleOf(plot) })]),
      Plots.ruleY(marks, {
        ...place,
        x1: 'low',
        x2: 'high',
        stroke: 'currentColor',
        strokeWidth: 1.5,
      }),
      Plots.text(marks, {
        ...place,
        x: 'high',
        text: (mark: Mark) => format(mark.median, plot.values),
        textAnchor: 'start',
        dx: 8,
        fill: 'currentColor',
      }),
      labels(plot, rows, width),
    ],
  });
}

/** Where groups are series as well, ringzero's own stand out from their peers. */
const singleColours = (marks: readonly Mark[]): string[] =>
  seriesOf(marks).map((name) =>
    /^ringzero|^Tabby|^tabby/.test(name) ? COLOURS[0]! : 'var(--edge)',
  );

/** Cut where it would not fit; its title has all of it. */
function cut(text: string, width: number): string {
  const room = Math.floor(width / LETTER);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

/** The axis of values with its grid: few ticks, each with its unit. */
function valueAxis(
  side: 'x' | 'y',
  plot: Plot,
  marks: readonly Mark[],
  width = WIDTH,
): Plots.Markish[] {
  const options = {
    tickSize: 0,
    label: null,
    tickFormat: (value: number) => format(value, plot.values),
    fill: 'currentColor',
    fillOpacity: 0.75,
  };
  const grid = { stroke: 'currentColor', strokeOpacity: 0.14 };
  if (plot.isLog === true) {
    const ticks = decades(marks);
    return side === 'x'
      ? [Plots.gridX(ticks, grid), Plots.axisX(ticks, options)]
      : [Plots.gridY(ticks, grid), Plots.axisY(ticks, options)];
  }
  const ticks = Math.min(5, Math.floor(width / TICK));
  return side === 'x'
    ? [Plots.gridX({ ...grid, ticks }), Plots.axisX({ ...options, ticks })]
    : [Plots.gridY({ ...grid, ticks }), Plots.axisY({ ...options, ticks })];
}

/** Powers of ten from below the lowest to above the highest, or 1, 2, 5 where those would be few. */
function decades(marks: readonly Mark[]): number[] {
  const [from, to] = domainOf(marks);
  const steps = to / from > 100 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(1));
      if (tick >= from * 0.999 && tick <= to * 1.001) ticks.push(tick);
    }
  return ticks;
}

/** Of a logarithmic axis: from a tick below all values to one above. */
function domainOf(marks: readonly Mark[]): [number, number] {
  const values = marks.flatMap(({ low, high }) => [low, high]).filter((value) => value > 0);
  if (values.length === 0) return [0.1, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const down = (value: number): number => step(value, [5, 2, 1], (candidate) => candidate <= value);
  const up = (value: number): number =>
    step(value, [1, 2, 5, 10], (candidate) => candidate >= value);
  return high / low > 100
    ? [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))]
    : [down(low * 0.99), up(high * 1.01)];
}

function step(
  value: number,
  steps: readonly number[],
  fits: (candidate: number) => boolean,
): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return Number(((steps.find((candidate) => fits(candidate * power)) ?? 1) * power).toPrecision(1));
}

function axisOf({ isLog, points }: Plot): Plots.ScaleOptions & { domain?: [number, number] } {
  if (isLog !== true) return { type: 'linear', zero: true, nice: true };
  const marks = points.filter(({ samples }) => samples.length > 0).map(markOf);
  return { type: 'log', domain: domainOf(marks) };
}

const seriesOf = (marks: readonly Mark[]): string[] => [
  ...new Set(marks.map(({ series }) => series)),
];

const titleOf =
  ({ values }: Plot) =>
  ({ group, series, median, low, high }: Mark): string => {
    const [middle, least, most] = [median, low, high].map((value) => format(value, values));
    const range = low === high ? '' : ` (${least} to ${most})`;
    const name = String(group) === series ? series : `${group}, ${series}`;
    return `${name}: ${middle}${range}`;
  };
