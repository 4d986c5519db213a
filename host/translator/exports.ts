// What an image exports: the guest's items, and what the host needs of it.
//
//   ringzero.boot, attach, save, load, ringzero.view or table     vm-image.ts
//   ringzero.tables.N, references.N, changesTables, function.N     for host/vm/tables.ts
//   ringzero.inside, entry.N                                       glue.ts
//
// Invariants  EXPORTS-1  A module whose exports engines take has an image whose exports they take: where
//                        those of the entries are too many, they are in the table `ringzero.entries`.

import { SPECIALS } from './indices.ts';
import { KIND_FUNCTION, KIND_GLOBAL, KIND_TABLE } from './kinds.ts';
import { FUNCREF, V128 } from './opcode.ts';
import type { VmImage } from './vm-image.ts';
import { Writer } from './writer.ts';

/** The most that every engine takes. */
const EXPORTS_MAX = 100_000;

/** What of an image is exported besides the guest's own exports and the entries. */
interface Added {
  readonly functions: readonly number[]; // tables
  readonly objects: readonly number[]; // tables
  readonly references: readonly number[]; // globals
  readonly isChanging: boolean;
  /** Functions that may be values, by their old indices. */
  readonly values: readonly number[];
  readonly count: number;
}

function addedOf(image: VmImage): Added {
  const { tables, globals } = image.map;
  const places = [...tables.keys()];
  const functions = places.filter((table) => tables[table]!.type === FUNCREF);
  const objects = places.filter((table) => tables[table]!.type !== FUNCREF);
  const references = [...globals.keys()].filter(
    (old) => globals[old]!.mutable && globals[old]!.type < V128,
  );
  const isChanging = references.length > 0 || (places.length > 0 && image.changesTables);
  const values = isChanging ? [...image.valueFunctions].sort((a, b) => a - b) : [];
  const own = places.length + references.length + (isChanging ? 1 : 0) + values.length;
  const count = SPECIALS.length + 1 + own;
  return { functions, objects, references, isChanging, values, count };
}

const isGlued = (image: VmImage): boolean =>
  image.choices.glue === true && image.exported.length > 0;

/** Whether the image would have too many exports with one for each entry. */
const isTabled = (image: VmImage, { count }: Added): boolean =>
  isGlued(image) && image.exports.length + count + image.exported.length + 1 > EXPORTS_MAX;

/** New indices of the entries, if they are in a table; after all bodies are translated. */
export function entriesInTable(image: VmImage): readonly number[] {
  if (!isTabled(image, addedOf(image))) return [];
  return image.exported.map((old) => image.exportThunk(old));
}

export function exportSection(image: VmImage): Uint8Array {
  const out = new Writer(1024);
  const { exports, exported } = image;
  const added = addedOf(image);
  const glued = isGlued(image);
  const tabled = isTabled(image, added);
  const entries = !glued ? 0 : tabled ? 2 : 1 + exported.length;
  out.u32(exports.length + added.count + entries);
  for (const { name, kind, index } of exports) {
    if (kind === KIND_FUNCTION) {
      const own = glued ? image.referenceIndex(index) : image.exportThunk(index);
      out.exported(name, kind, own);
    } else out.exported(name, kind, kind === KIND_GLOBAL ? image.globalIndex(index) : index);
  }
  SPECIALS.forEach((name, i) => out.exported(`ringzero.${name}`, KIND_FUNCTION, image.special(i)));
  out.exported(image.registerName, KIND_GLOBAL, image.registerGlobal);
  exportAdded(image, added, out);
  if (!glued) return out.finish();
  out.exported('ringzero.inside', KIND_GLOBAL, image.insideGlobal);
  if (tabled) out.exported('ringzero.entries', KIND_TABLE, image.map.tables.length);
  else
    exported.forEach((old, i) =>
      out.exported(`ringzero.entry.${i}`, KIND_FUNCTION, image.exportThunk(old)),
    );
  return out.finish();
}

/** For host/vm/tables.ts: a fork gets what its parent has in them. */
function exportAdded(image: VmImage, added: Added, out: Writer): void {
  const { functions, objects, references, isChanging, values } = added;
  functions.forEach((table, i) => out.exported(`ringzero.tables.${i}`, KIND_TABLE, table));
  objects.forEach((table, i) => out.exported(`ringzero.references.${i}`, KIND_TABLE, table));
  references.forEach((old, i) =>
    out.exported(`ringzero.references.${objects.length + i}`, KIND_GLOBAL, image.globalIndex(old)),
  );
  if (isChanging) out.exported('ringzero.changesTables', KIND_GLOBAL, image.registerGlobal);
  for (const old of values)
    out.exported(`ringzero.function.${old}`, KIND_FUNCTION, image.referenceIndex(old));
}
