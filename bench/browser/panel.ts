// A section of the bench page: its choices, its buttons, its line of text and its plots. What it
// draws is drawn again when the width changes.

export type Choices = Record<string, number | string>;

const results: Record<string, () => unknown> = {
  userAgent: () => navigator.userAgent,
  cores: () => navigator.hardwareConcurrency,
};

/** What the file of results has under a name, when it is saved. */
export const keep = (name: string, measured: () => unknown): void =>
  void (results[name] = measured);

export const trouble = (text: string): void =>
  void (document.querySelector('#trouble')!.textContent = text);

/** The results as a file. */
export function save(): void {
  const measured = Object.fromEntries(Object.entries(results).map(([name, of]) => [name, of()]));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(measured, null, 1)], { type: 'application/json' }),
  );
  link.download = 'ringzero-bench.json';
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A worker of the page; what it says goes to `hear`. */
export function work(file: string, hear: (message: Record<string, unknown>) => void): Worker {
  const worker = new Worker(new URL(file, import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => {
    if (data !== null && typeof data === 'object' && 'failed' in data) trouble(String(data.failed));
    hear(data as Record<string, unknown>);
  };
  worker.onerror = ({ message }) => trouble(message);
  return worker;
}

export class Panel {
  readonly section: Element;
  readonly form: HTMLFormElement;
  readonly figure: HTMLElement;
  readonly #output: HTMLOutputElement;
  readonly #progress: HTMLProgressElement;
  readonly #name: string;
  isRunning = false;

  /** `name` is what the button starts; a click while it runs calls `stop`. */
  constructor(id: string, name: string, start: (choices: Choices) => void, stop?: () => void) {
    this.section = document.querySelector(`#${id}`)!;
    this.form = this.section.querySelector('form')!;
    this.figure = this.section.querySelector('figure')!;
    this.#output = this.section.querySelector('output')!;
    this.#progress = this.section.querySelector('progress')!;
    this.#name = name;
    this.button('run').textContent = name;
    for (const button of this.form.querySelectorAll('button'))
      button.disabled = !crossOriginIsolated;
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.isRunning) stop?.();
      else start(this.choices);
    });
  }

  get choices(): Choices {
    const entries = [...new FormData(this.form)].map(
      ([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)] as const,
    );
    return Object.fromEntries(entries) as Choices;
  }

  button(name: string): HTMLButtonElement {
    return this.form.elements.namedItem(name) as HTMLButtonElement;
  }

  running(isRunning: boolean, text = isRunning ? 'Stop' : this.#name): void {
    this.isRunning = isRunning;
    this.button('run').textContent = text;
    for (const select of this.form.querySelectorAll('select')) select.disabled = isRunning;
    if (!isRunning) this.progress(undefined);
  }

  say(text: string): void {
    this.#output.textContent = text;
  }

  /** Of 1; undefined when nothing is waited for. */
  progress(part: number | undefined): void {
    this.#progress.hidden = part === undefined;
    this.#progress.value = part ?? 0;
  }

  /** Calls `body` with the width now, and when it changes. */
  onWidth(body: (width: number) => void): void {
    let last = 0;
    new ResizeObserver(() => {
      const width = Math.round(this.figure.clientWidth);
      if (width === 0 || width === last) return;
      last = width;
      body(width);
    }).observe(this.figure);
  }

  get width(): number {
    return Math.round(this.figure.clientWidth) || 320;
  }

  show(...drawn: Element[]): void {
    this.figure.replaceChildren(...drawn);
  }
}

/** A heading, what is below it, and a plot. */
export function titled(title: string, below: string, ...drawn: Element[]): HTMLElement {
  const made = document.createElement('div');
  const heading = Object.assign(document.createElement('h3'), { textContent: title });
  const text = Object.assign(document.createElement('p'), {
    className: 'axis',
    textContent: below,
  });
  made.append(heading, text, ...drawn);
  return made;
}
