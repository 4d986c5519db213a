// The structure of a module, read before it is rewritten: its index spaces and where its sections are.
// Bodies are not read here.
//
// Interface   mapModule() reads a module; skipConstant() steps over a constant expression.
// Invariants  DECODE-1  Indices are within their index spaces. Types are not checked: engines do that.

import { KIND_FUNCTION, KIND_GLOBAL, KIND_MEMORY, KIND_TABLE, KIND_TAG } from './kinds.ts';
import { Decoder } from './decoder.ts';
import { IS_CONSTANT, refuseCode } from './instructions.ts';
import { EXTERNREF, FUNCREF, OP, PREFIX_GC, PREFIX_SIMD, V128 } from './opcode.ts';
import { limits, type Limits } from './limits.ts';
import { malformed, Reader } from './reader.ts';
import { GC, isTyped, MEMORIES, refuseType, unsupported } from './refuse.ts';
import { elementType, type Types, valueType } from './types.ts';

export { KIND_FUNCTION, KIND_GLOBAL, KIND_MEMORY, KIND_TABLE, KIND_TAG };

export interface FunctionType {
  readonly params: Types;
  readonly results: Types;
}

/** Equal for structurally equal types. */
export const typeKey = ({ params, results }: FunctionType): string =>
  `${params.join()}:${results.join()}`;

export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  readonly type: number; // functions and tags: type index
  readonly start: number; // where the entry is in the file
  readonly end: number;
}

interface GlobalEntry {
  readonly type: number;
  readonly mutable: boolean;
  readonly start: number; // initializer, without its end; imported: start = end = 0
  readonly end: number;
}

export interface TableEntry extends Limits {
  readonly type: number;
  readonly start: number; // the first value of its entries, without the end; if it is null: start = end = 0
  readonly end: number;
}

export interface ExportEntry {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

export interface DataEntry {
  readonly active: boolean;
  readonly passive: number | undefined; // its number among passive segments
  readonly offsetStart: number; // of an active segment: its address expression, without the end
  readonly offsetEnd: number;
  readonly start: number;
  readonly end: number;
}

export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface CustomSection extends Section {
  readonly name: string;
  readonly contents: number;
}

/** The index spaces of a module and the places of its parts. */
export class ModuleMap {
  readonly bytes: Uint8Array;
  readonly types: FunctionType[] = [];
  readonly imports: ImportEntry[] = [];
  readonly functions: number[] = []; // type index of every function, imported ones first
  importedFunctions = 0;
  readonly tables: TableEntry[] = [];
  memories = 0;
  memoryImported = false;
  memoryShared = false;
  memoryMinimum = 0;
  memoryMaximum: number | undefined;
  readonly globals: GlobalEntry[] = [];
  importedGlobals = 0;
  /** Type index of every tag, imported ones first. */
  readonly tags: number[] = [];
  readonly exports: ExportEntry[] = [];
  startFunction = -1;
  dataCount = -1;
  readonly data: DataEntry[] = [];
  elements = 0;
  /** Functions of passive element segments, and those that constant expressions name. */
  readonly valueFunctions = new Set<number>();
  /** Passive segments, of elements and of data, are numbered in the order of the file. */
  passiveSegments = 0;
  /** The numbers of the element segments; undefined = it is not passive. */
  readonly passiveElements: (number | undefined)[] = [];
  /** Constant expressions calculate. */
  extendedConstants = false;
  readonly customs: CustomSection[] = [];
  tableSection: Section | undefined;
  tagSection: Section | undefined;
  elementSection: Section | undefined;
  codeSection: Section | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  typeOf(functionIndex: number): FunctionType {
    return this.types[this.functions[functionIndex]!]!;
  }
}

/** The first bytes of every module: magic number and version. */
export const MAGIC: Uint8Array = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
/** How a table begins whose entries have another first value than null. */
export const TABLE_WITH_VALUE = 0x40;
// By section id, its place in the required order; 12 is the data count, 13 the tags.
const ORDER = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6];

/** Whether the bytes begin like text: an error page of a server, or the text format. */
function isText(bytes: Uint8Array): boolean {
  return /^(\ufeff|\u00ef\u00bb\u00bf)?[\t\n\r ]*[<({;"#A-Za-z]/.test(
    String.fromCharCode(...bytes.subarray(0, 64)),
  );
}

export function mapModule(bytes: Uint8Array): ModuleMap {
  const map = new ModuleMap(bytes);
  const reader = new Reader(bytes);
  for (const byte of MAGIC) {
    if (reader.byte() === byte) continue;
    const component = bytes[4] === 0x0d && bytes[6] === 0x01;
    if (component) throw unsupported('the component model');
    if (isText(bytes)) throw malformed('it is text (such as .wat or a web page)', 0);
    throw malformed('no magic number or version of a module', reader.pos - 1);
  }
  let last = 0;
  while (reader.pos < bytes.length) {
    const id = reader.byte();
    const size = reader.count();
    const section = { id, start: reader.pos, end: reader.pos + size };
    if (id > 13) throw malformed(`unknown section ${id}`, section.start);
    if (id !== 0) {
      const order = ORDER[id]!;
      if (order <= last) throw malformed(`section ${id} out of order`, section.start);
      last = order;
    }
    const contents = new Decoder(map, section.start, section.end);
    readSection(map, section, contents);
    if (contents.pos !== section.end) throw malformed(`section ${id} size mismatch`, contents.pos);
    reader.pos = section.end;
  }
  finish(map);
  return map;
}

function readSection(map: ModuleMap, section: Section, reader: Decoder): void {
  switch (section.id) {
    case 0: {
      const name = reader.name();
      map.customs.push({ ...section, name, contents: reader.pos });
      reader.pos = section.end;
      return;
    }
    case 1:
      return each(reader, () => map.types.push(readType(map, reader)));
    case 2:
      return each(reader, () => readImport(map, reader));
    case 3:
      return each(reader, () => map.functions.push(typeIndex(map, reader)));
    case 4:
      map.tableSection = section;
      return each(reader, () => readOwnTable(map, reader));
    case 5:
      return each(reader, () => readMemory(map, reader));
    case 6:
      return each(reader, () => readGlobal(map, reader));
    case 7:
      return each(reader, () => readExport(map, reader));
    case 8:
      map.startFunction = functionIndex(map, reader);
      return;
    case 9:
      map.elementSection = section;
      return each(reader, () => readElement(map, reader));
    case 10:
      map.codeSection = section;
      reader.pos = section.end; // read body by body later
      return;
    case 11:
      return each(reader, () => readData(map, reader));
    case 12:
      map.dataCount = reader.u32();
      return;
    default:
      map.tagSection = section;
      return each(reader, () => map.tags.push(tagType(map, reader)));
  }
}

function each(reader: Reader, read: () => unknown): void {
  for (let left = reader.count(); left > 0; left--) read();
}

function finish(map: ModuleMap): void {
  const end = map.bytes.length;
  if (map.dataCount >= 0 && map.dataCount !== map.data.length) {
    throw malformed('data count and data section differ', end);
  }
  if (!map.codeSection && map.functions.length > map.importedFunctions) {
    throw malformed('functions without code', end);
  }
}

function readType(map: ModuleMap, reader: Reader): FunctionType {
  const form = reader.byte();
  if (form === 0x5f || form === 0x5e || form === 0x4e || form === 0x4f || form === 0x50) {
    throw unsupported(GC);
  }
  if (form !== 0x60) throw malformed('unknown type form', reader.pos - 1);
  const types = map.types.length + 1; // a type may mention itself
  return { params: readTypes(reader, types), results: readTypes(reader, types) };
}

function readTypes(reader: Reader, known: number): Types {
  const count = reader.count();
  const start = reader.pos;
  const types = Array.from({ length: count }, () => valueType(reader, known));
  // Where each type is one byte, they are what the file has.
  return reader.pos - start === count
    ? reader.bytes.subarray(start, reader.pos)
    : Int32Array.from(types);
}

function typeIndex(map: ModuleMap, reader: Reader): number {
  return reader.index(map.types.length, 'type');
}

function tagType(map: ModuleMap, reader: Reader): number {
  if (reader.byte() !== 0) throw malformed('malformed attribute of a tag', reader.pos - 1);
  return typeIndex(map, reader);
}

function functionIndex(map: ModuleMap, reader: Reader): number {
  return reader.index(map.functions.length, 'function');
}

function readImport(map: ModuleMap, reader: Reader): void {
  const start = reader.pos;
  const module = reader.name();
  const name = reader.name();
  const kind = reader.byte();
  let type = 0;
  if (kind === KIND_FUNCTION) {
    type = typeIndex(map, reader);
    map.functions.push(type);
    map.importedFunctions++;
  } else if (kind === KIND_TABLE) {
    readTable(map, reader);
    refuseTyped(map.tables.at(-1)!.type, 'table');
  } else if (kind === KIND_MEMORY) {
    readMemory(map, reader);
    map.memoryImported = true;
  } else if (kind === KIND_GLOBAL) {
    map.globals.push({ ...globalType(map, reader), start: 0, end: 0 });
    refuseTyped(map.globals.at(-1)!.type, 'global');
    map.importedGlobals++;
  } else if (kind === KIND_TAG) {
    type = tagType(map, reader);
    map.tags.push(type);
  } else {
    throw malformed('unknown kind of import', reader.pos - 1);
  }
  map.imports.push({ module, name, kind, type, start, end: reader.pos });
}

function readTable(map: ModuleMap, reader: Reader): void {
  const type = elementType(reader, map.types.length);
  map.tables.push({ ...limits(reader, 0xffffffff), type, start: 0, end: 0 });
}

function readOwnTable(map: ModuleMap, reader: Decoder): void {
  if (reader.bytes[reader.pos] !== TABLE_WITH_VALUE) return readTable(map, reader);
  reader.skip(1);
  if (reader.byte() !== 0) throw malformed('malformed table', reader.pos - 1);
  const type = elementType(reader, map.types.length);
  const entry = { ...limits(reader, 0xffffffff), type };
  const start = reader.pos;
  skipConstant(map, reader);
  map.tables.push({ ...entry, start, end: reader.pos - 1 });
}

function readMemory(map: ModuleMap, reader: Reader): void {
  const { minimum, maximum, shared } = limits(reader, 65536);
  if (++map.memories > 1) throw unsupported(MEMORIES);
  map.memoryShared = shared;
  map.memoryMinimum = minimum;
  map.memoryMaximum = maximum;
}

/** JavaScript, and so the host of a fork, cannot make such a table or global. */
function refuseTyped(type: number, what: string): void {
  if (isTyped(type)) throw unsupported(`an imported ${what} of typed references`);
}

function globalType(map: ModuleMap, reader: Reader): { type: number; mutable: boolean } {
  const type = valueType(reader, map.types.length);
  const mutable = reader.byte();
  if (mutable > 1) throw malformed('malformed mutability', reader.pos - 1);
  // The host could not carry it to a fork.
  if (mutable === 1 && type < V128 && type !== FUNCREF && type !== EXTERNREF)
    throw refuseType(type, reader.pos - 1);
  return { type, mutable: mutable === 1 };
}

function readGlobal(map: ModuleMap, reader: Decoder): void {
  const type = globalType(map, reader);
  const start = reader.pos;
  skipConstant(map, reader);
  map.globals.push({ ...type, start, end: reader.pos - 1 });
}

function readExport(map: ModuleMap, reader: Reader): void {
  const at = reader.pos;
  const name = reader.name();
  if (name.startsWith('ringzero.')) throw unsupported('an export named ringzero.*');
  const kind = reader.byte();
  if (kind > KIND_TAG) throw malformed('unknown kind of export', at);
  const { functions, tables, memories, globals, tags } = map;
  const counts = [functions.length, tables.length, memories, globals.length, tags.length];
  map.exports.push({ name, kind, index: reader.index(counts[kind]!, 'exported item') });
}

/** Steps over a constant expression and its end. */
export function skipConstant(map: ModuleMap, decoder: Decoder): void {
  for (;;) {
    const at = decoder.pos;
    const opcode = decoder.byte();
    if (opcode === OP.end) return;
    if (opcode !== PREFIX_SIMD && IS_CONSTANT[opcode] === 0)
      throw opcode === PREFIX_GC ? refuseCode(opcode, at) : malformed('not a constant', at);
    decoder.pos = at;
    decoder.next();
    if (IS_CONSTANT[decoder.code] === 0) throw malformed('not a constant', at);
    if (decoder.code === OP.refFunc) map.valueFunctions.add(decoder.a);
    else if (decoder.code >= OP.i32Add && decoder.code <= OP.i64Mul) map.extendedConstants = true;
  }
}

function readElement(map: ModuleMap, reader: Decoder): void {
  const at = reader.pos;
  const flags = reader.u32();
  if (flags > 7) throw malformed('malformed element segment', at);
  if ((flags & 1) === 0) {
    if (flags & 2) reader.index(map.tables.length, 'table');
    skipConstant(map, reader);
  }
  const expressions = (flags & 4) !== 0;
  if (flags & 3) {
    if (expressions) elementType(reader, map.types.length);
    else if (reader.byte() !== 0) throw malformed('unknown kind of element', reader.pos - 1);
  }
  const isPassive = (flags & 3) === 1;
  each(reader, () => {
    if (expressions) return skipConstant(map, reader);
    const index = functionIndex(map, reader);
    if (isPassive) map.valueFunctions.add(index);
  });
  map.elements++;
  map.passiveElements.push(isPassive ? map.passiveSegments++ : undefined);
}

function readData(map: ModuleMap, reader: Decoder): void {
  const at = reader.pos;
  const flags = reader.u32();
  if (flags > 2) throw malformed('malformed data segment', at);
  const active = flags !== 1;
  if (active && flags === 2 && reader.u32() !== 0) throw unsupported(MEMORIES);
  if (active && map.memories === 0) throw malformed('data without a memory', at);
  const offsetStart = reader.pos;
  if (active) skipConstant(map, reader);
  const offsetEnd = active ? reader.pos - 1 : offsetStart;
  const count = reader.count();
  const start = reader.pos;
  reader.skip(count);
  const passive = active ? undefined : map.passiveSegments++;
  map.data.push({ active, passive, offsetStart, offsetEnd, start, end: reader.pos });
}
