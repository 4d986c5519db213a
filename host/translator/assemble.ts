// Puts an image together: the sections in their order, with the guest's items under their new indices.

import { Body } from './body.ts';
import type { Code } from './code.ts';
import { declareDropGlobals, dropGlobals } from './drops.ts';
import { entriesInTable, exportSection } from './exports.ts';
import { exposeArguments, invokes, gluedEntry, gluedExport } from './glue.ts';
import { bodiesOf, CATCH_ALL_REF, Decoder } from './decoder.ts';
import { type Image, LEGACY } from './image.ts';
import { ATTACH, BOOT, LOAD, SAVE, typesOf } from './indices.ts';
import {
  KIND_FUNCTION,
  KIND_GLOBAL,
  KIND_MEMORY,
  MAGIC,
  skipConstant,
  type CustomSection,
} from './module.ts';
import { nameSection } from './names.ts';
import { EXNREF, FUNCREF, I32, OP, V128 } from './opcode.ts';
import { relocationSection } from './relocation.ts';
import { boot, dataSection, dropSegments, type Run, runsOf } from './segments.ts';
import { elementType, writeType, writeTypes } from './types.ts';
import type { VmImage } from './vm-image.ts';
import { Writer } from './writer.ts';

const DROPPED =
  /^(name$|metadata\.code\.|reloc\.|linking$|\.debug_|sourceMappingURL$|external_debug_info$)/;

/** Flags of element segments: one for any table, and one that only declares. */
const ACTIVE_IN_TABLE = 2;
const DECLARATIVE = 3;

/** Dynamic linking's section must be the first one (WebAssembly's conventions for tools). */
const isFirst = ({ name }: CustomSection): boolean => name === 'dylink.0' || name === 'dylink';

/** Translates every body and returns the finished image, its epoch table still at address 0. */
export function assemble(image: VmImage): Uint8Array {
  const runs = runsOf(image);
  translateBodies(image);
  addThunks(image, runs);
  image.addRoutines();
  const { map } = image;
  const out = new Writer(image.bodies.pos + map.bytes.length / 2 + 4096);
  out.append(MAGIC);
  const section = (id: number, contents: Uint8Array): void => {
    out.byte(id);
    out.nameBytes(contents);
  };
  const copyCustoms = (customs: readonly CustomSection[]): void => {
    for (const { start, end } of customs) section(0, map.bytes.subarray(start, end));
  };
  const imports = importSection(image); // these two may add types
  const functions = functionSection(image);
  copyCustoms(map.customs.filter(isFirst));
  section(1, typeSection(image));
  section(2, imports);
  const sizes = [out.pos - 10, out.pos - 5]; // of memory: what the imports end with
  section(3, functions);
  const entries = entriesInTable(image);
  if (map.tableSection || entries.length > 0) section(4, tableSection(image, entries.length));
  if (map.tagSection) section(13, map.bytes.subarray(map.tagSection.start, map.tagSection.end));
  section(6, globalSection(image));
  section(7, exportSection(image));
  if (image.hasElements || entries.length > 0) section(9, elementSection(image, entries));
  if (map.data.length > 0 || map.dataCount >= 0) {
    const count = new Writer(8);
    count.u32(map.data.length);
    section(12, count.view());
  }
  if (image.hints.length > 0) section(0, hintSection(image));
  const bodies = new Writer(8);
  bodies.u32(image.firstRoutine + image.routines.length - importedFunctions(image));
  out.byte(10);
  out.u32(bodies.pos + image.bodies.pos);
  out.append(bodies.view());
  const codeStart = out.pos;
  out.append(image.bodies.view());
  if (map.data.length > 0) section(11, dataSection(image, runs));
  copyCustoms(map.customs.filter((custom) => !DROPPED.test(custom.name) && !isFirst(custom)));
  section(0, nameSectionContents(image));
  section(0, relocationSection(image, codeStart, sizes));
  return out.finish();
}

const importedFunctions = (image: VmImage): number =>
  image.map.importedFunctions + image.kernelCalls.length;

export function translateBodies(image: Image): void {
  const bodies = bodiesOf(image.map);
  const emitter = new Body(image, bodies);
  bodies.forEach((body, i) => {
    const index = image.map.importedFunctions + i;
    if (image.has(index)) emitter.translate(index, body);
    else image.addOwnBody(image.functionIndex(index), (code) => absent(image, code));
  });
}

/** Replaces a body that the image lacks: a trap that the stack trace names. */
function absent(image: Image, code: Code): number[] {
  const trap = image.routine('ringzero.absent', [], [], (routine) => {
    routine.op(OP.unreachable);
    return [];
  });
  code.call(trap).op(OP.unreachable);
  return [];
}

function addThunks(image: VmImage, runs: readonly Run[]): void {
  const { map } = image;
  const glue = image.choices.glue === true;
  const imports = map.imports.filter(({ kind }) => kind === KIND_FUNCTION);
  imports.forEach((entry, i) => {
    image.addOwnBody(image.importThunks + i, (code) => importThunk(image, code, i, invokes(entry)));
  });
  image.exported.forEach((old, i) => {
    image.addOwnBody(image.exportThunks + i, (code) => {
      if (glue) return gluedEntry(image, code, old);
      code.call(image.kernel('enter'));
      image.refresh(code);
      image.arguments(code, map.typeOf(old));
      code.call(image.functionIndex(old)).call(image.kernel('leave'));
      return [];
    });
  });
  if (glue)
    image.exported.forEach((old, i) => {
      image.addOwnBody(image.gluedExports + i, (code) => gluedExport(image, code, old, i));
    });
  image.addOwnBody(image.special(BOOT), (code) => boot(image, code, runs));
  image.addOwnBody(image.special(ATTACH), (code) => {
    image.attach(code);
    return dropSegments(code, runs);
  });
  image.addOwnBody(image.special(SAVE), (code) => registers(image, code, 'save'));
  image.addOwnBody(image.special(LOAD), (code) => registers(image, code, 'load'));
}

function importThunk(image: VmImage, code: Code, index: number, invokes: boolean): number[] {
  const type = image.map.typeOf(index);
  const glue = image.choices.glue === true;
  const before = type.params.length; // a local
  if (glue) {
    code.globalGet(image.insideGlobal).set(before);
    if (!invokes) code.i32(0).globalSet(image.insideGlobal);
    exposeArguments(image, code, index);
  }
  const restore = (): void => {
    image.refresh(code);
    if (glue) code.get(before).globalSet(image.insideGlobal);
  };
  if (image.handlers !== 0) guarded(image, code, index, restore);
  else {
    image.arguments(code, type);
    code.call(index);
    restore();
  }
  return glue ? [I32] : [];
}

/** The call of an import where the module may catch what JavaScript throws: CATCH-1. */
function guarded(image: VmImage, code: Code, index: number, restore: () => void): void {
  const type = image.map.typeOf(index);
  const results = image.type([], [...type.results]);
  const isLegacy = image.handlers === LEGACY;
  if (isLegacy) code.op(OP.try).s32(results);
  else {
    code.block(EXNREF).op(OP.tryTable).s32(results);
    code.ops(1, CATCH_ALL_REF, 0);
  }
  image.arguments(code, type);
  code.call(index);
  if (isLegacy) code.op(OP.catchAll);
  else {
    code.end();
    restore();
    code.op(OP.return).end();
  }
  restore();
  if (isLegacy) code.op(OP.rethrow).u32(0);
  else code.op(OP.throwRef);
  if (!isLegacy) return;
  code.end();
  restore();
}

/**
 * save(address), load(address): the guest's mutable globals of number and vector types, and which
 * segments are dropped.
 */
function registers(image: VmImage, code: Code, which: 'save' | 'load'): number[] {
  let offset = 0;
  image.map.globals.forEach((global, old) => {
    if (!global.mutable || global.type < V128) return;
    const index = image.globalIndex(old);
    code.get(0);
    if (which === 'save') code.globalGet(index).storeValue(global.type, offset);
    else code.loadValue(global.type, offset).globalSet(index);
    offset += global.type === V128 ? 16 : 8;
  });
  for (let i = 0; i < dropGlobals(image.map); i++, offset += 8) {
    const index = image.firstDropGlobal + i;
    code.get(0);
    if (which === 'save') code.globalGet(index).storeValue(I32, offset);
    else code.loadValue(I32, offset).globalSet(index);
  }
  if (which === 'load') image.loaded(code);
  return [];
}

export function typeSection(image: Image): Uint8Array {
  const { map } = image;
  const all = [...map.types, ...image.extraTypes];
  const out = new Writer(1024);
  out.u32(all.length);
  for (const type of all) {
    out.byte(0x60);
    writeTypes(out, type.params);
    writeTypes(out, type.results);
  }
  return out.finish();
}

function importSection(image: VmImage): Uint8Array {
  const { map } = image;
  const kept = map.imports.filter((entry) => entry.kind !== KIND_MEMORY);
  const out = new Writer(1024);
  out.u32(kept.length + image.kernelCalls.length + 2);
  for (const entry of kept) out.copy(map.bytes, entry.start, entry.end);
  for (const [name, params, results] of image.kernelCalls) {
    out.name('ringzero');
    out.name(name);
    out.byte(KIND_FUNCTION);
    out.u32(image.type(typesOf(params), typesOf(results)));
  }
  out.name('ringzero');
  out.name('vcpu');
  out.ops(KIND_GLOBAL, I32, 0);
  out.name('ringzero');
  out.name('memory');
  out.ops(KIND_MEMORY, 3);
  out.padded(0);
  out.padded(0);
  return out.finish();
}

function functionSection(image: VmImage): Uint8Array {
  const { map } = image;
  const out = new Writer(4096);
  const none = image.type([], []);
  const address = image.type([I32], []);
  const types = map.functions.slice(map.importedFunctions);
  types.push(...map.functions.slice(0, map.importedFunctions));
  for (const old of image.exported) types.push(map.functions[old]!);
  if (image.choices.glue === true)
    for (const old of image.exported) types.push(map.functions[old]!);
  types.push(none, none, address, address);
  for (const routine of image.routines) types.push(routine.type);
  out.u32(types.length);
  for (const type of types) out.u32(type);
  return out.finish();
}

function globalSection(image: VmImage): Uint8Array {
  const { map } = image;
  const out = new Writer(1024);
  const added = image.choices.glue === true ? 2 : 1;
  out.u32(map.globals.length - map.importedGlobals + added + dropGlobals(map));
  ownGlobals(image, out);
  for (let i = 0; i < added; i++) out.ops(I32, 1, 0x41, 0, OP.end);
  declareDropGlobals(map, out);
  return out.finish();
}

/** The globals that the module itself defines. */
export function ownGlobals(image: Image, out: Writer): void {
  for (const { type, mutable, start, end } of image.map.globals.slice(image.map.importedGlobals)) {
    writeType(out, type);
    out.byte(mutable ? 1 : 0);
    image.constant(out, start, end);
    out.byte(OP.end);
  }
}

/**
 * The segments under new indices, and one that declares the functions of `ref.func`: in the module an
 * export may have done so.
 */
export function elementSection(image: Image, entries: readonly number[] = []): Uint8Array {
  const { map, referenced } = image;
  const { start, end } = map.elementSection ?? { start: 0, end: 0 };
  const reader = new Decoder(map, start, end);
  const out = new Writer(end - start + 5 * referenced.size + 1024);
  const expression = (): void => {
    const from = reader.pos;
    skipConstant(map, reader);
    image.constant(out, from, reader.pos - 1);
    out.byte(OP.end);
  };
  let left = start === end ? 0 : reader.count();
  out.u32(left + (referenced.size > 0 ? 1 : 0) + (entries.length > 0 ? 1 : 0));
  for (; left > 0; left--) {
    const flags = reader.u32();
    out.u32(flags);
    if ((flags & 1) === 0) {
      if (flags & 2) out.u32(reader.index(map.tables.length, 'table'));
      expression();
    }
    if (flags & 3 && flags & 4) writeType(out, elementType(reader, map.types.length));
    else if (flags & 3) out.byte(reader.byte());
    let items = reader.count();
    out.u32(items);
    for (; items > 0; items--) {
      if (flags & 4) expression();
      else out.u32(image.referenceIndex(reader.u32()));
    }
  }
  if (entries.length > 0) {
    out.byte(ACTIVE_IN_TABLE);
    out.u32(map.tables.length);
    out.ops(OP.i32Const, 0, OP.end, 0);
    out.u32(entries.length);
    for (const index of entries) out.u32(index);
  }
  if (referenced.size > 0) {
    out.ops(DECLARATIVE, 0);
    out.u32(referenced.size);
    for (const index of referenced) out.u32(index);
  }
  return out.finish();
}

/** The module's tables, and one for `entries` entries if there are any. */
function tableSection(image: VmImage, entries: number): Uint8Array {
  const { map } = image;
  const { start, end } = map.tableSection ?? { start: 0, end: 0 };
  const reader = new Decoder(map, start, end);
  const valued = map.tables.filter((table) => table.start > 0);
  if (entries === 0 && valued.length === 0) return map.bytes.subarray(start, end);
  const out = new Writer(end - start + 16);
  out.u32((start === end ? 0 : reader.u32()) + (entries > 0 ? 1 : 0));
  let from = reader.pos;
  for (const table of valued) {
    out.copy(map.bytes, from, table.start);
    image.constant(out, table.start, table.end);
    from = table.end;
  }
  out.copy(map.bytes, from, end);
  if (entries === 0) return out.finish();
  out.ops(FUNCREF, 1);
  out.u32(entries);
  out.u32(entries);
  return out.finish();
}

export function hintSection(image: Image): Uint8Array {
  const out = new Writer(1024);
  out.name('metadata.code.branch_hint');
  out.u32(image.hints.length);
  for (const hint of image.hints) {
    out.u32(hint.function);
    out.u32(hint.offsets.length);
    for (const offset of hint.offsets) {
      out.u32(offset);
      out.byte(1); // bytes of the hint
      out.byte(0); // unlikely
    }
  }
  return out.finish();
}

function nameSectionContents(image: VmImage): Uint8Array {
  const out = new Writer(4096);
  out.name('name');
  out.append(nameSection(image));
  return out.finish();
}
