// One document of the repository as a page of HTML, in the frame that all pages have.
//
// Interface   `Site` knows all documents, so that a link between two files of the repository becomes one between their pages; one that
//             leads to none throws. Paths are from the root of the repository or of the site, with forward slashes.

import { posix } from 'node:path';
import { Marked, type Tokens } from 'marked';

/** Of a document: its file in the repository, and its page in the site. */
export interface Document {
  readonly file: string;
  readonly page: string;
  readonly title: string;
  readonly markdown: string;
}

/** Documents that a text names without a link. */
const NAMED = /\b(docs\/[a-z-]+\.md|examples\/[a-z-]+)\b/g;
const OUTSIDE = /^(https?:|mailto:)/;

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

/** The name that a heading gets, as GitHub names it. */
export const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** The document's first heading, in words. */
export function titleOf(markdown: string, otherwise: string): string {
  const heading = /^# (.+)$/m.exec(markdown)?.[1];
  return heading?.replace(/`/g, '') ?? otherwise;
}

/** What a page refers to, from where it lies. */
const from = (page: string, target: string): string => posix.relative(posix.dirname(page), target);

export class Site {
  readonly documents: readonly Document[];
  readonly #pages = new Map<string, string>();

  constructor(documents: readonly Document[]) {
    this.documents = documents;
    for (const { file, page } of documents) {
      this.#pages.set(file, page);
      if (posix.basename(file) === 'README.md') this.#pages.set(posix.dirname(file), page);
    }
  }

  /** The page that a link in `document` means, as the page at hand must name it. */
  link(document: Document, href: string): string {
    if (OUTSIDE.test(href) || href.startsWith('#')) return href;
    const [path, anchor] = href.split('#') as [string, string?];
    const target = posix.join(posix.dirname(document.file), path).replace(/\/$/, '');
    const page = this.#pages.get(target);
    if (page === undefined) throw new Error(`${document.file}: nothing in the site is ${href}`);
    return from(document.page, page) + (anchor === undefined ? '' : `#${anchor}`);
  }

  render(document: Document): string {
    let isInLink = false;
    const linked = (text: string): string => (isInLink ? text : this.#linkNamed(document, text));
    const link = (href: string): string => this.link(document, href);
    const marked = new Marked({
      renderer: {
        heading({ tokens, depth, text }: Tokens.Heading): string {
          return `<h${depth} id="${slug(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
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
      },
    });
    return this.#frame(document, marked.parse(document.markdown) as string);
  }

  #linkNamed({ page }: Document, text: string): string {
    return text.replace(NAMED, (name) => {
      const target = this.#pages.get(name);
      return target === undefined ? name : `<a href="${from(page, target)}">${name}</a>`;
    });
  }

  #frame({ page, title }: Document, body: string): string {
    const entry = (target: string, text: string): string =>
      target === page
        ? `<a aria-current="page">${escape(text)}</a>`
        : `<a href="${from(page, target)}">${escape(text)}</a>`;
    const entries = this.documents.map((document) => entry(document.page, document.title));
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${escape(title)}</title>
<link rel="stylesheet" href="${from(page, 'site.css')}">
<nav>
${[...entries, entry('api/index.html', 'API reference'), entry('bench/index.html', 'Bench, in this tab')].join('\n')}
</nav>
<main>
${body}</main>
</html>
`;
  }
}
