// Code in colours, for both schemes: each pair of colours is a class, whose rules `styles` gives
// when everything is rendered. The themes are those of high contrast; the same library colours the
// API reference.

import {
  bundledLanguages,
  bundledThemes,
  codeToTokensWithThemes,
  createOnigurumaEngine,
  createShikiInternal,
  loadBuiltinWasm,
  type ShikiInternal,
} from '@gerrit0/mini-shiki';
import { escape } from './text.ts';

const LIGHT = 'github-light-high-contrast';
const DARK = 'github-dark-high-contrast';
const NAMES = {
  c: 'c',
  console: 'shellsession',
  html: 'html',
  js: 'js',
  json: 'json',
  sh: 'sh',
  ts: 'ts',
  typescript: 'ts',
} as const;
type Name = keyof typeof NAMES;

const isKnown = (name: string): name is Name => Object.hasOwn(NAMES, name);

export class Highlighter {
  readonly #shiki: ShikiInternal;
  readonly #classes = new Map<string, string>();

  private constructor(shiki: ShikiInternal) {
    this.#shiki = shiki;
  }

  static async create(): Promise<Highlighter> {
    await loadBuiltinWasm();
    const shiki = await createShikiInternal({
      engine: await createOnigurumaEngine(),
      themes: [bundledThemes[LIGHT], bundledThemes[DARK]],
      langs: [...new Set(Object.values(NAMES))].map((name) => bundledLanguages[name]),
    });
    return new Highlighter(shiki);
  }

  /** The code as HTML; plain where its language is not known. */
  render(code: string, language = ''): string {
    if (!isKnown(language)) return escape(code);
    const lines = codeToTokensWithThemes(this.#shiki, code, {
      lang: NAMES[language],
      themes: { light: LIGHT, dark: DARK },
    });
    return lines
      .map((tokens) =>
        tokens
          .map(({ content, variants: { light, dark } }) => {
            if (content.trim() === '') return content;
            const name = this.#classOf(`light-dark(${light!.color}, ${dark!.color})`);
            return `<span class="${name}">${escape(content)}</span>`;
          })
          .join(''),
      )
      .join('\n');
  }

  #classOf(colour: string): string {
    const known = this.#classes.get(colour);
    if (known !== undefined) return known;
    const name = `k${this.#classes.size}`;
    this.#classes.set(colour, name);
    return name;
  }

  /** Rules for all that was rendered. */
  get styles(): string {
    return [...this.#classes].map(([colour, name]) => `.${name} { color: ${colour}; }\n`).join('');
  }
}
