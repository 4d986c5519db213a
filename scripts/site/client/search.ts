// The search: a dialog with a field and a list of sections. "/" or Ctrl+K opens it, the arrows walk
// through what was found.

import MiniSearch, { type SearchResult } from 'minisearch';
import { SEARCH, type Entry } from '../search-options.ts';

const SHOWN = 12;
const EXCERPT = 140;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The text around the first of the words, with all of them marked. */
function excerpt(text: string, words: readonly string[]): (Node | string)[] {
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
  const from = Math.max(0, Math.min(...places, text.length) - EXCERPT / 3);
  const start = places.length === 0 ? 0 : from === 0 ? 0 : text.indexOf(' ', from) + 1;
  const shown = text.slice(start, start + EXCERPT);
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const parts = pattern === '' ? [shown] : shown.split(new RegExp(`(${pattern})`, 'i'));
  return [
    start > 0 ? '… ' : '',
    ...parts.map((part, i) => (i % 2 === 1 ? element('mark', {}, part) : part)),
    start + EXCERPT < text.length ? ' …' : '',
  ];
}

function item(found: SearchResult & Partial<Entry>, root: URL): HTMLLIElement {
  const { title = '', heading = '', text = '', address = '', terms } = found;
  const where = heading === title ? '' : title;
  return element(
    'li',
    {},
    element(
      'a',
      { href: new URL(address, root).href },
      element('strong', {}, heading),
      element('small', {}, where),
      element('small', {}, ...excerpt(text, terms)),
    ),
  );
}

class Search {
  readonly #dialog: HTMLDialogElement;
  readonly #input = element('input', {
    type: 'text',
    enterKeyHint: 'search',
    autocomplete: 'off',
    placeholder: 'Search the documents',
  });
  readonly #status = element('p', { role: 'status' });
  readonly #list = element('ol', {});
  readonly #address: URL;
  #index: Promise<MiniSearch<Entry>> | undefined;

  constructor(address: URL) {
    this.#address = address;
    this.#input.setAttribute('role', 'searchbox'); // of type `search`, it would keep Escape for itself
    this.#input.setAttribute('aria-label', 'Search the documents');
    this.#list.setAttribute('aria-label', 'Results');
    const close = element('button', { type: 'submit' }, 'Close');
    const form = element('form', { method: 'dialog' }, this.#input, close);
    const body = element('div', { className: 'search' }, form, this.#status, this.#list);
    this.#dialog = element('dialog', {}, body);
    this.#dialog.setAttribute('aria-label', 'Search');
    document.body.append(this.#dialog);
    this.#input.addEventListener('input', () => void this.#find());
    this.#dialog.addEventListener('keydown', (event) => this.#walk(event));
    this.#dialog.addEventListener('click', ({ target }) => {
      if (target === this.#dialog) this.#dialog.close(); // its backdrop
      if (target instanceof Element && target.closest('ol a')) this.#dialog.close(); // this page, perhaps
    });
  }

  open(): void {
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    this.#input.focus();
    this.#input.select();
    void this.#load();
  }

  #load(): Promise<MiniSearch<Entry>> {
    this.#index ??= fetch(this.#address)
      .then((answer) => answer.text())
      .then((text) => MiniSearch.loadJSON<Entry>(text, SEARCH));
    return this.#index;
  }

  async #find(): Promise<void> {
    const asked = this.#input.value.trim();
    try {
      const index = await this.#load();
      if (asked !== this.#input.value.trim()) return; // typed on
      const found = asked === '' ? [] : index.search(asked);
      this.#list.replaceChildren(...found.slice(0, SHOWN).map((one) => item(one, this.#address)));
      const count =
        found.length > SHOWN ? `The first ${SHOWN} of ${found.length}` : `${found.length}`;
      this.#status.textContent =
        asked === '' ? '' : `${count} ${found.length === 1 ? 'result' : 'results'}`;
    } catch {
      this.#index = undefined;
      this.#status.textContent = 'The index of the search could not be loaded.';
    }
  }

  #walk(event: KeyboardEvent): void {
    const links = [...this.#list.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const isInput = document.activeElement === this.#input;
    if (event.key === 'Enter' && isInput) {
      event.preventDefault();
      links[0]?.click();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)]?.focus();
    } else if (event.key === 'ArrowUp' && !isInput) {
      event.preventDefault();
      (links[at - 1] ?? this.#input).focus();
    }
  }
}

export function offerSearch(): void {
  const button = document.querySelector<HTMLButtonElement>('.search-open');
  if (button === null) return;
  let search: Search | undefined;
  const open = (): void => {
    search ??= new Search(new URL(button.dataset['index']!, location.href));
    search.open();
  };
  button.hidden = false;
  button.addEventListener('click', open);
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, target } = event;
    const isTyping =
      target instanceof Element && target.closest('input, select, textarea') !== null;
    if ((key === '/' && !isTyping) || (key === 'k' && (ctrlKey || metaKey))) {
      event.preventDefault();
      open();
    }
  });
}
