// One document of the repository as a page of HTML.
//
// Interface   `Site` knows all documents, so that a link between two files of the repository
//             becomes one between their pages; one that
//             leads to none throws. Paths are from the root of the repository or of the site,
//             with forward slashes.

import { posix } from 'node:path';
import { Marked, type Token, type Tokens } from 'marked';
import { FOOTER, from, head, header } from './frame.ts';
import type { Group } from './menu.ts';
import { escape, plain, shortened, slug } from './text.ts';

/** Of a document: its file in the repository, and its page in the site. */
export interface Document {
  readonly file: string;
  readonly page: string;
  readonly title: string;
  readonly markdown: string;
}

/** A heading with what is below it, up to the next one: what search finds. */
export interface Section {
  readonly id: string;
  readonly heading: string;
  readonly depth: number;
  text: string;
}

/** Code as HTML. */
export type Colour = (code: string, language?: string) => string;

/** Documents that a text names without a link. */
const NAMED = /\b(docs\/[a-z-]+\.md|examples\/[a-z-]+)\b/g;
const OUTSIDE = /^(https?:|mailto:)/;
const DESCRIPTION_LIMIT = 155;

/** The document's first heading, in words. */
export function titleOf(markdown: string, otherwise: string): string {
  const heading = /^# (.+)$/m.exec(markdown)?.[1];
  return heading === undefined ? otherwise : plain(heading);
}

/** The first paragraph, as search engines show it. */
function descriptionOf(tokens: readonly Token[]): string {
  const paragraph = tokens.find(({ type }) => type === 'paragraph');
  return shortened(plain(paragraph?.raw ?? ''), DESCRIPTION_LIMIT);
}

/** The sections of a document, in order; a heading that comes again has a number behind its name. */
function sectionsOf(tokens: readonly Token[]): Section[] {
  const sections: Section[] = [];
  const taken = new Map<string, number>();
  for (const token of tokens) {
    if (token.type === 'heading') {
      const { text, depth } = token as Tokens.Heading;
      const name = slug(text);
      const times = taken.get(name) ?? 0;
      taken.set(name, times + 1);
      sections.push({
        id: times === 0 ? name : `${name}-${times}`,
        heading: plain(text),
        depth,
        text: '',
      });
    } else {
      const section = sections.at(-1);
      if (section !== undefined) section.text += ` ${plain(token.raw)}`;
    }
  }
  return sections;
}

export class Site {
  readonly documents: readonly Document[];
  readonly #pages = new Map<string, Document>();
  readonly #menu: readonly Group[];
  readonly #colour: Colour;

  constructor(
    documents: readonly Document[],
    menu: readonly Group[] = [],
    colour: Colour = escape,
  ) {
    this.documents = documents;
    this.#menu = menu;
    this.#colour = colour;
    for (const document of documents) {
      const { file } = document;
      this.#pages.set(file, document);
      if (posix.basename(file) === 'README.md') this.#pages.set(posix.dirname(file), document);
    }
  }

  /** The page that a link in `document` means, as the page at hand must name it. */
  link(document: Document, href: string): string {
    if (OUTSIDE.test(href) || href.startsWith('#')) return href;
    const [path, anchor] = href.split('#') as [string, string?];
    const target = posix.join(posix.dirname(document.file), path).replace(/\/$/, '');
    const there = this.#pages.get(target);
    if (there === undefined) throw new Error(`${document.file}: nothing in the site is ${href}`);
    return from(document.page, there.page) + (anchor === undefined ? '' : `#${anchor}`);
  }

  /** The document as a page, and its sections for the search. */
  render(document: Document): { html: string; sections: readonly Section[] } {
    const marked = new Marked();
    const tokens = marked.lexer(document.markdown);
    const sections = sectionsOf(tokens);
    this.#use(marked, document, sections);
    const html = this.#frame(document, {
      body: marked.parser(tokens),
      description: descriptionOf(tokens),
      sections,
    });
    return { html, sections };
  }

  #use(marked: Marked, document: Document, sections: readonly Section[]): void {
    let isInLink = false;
    let headings = 0;
    const linked = (text: string): string => (isInLink ? text : this.#linkNamed(document, text));
    const link = (href: string): string => this.link(document, href);
    const colour = this.#colour;
    marked.use({
      renderer: {
        heading({ tokens, depth }: Tokens.Heading): string {
          const { id, heading } = sections[headings++]!;
          const text = this.parser.parseInline(tokens);
          const anchor =
            depth === 1
              ? ''
              : `<a class="anchor" href="#${id}" aria-label="Link to: ${escape(heading)}">#</a>`;
          return `<h${depth} id="${id}">${text}${anchor}</h${depth}>\n`;
        },
        link({ href, tokens }: Tokens.Link): string {
          isInLink = true;
          const text = this.parser.parseInline(tokens);
          isInLink = false;
          return `<a href="${escape(link(href))}">${text}</a>`;
        },
        text(token: Tokens.Text | Tokens.Escape): string | false {
          if ('tokens' in token && token.tokens) return false;
          return linked('escaped' in token && token.escaped ? token.text : escape(token.text));
        },
        codespan({ text }: Tokens.Codespan): string {
          return `<code>${linked(escape(text))}</code>`;
        },
        code({ text, lang }: Tokens.Code): string {
          return `<div class="code"><pre tabindex="0"><code>${colour(text, lang)}</code></pre></div>\n`;
        },
        table(token: Tokens.Table): string {
          const cell = (text: string, name: string): string =>
            text === '' ? '<td></td>' : `<${name}>${text}</${name}>`; // a heading without words is none
          const row = (cells: Tokens.TableCell[], name: string): string =>
            `<tr>${cells.map(({ tokens }) => cell(this.parser.parseInline(tokens), name)).join('')}</tr>`;
          const rows = token.rows.map((cells) => row(cells, 'td'));
          return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
<thead>${row(token.header, 'th')}</thead>
<tbody>${rows.join('\n')}</tbody></table></div>\n`;
        },
      },
    });
  }

  #linkNamed({ page }: Document, text: string): string {
    return text.replace(NAMED, (name) => {
      const target = this.#pages.get(name);
      return target === undefined ? name : `<a href="${from(page, target.page)}">${name}</a>`;
    });
  }

  #frame(
    document: Document,
    {
      body,
      description,
      sections,
    }: { body: string; description: string; sections: readonly Section[] },
  ): string {
    const { page, title } = document;
    return `${head({ page, title, description, styles: ['code.css'] })}
<body>
${header(page, { current: 'documents.html', hasMenu: true })}
<div class="document">
<nav class="menu" id="menu" aria-label="Documents">
${this.#menuOf(document)}
</nav>
${contentsOf(sections)}
<main id="main">
${body}
${this.#stepsOf(document)}
</main>
</div>
${FOOTER}
</body>
</html>
`;
  }

  #menuOf({ page, file }: Document): string {
    return this.#menu
      .map(({ title, entries }, i) => {
        const links = entries.map((entry) => {
          const target = this.#pages.get(entry.file)!.page;
          const mark = entry.file === file ? ' aria-current="page"' : '';
          return `<li><a href="${from(page, target)}"${mark}>${escape(entry.label)}</a></li>`;
        });
        return `<p id="group-${i}">${escape(title)}</p>
<ul aria-labelledby="group-${i}">
${links.join('\n')}
</ul>`;
      })
      .join('\n');
  }

  /** Links to the documents before and after this one, in the order of the menu. */
  #stepsOf({ page, file }: Document): string {
    const all = this.#menu.flatMap(({ entries }) => entries);
    const at = all.findIndex((entry) => entry.file === file);
    if (at < 0) return '';
    const step = (to: number, rel: string, word: string): string => {
      const entry = all[to];
      if (entry === undefined) return '';
      const target = from(page, this.#pages.get(entry.file)!.page);
      return `<a rel="${rel}" href="${target}"><small>${word}</small>${escape(entry.label)}</a>`;
    };
    const steps = step(at - 1, 'prev', 'Previous') + step(at + 1, 'next', 'Next');
    return `<nav class="steps" aria-label="Previous and next">${steps}</nav>`;
  }
}

/** Links to the sections of a page that has more than a few. */
function contentsOf(sections: readonly Section[]): string {
  const shown = sections.filter(({ depth }) => depth === 2 || depth === 3);
  if (shown.length < 3) return '';
  const links = shown.map(
    ({ id, heading, depth }) =>
      `<li${depth === 3 ? ' class="deep"' : ''}><a href="#${id}">${escape(heading)}</a></li>`,
  );
  return `<nav class="contents" aria-label="On this page"><details open><summary>On this page</summary>
<ul>
${links.join('\n')}
</ul></details></nav>`;
}
