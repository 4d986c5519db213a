// A plugin of typedoc: the pages of the API reference link to the documents, and have what axe-core
// and Lighthouse ask for that typedoc's theme has not.

import { PageEvent, type Application } from 'typedoc';

/** The documents' pages that the reference links to, from its own folder. */
const LINKS = [
  ['../documents.html', 'Documentation'],
  ['../errors.html', 'Error codes'],
  ['../bench/index.html', 'Benchmarks'],
] as const;

/** Headings without a gap between their levels: none is more than one below the one before. */
function withoutGaps(html: string): string {
  let last = 0;
  let level = 0;
  return html.replace(/<(\/?)h([1-6])\b/g, (_, end: string, given: string) => {
    if (end === '') last = level = Math.min(Number(given), last + 1);
    return `<${end}h${level}`;
  });
}

/**
 * A page as typedoc made it, with its links and landmarks. Addresses that begin with `site:` are
 * pages of the site.
 */
export function finished(html: string): string {
  const base = /data-base="([^"]*)"/.exec(html)?.[1] ?? './';
  const links = LINKS.map(([target, text]) => `<a href="${base}${target}">${text}</a>`).join('');
  const page = html
    .replaceAll('href="site:', `href="${base}../`)
    .replace('<div id="tsd-toolbar-links">', (start) => start + links)
    .replace('<div class="col-sidebar">', '<div class="col-sidebar" role="complementary">')
    .replace('<div class="col-content">', '<div class="col-content" role="main">')
    .replace(/<summary\b[^]*?<\/summary>/g, (summary) =>
      // A link inside of a control is none for a keyboard; the heading keeps its name for links to it.
      summary.replace(/<a [^>]*class="tsd-anchor-icon"[^]*?<\/a>/g, ''),
    );
  return withoutGaps(page);
}

export function load({ renderer }: Application): void {
  renderer.on(PageEvent.END, (page) => {
    if (page.contents !== undefined) page.contents = finished(page.contents);
  });
}
