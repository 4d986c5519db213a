// The menu of the documents: groups of pages, in the order in which they are read. docs/README.md
// has it, as headings with links below them; what it leaves out is added at the end, so that each
// document is reached.

import { posix } from 'node:path';
import { lexer, type Token, type Tokens } from 'marked';
import { plain } from './text.ts';

export interface Group {
  readonly title: string;
  readonly entries: readonly { readonly file: string; readonly label: string }[];
}

/** Links to files in a token, in order. */
function linksOf(token: Token): { file: string; label: string }[] {
  const below = Object.values(token).flatMap((part: unknown) =>
    Array.isArray(part) ? (part.flat() as unknown[]) : [],
  );
  const nested = below.flatMap((part) =>
    part !== null && typeof part === 'object' ? linksOf(part as Token) : [],
  );
  if (token.type !== 'link') return nested;
  const { href, text } = token as Tokens.Link;
  if (/^[a-z]+:|^#/.test(href)) return [];
  return [{ file: posix.join('docs', href.split('#')[0]!), label: plain(text) }];
}

/**
 * Groups from the index of the documents: a group for each heading below the first that has links
 * to documents.
 */
function groupsOf(index: string, isDocument: (file: string) => boolean): Group[] {
  const groups: { title: string; entries: { file: string; label: string }[] }[] = [];
  const seen = new Set<string>();
  for (const token of lexer(index)) {
    if (token.type === 'heading') {
      const { depth, text } = token as Tokens.Heading;
      if (depth > 1) groups.push({ title: plain(text), entries: [] });
      continue;
    }
    for (const link of linksOf(token)) {
      if (seen.has(link.file) || !isDocument(link.file)) continue;
      seen.add(link.file);
      groups.at(-1)?.entries.push(link);
    }
  }
  return groups.filter(({ entries }) => entries.length > 0);
}

/** The menu for these documents, of which `index` is the file of the index. */
export function menuOf(
  documents: readonly {
    readonly file: string;
    readonly title: string;
    readonly markdown: string;
  }[],
  index: string,
): Group[] {
  const isDocument = (file: string): boolean =>
    documents.some((document) => document.file === file);
  const { markdown = '' } = documents.find(({ file }) => file === index) ?? {};
  const groups = groupsOf(markdown, isDocument);
  const has = new Set(groups.flatMap(({ entries }) => entries.map(({ file }) => file)));
  const rest = documents.filter(({ file }) => !has.has(file) && file !== index);
  const entriesOf = (isIn: (file: string) => boolean): Group['entries'] =>
    rest.filter(({ file }) => isIn(file)).map(({ file, title }) => ({ file, label: title }));
  const isExample = (file: string): boolean => file.startsWith('examples/');
  return [
    ...groups,
    { title: 'More', entries: entriesOf((file) => !isExample(file)) },
    { title: 'Examples', entries: entriesOf(isExample) },
  ].filter(({ entries }) => entries.length > 0);
}
