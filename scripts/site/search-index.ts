// The index of the search, made with the site and fetched by a page when a reader first searches.

import MiniSearch from 'minisearch';
import type { Document, Section } from './page.ts';
import { SEARCH, type Entry } from './search-options.ts';

/** Of a section the index keeps this much: enough to find it, and to show where. */
const TEXT_LIMIT = 2500;

export class SearchIndex {
  readonly #index = new MiniSearch<Entry>(SEARCH);
  #count = 0;

  add({ page, title }: Document, sections: readonly Section[]): void {
    for (const { id, heading, depth, text } of sections) {
      const address = depth === 1 ? page : `${page}#${id}`;
      this.addEntry({ title, heading, text: text.trim().slice(0, TEXT_LIMIT), address });
    }
  }

  addEntry(entry: Omit<Entry, 'id'>): void {
    this.#index.add({ id: this.#count++, ...entry });
  }

  /** As a page loads it. */
  get json(): string {
    return JSON.stringify(this.#index);
  }
}
