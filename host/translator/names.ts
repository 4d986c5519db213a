// The "name" section of an image: the guest's names under their new indices, the old index where a
// function has none, and names for what translation added, so that stack traces are readable.

import { SPECIALS } from './indices.ts';
import type { VmImage } from './vm-image.ts';
import { malformed, Reader } from './reader.ts';
import { Writer } from './writer.ts';

const SUB_FUNCTIONS = 1;
const SUB_LOCALS = 2;
const SUB_LABELS = 3;
const SUB_GLOBALS = 7;

/** Contents of the rewritten name section. A malformed one of the guest is dropped, as engines do. */
export function nameSection(image: VmImage): Uint8Array {
  const section = image.map.customs.find((custom) => custom.name === 'name');
  const guest = section && readNames(image, section.contents, section.end);
  const functions = guest?.functions ?? new Map<number, Uint8Array>();
  const out = new Writer(4096);
  const sub = (id: number, contents: Uint8Array): void => {
    out.byte(id);
    out.nameBytes(contents);
  };
  if (guest?.module) sub(0, guest.module);
  sub(SUB_FUNCTIONS, functionNames(image, functions));
  for (const [id, contents] of guest?.others ?? []) sub(id, contents);
  const globals = new Writer(256);
  const known = guest?.globals ?? new Map<number, Uint8Array>();
  const text = new TextEncoder();
  known.set(image.vcpuGlobal, text.encode('ringzero.vcpu'));
  known.set(image.registerGlobal, text.encode(image.registerName));
  writeNameMap(globals, known);
  sub(SUB_GLOBALS, globals.view());
  return out.finish();
}

/** New index of the function itself; Image.functionIndex() returns an import's thunk instead. */
function namedIndex(image: VmImage, old: number): number {
  return old < image.map.importedFunctions ? old : old + image.kernelCalls.length;
}

function functionNames(image: VmImage, functions: Map<number, Uint8Array>): Uint8Array {
  const { map } = image;
  const text = new TextEncoder();
  const plain = new TextDecoder();
  const name = (index: number, what: string): void => void functions.set(index, text.encode(what));
  const indexOf = (old: number): number => namedIndex(image, old);
  for (let old = 0; old < map.functions.length; old++) {
    if (!image.has(old)) functions.delete(indexOf(old));
    else if (!functions.has(indexOf(old))) functions.set(indexOf(old), numbered(old));
  }
  const nameOf = (old: number): string => plain.decode(functions.get(indexOf(old)));
  for (const [call] of image.kernelCalls) name(image.kernel(call), `ringzero.${call}`);
  for (let i = 0; i < map.importedFunctions; i++)
    name(image.importThunks + i, `${nameOf(i)} (import)`);
  image.exported.forEach((old, i) => name(image.exportThunks + i, `${nameOf(old)} (export)`));
  if (image.choices.glue === true)
    image.exported.forEach((old, i) => name(image.gluedExports + i, `${nameOf(old)} (glue)`));
  SPECIALS.forEach((special, i) => name(image.special(i), `ringzero.${special}`));
  image.routines.forEach((routine, i) => name(image.firstRoutine + i, routine.name));
  const out = new Writer(4096);
  writeNameMap(out, functions);
  return out.finish();
}

/** The name of a function without one. */
function numbered(old: number): Uint8Array {
  const out = new Writer(16);
  out.ascii('function ');
  out.ascii(String(old));
  return out.view();
}

function writeNameMap(out: Writer, names: Map<number, Uint8Array>): void {
  const indices = [...names.keys()].sort((a, b) => a - b);
  out.u32(indices.length);
  for (const index of indices) {
    out.u32(index);
    out.nameBytes(names.get(index)!);
  }
}

interface GuestNames {
  module?: Uint8Array;
  functions: Map<number, Uint8Array>;
  globals: Map<number, Uint8Array>;
  others: [id: number, contents: Uint8Array][];
}

function readNames(image: VmImage, start: number, end: number): GuestNames | undefined {
  const names: GuestNames = { functions: new Map(), globals: new Map(), others: [] };
  const reader = new Reader(image.map.bytes, start, end);
  try {
    while (reader.pos < end) {
      const id = reader.byte();
      const contents = reader.nameBytes();
      const inner = new Reader(contents);
      if (id === 0) names.module = contents;
      else if (id === SUB_FUNCTIONS)
        readNameMap(inner, names.functions, (i) => namedIndex(image, i));
      else if (id === SUB_GLOBALS) readNameMap(inner, names.globals, (i) => image.globalIndex(i));
      else if (id === SUB_LOCALS || id === SUB_LABELS) {
        names.others.push([id, renumber(inner, image)]);
      } else if (id < SUB_GLOBALS) names.others.push([id, contents]);
    }
    return names;
  } catch {
    return undefined;
  }
}

function readNameMap(
  reader: Reader,
  names: Map<number, Uint8Array>,
  renumbered: (old: number) => number,
): void {
  for (let left = reader.count(); left > 0; left--) {
    const index = renumbered(reader.u32());
    names.set(index, reader.nameBytes());
  }
}

/** An indirect name map under new function indices, without the functions that the image lacks. */
function renumber(reader: Reader, image: VmImage): Uint8Array {
  const out = new Writer(reader.end);
  let count = 0;
  for (let left = reader.count(); left > 0; left--) {
    const old = reader.u32();
    const start = reader.pos;
    for (let names = reader.count(); names > 0; names--) {
      reader.u32();
      reader.nameBytes();
    }
    if (!image.has(old)) continue;
    count++;
    out.u32(namedIndex(image, old));
    out.copy(reader.bytes, start, reader.pos);
  }
  if (reader.pos !== reader.end) throw malformed('name section', reader.pos);
  const all = new Writer(out.pos + 5);
  all.u32(count);
  all.append(out.view());
  return all.finish();
}
