// The translator: makes of a WebAssembly module the main image (every store checked), the snapshot
// image (every access through the snapshot's page table) and the metered image (every loop and call
// pays for its time). docs/translator.md explains it.
//
// Interface   translate() and its halves, meter(), relocate(). They need nothing from the host.
// Invariants  VALID-1  The image of an invalid module is invalid, so the engine refuses it.
// Cost        Time linear in the size of the module, 45 to 70 ns for each byte.

import { FRAMES_MIN } from '../../assembly/abi/limits.ts';
import type { Bytes } from '../bytes.ts';
import { checkObject, RingzeroError } from '../errors.ts';
import { assemble } from './assemble.ts';
import { excessive, excessiveTypes, METERED, TRANSLATED } from './compile-cost.ts';
import { dropGlobals } from './drops.ts';
import { lackingFeature } from './engine.ts';
import { identityOf, type ModuleIdentity } from './identity.ts';
import type { Choices } from './indices.ts';
import type { VmImage } from './vm-image.ts';
import { checkMachineImports } from './machine-imports.ts';
import { MainImage } from './main-image.ts';
import { MeteredImage, TABLES_MAX, TABLE_ENTRIES_MAX, type MeterOptions } from './metered-image.ts';
import {
  KIND_FUNCTION,
  KIND_GLOBAL,
  KIND_MEMORY,
  KIND_TABLE,
  KIND_TAG,
  mapModule,
  type FunctionType,
  type ModuleMap,
} from './module.ts';
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, V128 } from './opcode.ts';
import { malformed, moduleBytes } from './reader.ts';
import type { WriteStatistics } from './plan.ts';
import { checkFrames, patch } from './relocation.ts';
import { rootsOf } from './reach.ts';
import { SnapshotImage } from './snapshot-image.ts';
import type { Types } from './types.ts';

export type { MeterOptions } from './metered-image.ts';
export type { WriteStatistics } from './plan.ts';
export { relocate, type RelocateOptions } from './relocation.ts';

/**
 * What images are made for.
 *
 * @category Translator
 */
export interface TranslateOptions {
  /** Frames of the VM, a multiple of 4096 (default 65536, 256 MiB). `relocate` changes it afterwards. */
  readonly frames?: number;
  /** The processor may reorder loads (default true: correct everywhere, slower on x64). */
  readonly weakMemory?: boolean;
  /** Poll for interrupts at loops (default true). */
  readonly safepoints?: boolean;
  /** Omit write checks that an earlier one covers (default true). */
  readonly elision?: boolean;
  /** Have the engine validate the module first, so that an ill-typed one is refused here (default true). */
  readonly validate?: boolean;
  /**
   * Guest memory is all zero when a VM boots the image (default: if the module declares its memory; an
   * imported memory may have been written to before). Data segments that are close together are then
   * applied as one.
   */
  readonly zeroFilledMemory?: boolean | undefined;
  /**
   * The main image is for a program with JavaScript glue (default false): the host sees every crossing
   * between the two (glue.ts), and exported functions are identical to those in tables.
   */
  readonly glue?: boolean;
  /**
   * Exported functions that snapshots run (default: all). If given, the snapshot image contains only
   * these, the guest's handlers and what they reach. Name everything that is called from outside: see
   * docs/guest.md. A function that is missing traps in `ringzero.absent`; `snapshot.run` of one fails
   * with RZ_EXPORT. RZ_OPTION if a name is not that of an exported function.
   */
  readonly snapshotRuns?: readonly string[] | undefined;
  /**
   * Refuse a module whose compilation would take memory or time out of proportion to its size (default
   * false): for untrusted modules. RZ_MODULE_UNSUPPORTED says which function and why; docs/programs.md
   * has the bounds.
   */
  readonly boundCompilation?: boolean | undefined;
}

/**
 * What an embedder needs to instantiate an image.
 *
 * @category Translator
 */
export interface ModuleInfo {
  /** Memory declared by the module, in pages of 64 KiB; maximum undefined = none declared. */
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
  readonly memoryImported: boolean;
  /**
   * Mutable globals, and the bytes that ringzero.save stores: the globals, and which segments are
   * dropped.
   */
  readonly mutableGlobals: number;
  readonly registerBytes: number;
  /** How many of them, at their end, say which segments are dropped. */
  readonly dropBytes: number;
  /** Names the module in exported states. */
  readonly source: ModuleIdentity;
  /** Functions that the module imports, in order. */
  readonly imports: readonly ImportedFunction[];
  /** Globals and tables that it imports. */
  readonly importedValues: readonly ImportedValue[];
  readonly hasStart: boolean;
  /** The module has a memory.grow. */
  readonly growsItself: boolean;
  /**
   * The import that resizes memory to a number of bytes, whatever its name: it has that type and is
   * called by the function that finds memory too small, like Emscripten's `emscripten_resize_heap`.
   */
  readonly growImport: { readonly module: string; readonly name: string } | undefined;
  /** Which exported function, by its place among them, is the program's malloc, whatever its name. */
  readonly allocator: number | undefined;
}

export type { ModuleIdentity };

/**
 * `type`: the JavaScript API's name of a global's type, or of a table's elements; of a tag, those of its
 * parameters, with commas between them.
 */
export interface ImportedValue {
  readonly module: string;
  readonly name: string;
  readonly kind: 'global' | 'table' | 'tag';
  readonly type: string;
  readonly mutable: boolean;
  /** The most entries of a table, if it has a limit. */
  readonly maximum: number | undefined;
}

/**
 * `type`: value types as letters, i = i32, I = i64, f = f32, F = f64, v = vector, r = reference;
 * parameters, a colon, results.
 */
export interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly type: string;
}

/**
 * Both images of a module, what an embedder needs, and how many checks there are.
 *
 * @category Translator
 */
export interface Translation {
  readonly main: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly info: ModuleInfo;
  readonly statistics: WriteStatistics;
}

/**
 * Both images of a module.
 *
 * @category Translator
 * @example
 * const { main, snapshot } = translate(await readFile('in.wasm'));
 * await writeFile('main.wasm', main);
 *
 * @throws {@link RingzeroError} RZ_MODULE_MALFORMED, RZ_MODULE_UNSUPPORTED
 */
export function translate(bytes: Bytes, options: TranslateOptions = {}): Translation {
  const map = openGuest(bytes, options);
  const snapshot = finish(snapshotImage(map, options), options);
  const image = new MainImage(map, choose(options));
  const main = finish(image, options);
  return { main, snapshot, info: describe(map, image), statistics: image.statistics() };
}

/**
 * The main image alone.
 *
 * @category Translator
 */
export function translateMain(
  bytes: Bytes,
  options: TranslateOptions = {},
): Omit<Translation, 'snapshot'> {
  const map = openGuest(bytes, options);
  const image = new MainImage(map, choose(options));
  const main = finish(image, options);
  return { main, info: describe(map, image), statistics: image.statistics() };
}

/**
 * The snapshot image alone.
 *
 * @category Translator
 */
export function translateSnapshot(
  bytes: Bytes,
  options: TranslateOptions = {},
): Omit<Translation, 'main' | 'statistics'> {
  const map = openGuest(bytes, options);
  const image = snapshotImage(map, options);
  const snapshot = finish(image, options);
  return { snapshot, info: describe(map, image) };
}

/** A metered module, see metered-image.ts. */
export interface Metered {
  readonly module: Uint8Array;
  /** Types of the exported functions, before the thunks. */
  readonly functions: ReadonlyMap<string, FunctionType>;
  /** Names of the exported memory. */
  readonly memories: readonly string[];
}

/**
 * The module with limits on its time and memory. Throws RZ_MODULE_MALFORMED, RZ_MODULE_UNSUPPORTED, and
 * RZ_UDF_REFUSED for one that imports anything, shares its memory or starts with more memory than its
 * limit.
 */
export function meter(bytes: Bytes, options: MeterOptions): Metered {
  const refuse = (why: string | undefined): void => {
    if (why !== undefined) throw new RingzeroError('RZ_UDF_REFUSED', `the module ${why}`);
  };
  const map = open(bytes, {}, (unchecked) => refuse(excessiveTypes(unchecked)));
  refuse(refusal(map, options));
  const functions = map.exports.filter(({ kind }) => kind === KIND_FUNCTION);
  return {
    module: new MeteredImage(map, options).assemble(),
    functions: new Map(functions.map(({ name, index }) => [name, map.typeOf(index)])),
    memories: map.exports.filter(({ kind }) => kind === KIND_MEMORY).map(({ name }) => name),
  };
}

function refusal(map: ModuleMap, { memoryPages }: MeterOptions): string | undefined {
  const [first] = map.imports;
  if (first)
    return `imports '${first.module}.${first.name}'; user-defined functions cannot import anything`;
  if (map.memoryShared) return 'has a shared memory; declare it unshared';
  if (map.memoryMinimum > memoryPages)
    return `wants ${map.memoryMinimum} pages of memory; it may have ${memoryPages}`;
  if (map.tables.length > TABLES_MAX)
    return `has ${map.tables.length} tables; ${TABLES_MAX} at most`;
  if (map.tables.some(({ minimum }) => minimum > TABLE_ENTRIES_MAX))
    return `has a table of more than ${TABLE_ENTRIES_MAX} entries`;
  return excessive(map, METERED);
}

function choose({
  safepoints = true,
  elision = true,
  zeroFilledMemory,
  glue = false,
}: TranslateOptions): Choices {
  return { safepoints, elision, zeroFilledMemory, glue };
}

function snapshotImage(map: ModuleMap, options: TranslateOptions): SnapshotImage {
  const { snapshotRuns } = options;
  const roots = snapshotRuns === undefined ? undefined : rootsOf(map, snapshotRuns);
  return new SnapshotImage(map, { ...choose(options), glue: false }, roots);
}

function refuseExcess(why: string | undefined): void {
  if (why !== undefined) throw new RingzeroError('RZ_MODULE_UNSUPPORTED', `the module ${why}`);
}

/** A module for images. A guest with the imports of images could break the rules of the machine. */
function openGuest(module: Bytes, options: TranslateOptions): ModuleMap {
  const map = open(module, options);
  checkMachineImports(map.imports, ({ type }) => lettersOf(map.types[type]!));
  return map;
}

/** `check` sees the module before the engine has validated it. */
function open(
  module: Bytes,
  options: TranslateOptions,
  check: (unchecked: ModuleMap) => void = () => {},
): ModuleMap {
  const bytes = moduleBytes(module);
  checkObject(options);
  checkFrames(options.frames ?? FRAMES_MIN * 16);
  const map = mapModule(bytes);
  check(map);
  if (options.boundCompilation === true) refuseExcess(excessiveTypes(map));
  const engine = (globalThis as { WebAssembly?: { validate(bytes: Uint8Array): boolean } })
    .WebAssembly;
  if (options.validate !== false && engine && !engine.validate(bytes)) {
    // The pass over the bodies reports a refused feature by its name.
    finish(new SnapshotImage(map, { ...choose(options), glue: false }), options);
    const lacking = lackingFeature(map, (probe) => engine.validate(probe));
    if (lacking !== undefined)
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `the module uses ${lacking}, which this JavaScript engine cannot compile; a newer one can`,
      );
    throw malformed('it does not validate, though its structure can be read,', bytes.length);
  }
  if (options.boundCompilation === true) refuseExcess(excessive(map, TRANSLATED));
  return map;
}

function finish(image: VmImage, options: TranslateOptions): Uint8Array {
  const bytes = assemble(image);
  const frames = options.frames ?? FRAMES_MIN * 16;
  patch(bytes, { frames, weakMemory: options.weakMemory ?? true });
  return bytes;
}

const LETTERS = new Map([
  [I32, 'i'],
  [I64, 'I'],
  [F32, 'f'],
  [F64, 'F'],
  [V128, 'v'],
]);

function lettersOf({ params, results }: FunctionType): string {
  const letters = (types: Types): string =>
    Array.from(types, (type) => LETTERS.get(type) ?? 'r').join('');
  return `${letters(params)}:${letters(results)}`;
}

const NAMES_OF_TYPES = new Map([
  [I32, 'i32'],
  [I64, 'i64'],
  [F32, 'f32'],
  [F64, 'f64'],
  [V128, 'v128'],
  [EXTERNREF, 'externref'],
  [FUNCREF, 'anyfunc'],
]);

function importedValues(map: ModuleMap): ImportedValue[] {
  let [globals, tables] = [0, 0];
  return map.imports.flatMap(({ module, name, kind, type: tag }): ImportedValue[] => {
    if (kind === KIND_GLOBAL) {
      const { type, mutable } = map.globals[globals++]!;
      return [
        {
          module,
          name,
          kind: 'global',
          type: NAMES_OF_TYPES.get(type)!,
          mutable,
          maximum: undefined,
        },
      ];
    }
    if (kind === KIND_TAG) {
      const { params } = map.types[tag]!;
      const type = Array.from(params, (param) => NAMES_OF_TYPES.get(param)).join();
      return [{ module, name, kind: 'tag', type, mutable: false, maximum: undefined }];
    }
    if (kind !== KIND_TABLE) return [];
    const { type, maximum } = map.tables[tables++]!;
    return [
      { module, name, kind: 'table', type: NAMES_OF_TYPES.get(type)!, mutable: true, maximum },
    ];
  });
}

function describe(map: ModuleMap, image: VmImage): ModuleInfo {
  const mutable = map.globals.filter((global) => global.mutable);
  const { importedFunction, allocator } = image.growth;
  const functions = map.imports.filter(({ kind }) => kind === KIND_FUNCTION);
  const found = importedFunction === undefined ? undefined : functions[importedFunction];
  const numbers = mutable.filter((global) => global.type >= V128);
  return {
    initialPages: map.memoryMinimum,
    maximumPages: map.memoryMaximum,
    memoryImported: map.memoryImported,
    mutableGlobals: mutable.length,
    registerBytes: numbers.reduce(
      (sum, { type }) => sum + (type === V128 ? 16 : 8),
      8 * dropGlobals(map),
    ),
    dropBytes: 8 * dropGlobals(map),
    source: identityOf(map.bytes),
    imports: map.imports
      .filter((entry) => entry.kind === KIND_FUNCTION)
      .map(({ module, name, type }) => ({ module, name, type: lettersOf(map.types[type]!) })),
    importedValues: importedValues(map),
    hasStart: map.startFunction >= 0,
    growsItself: image.growth.growsItself,
    growImport: found && { module: found.module, name: found.name },
    allocator: allocator === undefined ? undefined : image.exported.indexOf(allocator),
  };
}
