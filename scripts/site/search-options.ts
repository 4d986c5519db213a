// What is searched, and how. The builder of the index and the page that reads it must agree.

import type { Options } from 'minisearch';

/** A section of a document, as the index stores it. */
export interface Entry {
  readonly id: number;
  /** Of the document. */
  readonly title: string;
  readonly heading: string;
  readonly text: string;
  readonly address: string;
}

export const SEARCH: Options<Entry> = {
  fields: ['title', 'heading', 'text'],
  storeFields: ['title', 'heading', 'text', 'address'],
  searchOptions: {
    boost: { heading: 4, title: 2 },
    prefix: true,
    fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    combineWith: 'AND',
  },
};
