// The page of a report: for each bench its plots, its figures, and where they were measured.

import type { Result } from '../report.ts';
import { draw } from './draw.ts';

const QUICK =
  'A quick run: small sizes and few rounds. It shows that the bench works; its figures mean nothing.';

function element(name: string, text = '', ...children: Element[]): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function table({ rows }: Result): HTMLElement {
  const body = rows.map(({ figure, value, ratio = '', goal = '' }) =>
    element('tr', '', ...[figure, value, ratio, goal].map((text) => element('td', text))),
  );
  const head = ['figure', 'value', 'compared with', 'goal'].map((text) => element('th', text));
  return element('table', '', element('thead', '', element('tr', '', ...head)), element('tbody', '', ...body)); // prettier-ignore
}

function section(result: Result): HTMLElement {
  const { name, date, isSmoke, machine, versions, plots } = result;
  const where = Object.entries({ ...machine, ...versions }).map(
    ([key, value]) => `${key} ${value}`,
  );
  const made = element('section', '', element('h2', name));
  made.id = name;
  if (isSmoke) made.append(element('strong', QUICK));
  for (const plot of plots) {
    const figure = element('figure', '', element('h3', plot.title), draw(plot));
    if (plot.paper !== undefined)
      figure.append(element('figcaption', `The paper: ${plot.paper.replace(/\.$/, '')}.`));
    made.append(figure);
  }
  made.append(table(result));
  made.append(
    element('small', `${new Date(date).toISOString().slice(0, 16)}Z; ${where.join('; ')}`),
  );
  return made;
}

const results = JSON.parse(document.querySelector('#results')!.textContent!) as Result[];
const contents = element('nav');
for (const { name } of results) {
  const link = element('a', name) as HTMLAnchorElement;
  link.href = `#${name}`;
  contents.append(link, ' ');
}
document.querySelector('main')!.append(contents, ...results.map(section));
