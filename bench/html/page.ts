// The page of a report: a summary of goals, and for each bench its plots, its figures, and where
// they were measured.

import { BENCHES, GROUPS, type Bench } from '../benches.ts';
import type { Plot } from '../plot.ts';
import type { Result, Row } from '../report.ts';
import { draw } from './draw.ts';
import { axisTitle } from './units.ts';

const QUICK =
  'A quick run: small sizes and few rounds. It shows that the benches work; its figures ' +
  'mean nothing, so none is compared.';
const READING =
  'Contestants take turns, in one run on one machine. Plots show the median of the ' +
  'rounds, and a thin line from the least to the greatest. A table says so where a ' +
  'value is another than a median.';

function element(name: string, text = '', ...children: (Element | string)[]): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function classed(name: string, element: HTMLElement): HTMLElement {
  element.className = name;
  return element;
}

function link(href: string, text: string): HTMLElement {
  const made = element('a', text) as HTMLAnchorElement;
  made.href = href;
  return made;
}

/** Whether a goal is met, in a word and a colour. */
function verdict({ isMet }: Row): HTMLElement[] {
  if (isMet === undefined) return [];
  return [classed(isMet ? 'met' : 'missed', element('strong', isMet ? '✓ met' : '✗ missed'))];
}

/** The goal as it is, and what became of it. */
function goalCell(row: Row): HTMLElement {
  const marks = verdict(row);
  return element('td', row.goal ?? '', ...(marks.length > 0 ? [' ', ...marks] : []));
}

function table(head: readonly string[], body: readonly HTMLElement[], label: string): HTMLElement {
  const titles = head.map((text) => element('th', text));
  for (const [i, title] of titles.entries()) {
    title.setAttribute('scope', 'col');
    if (head[i] === '') title.append(classed('unseen', element('span', 'result')));
  }
  const made = classed(
    'scroll',
    element(
      'div',
      '',
      element(
        'table',
        '',
        element('thead', '', element('tr', '', ...titles)),
        element('tbody', '', ...body),
      ),
    ),
  );
  made.tabIndex = 0;
  made.setAttribute('role', 'group');
  made.setAttribute('aria-label', label);
  return made;
}

/** Columns that no row fills are left out. */
function figures(rows: readonly Row[]): HTMLElement {
  const has = (key: keyof Row): boolean => rows.some((row) => row[key] !== undefined);
  const columns = [
    ['figure', true, ({ figure }: Row) => element('td', figure)],
    ['value', true, ({ value }: Row) => element('td', value)],
    ['compared with', has('ratio'), ({ ratio = '' }: Row) => element('td', ratio)],
    ['goal', has('goal'), goalCell],
  ] as const;
  const shown = columns.filter(([, isShown]) => isShown);
  const body = rows.map((row) => element('tr', '', ...shown.map(([, , cell]) => cell(row))));
  return table(
    shown.map(([title]) => title),
    body,
    'Figures',
  );
}

const redraws: (() => void)[] = [];

/** A plot at the width of its place, drawn again when that changes. */
function plotted(plot: Plot): HTMLElement {
  const place = element('div');
  redraws.push(() => place.replaceChildren(draw(plot, place.clientWidth || undefined)));
  const made = element(
    'figure',
    '',
    element('h3', plot.title),
    classed('axis', element('p', axisTitle(plot.values))),
    place,
  );
  if (plot.paper !== undefined)
    made.append(element('figcaption', `The paper: ${plot.paper.replace(/\.$/, '')}.`));
  return made;
}

/** Facts of a machine that need no name before them. */
const WORDS: Record<string, string> = {
  processor: '',
  cores: ' cores',
  'memory, GiB': ' GiB',
  system: '',
};
const fact = ([key, value]: [string, string | number]): string =>
  Object.hasOwn(WORDS, key) ? `${value}${WORDS[key]}` : `${key} ${value}`;
const places = ({ machine, versions }: Result): string =>
  Object.entries({ ...machine, ...versions })
    .map(fact)
    .join(', ');
const time = ({ date }: Result): string =>
  `${new Date(date).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function section(result: Result, { title, note }: Bench, where: string): HTMLElement {
  const made = element('section', '', element('h2', title));
  made.id = result.name;
  if (note !== undefined) made.append(classed('hush', element('p', note)));
  made.append(...result.plots.map(plotted), figures(result.rows));
  const place = places(result);
  made.append(
    classed(
      'hush',
      element(
        'small',
        [time(result), ...(place === where ? [] : [place]), `npm run bench -- ${result.name}`].join(
          '; ',
        ),
      ),
    ),
  );
  return made;
}

/** Goals of all benches, and whether they are met. */
function summary(shown: readonly Shown[]): HTMLElement[] {
  const goals = shown.flatMap(({ result, bench }) =>
    result.rows.filter(({ isMet }) => isMet !== undefined).map((row) => ({ row, bench })),
  );
  if (goals.length === 0) return [];
  const met = goals.filter(({ row }) => row.isMet).length;
  const rows = shown.flatMap(({ bench }) => {
    const own = goals.filter((goal) => goal.bench === bench);
    return own.length === 0 ? [] : [benchRow(bench), ...own.map(({ row }) => goalRow(row))];
  });
  return [
    element('h2', 'Summary'),
    classed(
      'score',
      element('p', '', element('strong', `${met} of ${goals.length}`), ' goals are met.'),
    ),
    table(['', 'figure', 'value', 'goal', 'compared with'], rows, 'Goals'),
  ];
}

/** The name of the bench above its goals. */
function benchRow({ name, title }: Bench): HTMLElement {
  const head = element('th', '', link(`#${name}`, title)) as HTMLTableCellElement;
  head.colSpan = 5;
  head.scope = 'rowgroup';
  return element('tr', '', head);
}

const goalRow = (row: Row): HTMLElement =>
  element(
    'tr',
    '',
    element('td', '', ...verdict(row)),
    ...[row.figure.trim(), row.value.trim(), row.goal ?? '', row.ratio ?? ''].map((text) =>
      element('td', text),
    ),
  );

interface Shown {
  result: Result;
  bench: Bench;
}

const known = new Map(
  GROUPS.flatMap(({ benches }) => benches.map((bench) => [bench.name, bench] as const)),
);
const benchOf = (name: string): Bench => known.get(name) ?? { name, title: name };
const place = (name: string): number => (known.has(name) ? BENCHES.indexOf(name) : BENCHES.length);

const results = JSON.parse(document.querySelector('#results')!.textContent!) as Result[];
const shown: Shown[] = results
  .sort((a, b) => place(a.name) - place(b.name))
  .map((result) => ({ result, bench: benchOf(result.name) }));
const newest = [...results].sort((a, b) => b.date - a.date)[0];
const where = newest === undefined ? '' : places(newest);
const groups = [
  ...GROUPS.map(({ title, benches }) => ({
    title,
    shown: shown.filter(({ bench }) => benches.includes(bench)),
  })),
  { title: 'Others', shown: shown.filter(({ bench }) => !known.has(bench.name)) },
].filter((group) => group.shown.length > 0);

const contents = element(
  'nav',
  '',
  ...groups.map((group) =>
    element(
      'div',
      '',
      element('strong', group.title),
      element(
        'ul',
        '',
        ...group.shown.map(({ bench }) => element('li', '', link(`#${bench.name}`, bench.title))),
      ),
    ),
  ),
);
contents.className = 'benches';
contents.setAttribute('aria-label', 'Benches');
const main = document.querySelector('main')!;
main.append(element('h1', 'Figures'));
if (newest !== undefined) main.append(element('p', `${time(newest)}; ${where}.`));
if (results.some(({ isSmoke }) => isSmoke)) main.append(classed('quick', element('p', QUICK)));
main.append(classed('hush', element('p', READING)), ...summary(shown), contents);
for (const group of groups)
  main.append(
    classed('group', element('p', group.title)),
    ...group.shown.map(({ result, bench }) => section(result, bench, where)),
  );
let width = 0;
new ResizeObserver(() => {
  if (main.clientWidth === width) return;
  width = main.clientWidth;
  for (const redraw of redraws) redraw();
}).observe(main);
for (const redraw of redraws) redraw();
