// The tables of an instance and its mutable globals of reference types, as data: a fork has its own instance,
// and its parent's tables and globals. A global is treated as a table of one entry.
//
// An entry is described by where its function was when the instance was created ([table, index]), by the name
// under which it is exported, or as a plain JavaScript value. JavaScript objects and functions, and functions
// of other modules, cannot go to another thread: the fork's entry is empty, and a call of it traps.
//
// Interface   capture() in the parent when a snapshot is taken, and in a fork after a call; apply() in a fork
//             before a call.
// Concurrency Belongs to the thread of its instance.
// Cost        nothing until a table changes. Then a look at each entry, about 50 ns, for each snapshot after
//             a change; for every snapshot of programs whose code changes tables, because such changes cannot
//             be observed.

import { RingzeroError } from '../errors.ts';
import type * as Wasm from '../webassembly.ts';

export type TableEntry =
  readonly [table: number, index: number] | string | { value: Primitive } | null;
type Primitive = string | number | bigint | boolean | undefined;
/** Entries by table. */
export type TableState = readonly (readonly TableEntry[])[];

type Ref = unknown;
/** The image's code has instructions that change this table. */
const CHANGING = 'ringzero.changesTables';
const NAME = /^ringzero\.(?:tables|references)\.\d+$/;
const FUNCTION = 'ringzero.function.';

/** A table, or a global. */
type Place = Pick<WebAssembly.Table, 'length' | 'get' | 'set' | 'grow'>;

export class Tables {
  readonly #exports: WebAssembly.Exports;
  readonly #tables: readonly Place[];
  readonly #isChangedByCode: boolean;
  /** The initial entries; undefined = unchanged so far. */
  #initial: Ref[][] | undefined;
  #homes = new Map<Ref, TableEntry>();
  /** Functions of side modules, by what they are called in a state. */
  readonly #named = new Map<string, Ref>();
  #captured: TableState | undefined;
  #followed: TableState | undefined;
  /** By table: entries that follow() has set, which glue does not know. */
  readonly #given: (Map<number, Ref> | undefined)[] = [];
  #isDirty = false;

  /** Before any code of the instance has run. `changes`: its code changes tables. */
  constructor(exports: Wasm.Exports, changes = CHANGING in exports) {
    this.#exports = exports;
    this.#tables = Object.entries(exports).flatMap(([name, value]): Place[] => {
      if (!NAME.test(name)) return [];
      return [value instanceof WebAssembly.Global ? placeOf(value) : (value as WebAssembly.Table)];
    });
    this.#isChangedByCode = changes && this.#tables.length > 0;
    if (this.#isChangedByCode) this.#remember();
    for (const table of this.#tables) if (table instanceof WebAssembly.Table) this.#watch(table);
  }

  /** The current entries; undefined = the initial ones. */
  capture(): TableState | undefined {
    if (!this.#isDirty && !this.#isChangedByCode) return this.#captured;
    this.#isDirty = false;
    if (this.#initial === undefined) return undefined;
    const isSame = this.#tables.every((table, t) => isEqual(table, this.#initial![t]!));
    const before = this.#captured;
    this.#captured = isSame
      ? undefined
      : this.#tables.map((table, t) => {
          const homes = entriesOf(table).map((fn) => this.#homeOf(fn));
          return isSameTable(homes, before?.[t]) ? before![t]! : homes;
        });
    if (this.#captured?.every((homes, t) => homes === before?.[t]) === true)
      this.#captured = before;
    return this.#captured;
  }

  /** Sets the entries to those of `state`, or to the initial ones. */
  apply(state: TableState | undefined): void {
    if (state === undefined && this.#initial === undefined) return;
    this.#remember();
    this.#put(
      this.#tables.map(
        (_, t) => state?.[t]?.map((home) => this.#functionOf(home)) ?? this.#initial![t]!,
      ),
    );
  }

  /**
   * As apply(), for entries that may not fit the tables: throws the engine's error, and then the entries are
   * as before. Returns what undoes it.
   */
  replace(state: TableState | undefined): () => void {
    const isFitting = state === undefined || state.length === this.#tables.length;
    if (!isFitting)
      throw new RangeError(`${state.length} tables, and the module has ${this.#tables.length}`);
    const before = this.#tables.map(entriesOf);
    const undo = (): void => this.#put(before);
    try {
      this.apply(state);
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  /** A table that is longer keeps its length; what is behind is empty. */
  #put(entries: readonly (readonly Ref[])[]): void {
    this.#tables.forEach((table, t) => {
      const wanted = entries[t]!;
      if (wanted.length > table.length) table.grow(wanted.length - table.length);
      wanted.forEach((fn, i) => {
        if (table.get(i) !== fn) table.set(i, fn);
      });
      for (let i = wanted.length; i < table.length; i++) if (table.get(i) !== null) clear(table, i);
    });
    this.#isDirty = true;
  }

  /**
   * Names the functions of a side module, the `index`-th, which was linked at `start` of the first table with
   * `count` entries.
   */
  nameSide(index: number, exports: object, start: number, count: number): void {
    this.#remember();
    const table = this.#tables.find((place) => place instanceof WebAssembly.Table);
    const name = (key: string | number, fn: Ref): void => {
      const home = `side.${index}.${key}`;
      if (typeof fn !== 'function') return;
      this.#named.set(home, fn);
      if (!this.#homes.has(fn)) this.#homes.set(fn, home);
    };
    for (const [key, fn] of Object.entries(exports))
      if (!key.startsWith('ringzero.')) name(`export.${key}`, fn);
    const known = Math.min(count, (table?.length ?? 0) - start); // the module may claim any number
    for (let i = 0; i < known; i++) name(i, table!.get(start + i));
    this.#isDirty = true;
  }

  /** Makes the first table of functions at least this long. */
  growTo(length: number): void {
    const table = this.#tables.find((place) => place instanceof WebAssembly.Table);
    if (table !== undefined && table.length < length) table.grow(length - table.length);
  }

  /**
   * Sets the entries to those of `state`, in a copy of the program whose glue has entries of its own: where
   * the state has a JavaScript function, the copy keeps what it has. Refuses entries that glue may have
   * remembered and that must change.
   */
  follow(state: TableState | undefined): void {
    if (!this.#isDirty && !this.#isChangedByCode && state === this.#followed) return;
    this.#isDirty = false;
    this.#followed = state;
    if (state === undefined) return;
    this.#remember();
    this.#tables.forEach((table, t) => {
      const homes = state[t]!;
      const before = table.length;
      if (homes.length > before) table.grow(homes.length - before);
      homes.forEach((home, i) => {
        const fn = this.#functionOf(home);
        const own = table.get(i) as Ref;
        if (fn === own) return;
        const isGlues = own !== null && this.#given[t]?.get(i) !== own;
        if (fn === null || fn === undefined) {
          if (!isGlues) table.set(i, null);
          return;
        }
        if (i < before && isGlues && this.#isAdded(t, i))
          throw new RingzeroError(
            'RZ_MODULE_UNSUPPORTED',
            `entry ${i} of the program’s table is another function in its branch: the branch’s glue has filled the table in another order`,
          );
        table.set(i, fn);
        (this.#given[t] ??= new Map()).set(i, fn);
      });
    });
    this.#isDirty = false;
  }

  /** Whether glue has changed a table since follow(). */
  get hasChanged(): boolean {
    return this.#isDirty;
  }

  /** Whether JavaScript has added the entry: it was not there when the instance was created. */
  #isAdded(table: number, index: number): boolean {
    return index >= this.#initial![table]!.length;
  }

  /** Lengths of the tables, where one has grown: a table cannot shrink. Undefined = none has. */
  get lengths(): readonly number[] | undefined {
    const isLonger = this.#initial?.some((entries, t) => this.#tables[t]!.length > entries.length);
    return isLonger === true ? this.#tables.map(({ length }) => length) : undefined;
  }

  #remember(): void {
    if (this.#initial !== undefined) return;
    this.#initial = this.#tables.map(entriesOf);
    for (const [name, value] of Object.entries(this.#exports))
      if (isNameOfFunction(name, value)) this.#homes.set(value, name);
    this.#initial.forEach((entries, t) =>
      entries.forEach((fn, i) => {
        if (typeof fn === 'function') this.#homes.set(fn, [t, i]);
      }),
    );
  }

  /** JavaScript can change a table only through these two methods. */
  #watch(table: WebAssembly.Table): void {
    for (const name of ['set', 'grow'] as const) {
      const change = table[name].bind(table) as (...args: unknown[]) => unknown;
      const watched = (...args: unknown[]): unknown => {
        this.#remember();
        this.#isDirty = true;
        return change(...args);
      };
      Object.defineProperty(table, name, { value: watched, configurable: true, writable: true });
    }
  }

  #homeOf(fn: Ref): TableEntry {
    return isPrimitive(fn) ? { value: fn } : (this.#homes.get(fn) ?? null);
  }

  #functionOf(home: TableEntry): Ref {
    if (home === null) return null;
    if (typeof home === 'object' && 'value' in home) return home.value;
    if (typeof home !== 'string') return this.#initial![home[0]]?.[home[1]] ?? null;
    const own = Object.hasOwn(this.#exports, home) ? this.#exports[home] : undefined;
    const fn = own ?? this.#named.get(home);
    return isNameOfFunction(home, fn) ? fn : null;
  }
}

/** Whether it is a program's function. The image's own, such as `ringzero.save`, never get into a table. */
function isNameOfFunction(name: string, value: unknown): boolean {
  const isTheirs = name.startsWith(FUNCTION) || !name.startsWith('ringzero.');
  return isTheirs && typeof value === 'function';
}

function placeOf(global: WebAssembly.Global): Place {
  return {
    length: 1,
    get: () => global.value as Ref,
    set: (_index, value) => (global.value = value),
    grow: () => {
      throw new RangeError('a global has one value');
    },
  };
}

function clear(table: Place, i: number): void {
  try {
    table.set(i, null);
  } catch {
    // Its entries are never null: it keeps this one.
  }
}

function isPrimitive(value: unknown): value is Primitive {
  return typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
}

function entriesOf(table: Place): Ref[] {
  return Array.from({ length: table.length }, (_, i) => table.get(i) as Ref);
}

function isSameTable(a: readonly TableEntry[], b: readonly TableEntry[] | undefined): boolean {
  return a.length === b?.length && a.every((home, i) => isSameHome(home, b[i]));
}

function isSameHome(a: TableEntry, b: TableEntry | undefined): boolean {
  if (a === b) return true;
  const hasValues = isValue(a) && isValue(b);
  return hasValues && Object.is(a.value, b.value);
}

function isValue(home: TableEntry | undefined): home is { value: Primitive } {
  return typeof home === 'object' && home !== null && 'value' in home;
}

function isEqual(table: Place, entries: readonly Ref[]): boolean {
  return table.length === entries.length && entries.every((fn, i) => table.get(i) === fn);
}
