// Reads instructions. The only place that knows how immediates are encoded; what follows each code is
// in instructions.ts.
//
// Interface   next() steps over one instruction and leaves it in `code`, `at`, `a` and `b`. bodiesOf()
//             finds the bodies.
// Format      a, b by what follows the code:
//               local, global, function, label, table, data, elements   its index
//               a type and a table, two tables, elements and a table    both indices
//               block type      how many parameters, how many results
//               memory argument offset as an i32, alignment (log2) | lane << 8
//               i32.const       the value
//               labels          where they begin in `labels`, how many there are, the default included
//               try_table       where its clauses begin in `labels`, parameters | results << 16
//             The clauses are their number, then kind, tag and label of each.
// Invariants  DECODE-1  Indices are within their index spaces and alignments within their accesses, so
//                       no pass looks again. Types are not checked: engines do that.
// Cost        13 ns for an instruction.

import {
  ALIGNMENT_MAX,
  BLOCK_END,
  BLOCK_TYPE,
  BYTES_16,
  CONST_F32,
  CONST_F64,
  CONST_I32,
  CONST_I64,
  DATA,
  DATA_MEMORY,
  DELEGATE,
  ELEMENTS,
  ELEMENTS_TABLE,
  FUNCTION,
  GLOBAL,
  HEAP_TYPE,
  IMMEDIATES,
  LABEL,
  LABELS,
  LANE,
  LOCAL,
  MEMARG,
  MEMARG_LANE,
  MEMORY,
  MEMORY_MEMORY,
  NONE,
  PREFIX,
  refuseCode,
  TABLE,
  TABLE_TABLE,
  TAG,
  TRY_TABLE,
  TYPE,
  TYPE_TABLE,
  TYPES,
  ZERO,
} from './instructions.ts';
import type { ModuleMap } from './module.ts';
import { codeOf, VOID } from './opcode.ts';
import { malformed, Reader } from './reader.ts';
import { LOCALS_MAX, MEMORIES, MEMORY64, unsupported } from './refuse.ts';
import { skipNull, valueType } from './types.ts';

/** Kinds of clauses of try_table: those below CATCH_ALL have a tag; odd ones also leave the exception. */
export const CATCH_ALL = 2;
export const CATCH_ALL_REF = 3;

const LANE_SHIFT = 8;
const ALIGNMENT_FLAGS = 0x20; // beyond alignments: bit 6 says that the index of a memory follows
const MEMORY_INDEX_FLAG = 0x40;

export const alignmentOf = (b: number): number => b & 255;
export const laneOf = (b: number): number => b >>> LANE_SHIFT;

/** A function's body in the file. */
export interface BodyBytes {
  /** How many groups of locals it declares, and where they are. */
  readonly groups: number;
  readonly groupsStart: number;
  /** Where the instructions are. */
  readonly start: number;
  readonly end: number;
  /** Parameters and declared locals. */
  readonly locals: number;
  /** Bytes of all of it. */
  readonly size: number;
}

export class Decoder extends Reader {
  /** The instruction at hand: its code, where it begins, its immediates. It ends at `pos`. */
  code = 0;
  at = 0;
  a = 0;
  b = 0;
  /** Targets of the br_tables, and clauses of the try_tables, since begin(). */
  readonly labels: number[] = [];
  /** Blocks that are open, the function's own among them. */
  depth = 0;
  #locals = 0;
  readonly #map: ModuleMap;

  constructor(map: ModuleMap, start = 0, end = map.bytes.length) {
    super(map.bytes, start, end);
    this.#map = map;
  }

  /** Goes to the first instruction of a body. */
  begin({ start, end, locals }: BodyBytes): void {
    this.pos = start;
    this.end = end;
    this.depth = 1;
    this.labels.length = 0;
    this.#locals = locals;
  }

  /** Reads the next instruction. After the last one of a body, `depth` is 0. */
  next(): void {
    const at = this.pos;
    if (at >= this.end) throw malformed('unexpected end of a function', at);
    const code = this.bytes[at]!;
    this.at = at;
    this.pos = at + 1;
    this.code = code;
    switch (IMMEDIATES[code]) {
      case NONE:
        return;
      case LOCAL:
        this.a = this.index(this.#locals, 'local');
        return;
      case CONST_I32:
        this.a = this.s32();
        return;
      case MEMARG:
        return this.#memoryArgument();
      case BLOCK_TYPE:
        this.depth++;
        return this.#blockType();
      case BLOCK_END:
        if (--this.depth === 0 && this.pos !== this.end)
          throw malformed('code after the end of a function', this.pos);
        return;
      case LABEL:
        this.a = this.index(this.depth, 'label');
        return;
      case FUNCTION:
        this.a = this.index(this.#map.functions.length, 'function');
        return;
      case GLOBAL:
        this.a = this.index(this.#map.globals.length, 'global');
        return;
      case CONST_I64:
        return this.skipS64();
      case PREFIX:
        return this.#prefixed(code);
      default:
        this.#rare();
    }
  }

  #prefixed(prefix: number): void {
    const sub = this.u32();
    const code = codeOf(prefix, sub);
    if (code < 0) throw malformed(`unknown opcode 0x${prefix.toString(16)} ${sub}`, this.at);
    this.code = code;
    const immediates = IMMEDIATES[code]!;
    if (immediates === NONE) return;
    if (immediates === MEMARG) return this.#memoryArgument();
    this.#rare();
  }

  #rare(): void {
    const map = this.#map;
    switch (IMMEDIATES[this.code]) {
      case LABELS:
        return this.#labelTable();
      case TYPE_TABLE:
        this.a = this.index(map.types.length, 'type');
        this.b = this.#table();
        return;
      case TABLE:
        this.a = this.#table();
        return;
      case TABLE_TABLE:
        this.a = this.#table();
        this.b = this.#table();
        return;
      case ELEMENTS:
        this.a = this.index(map.elements, 'element segment');
        return;
      case ELEMENTS_TABLE:
        this.a = this.index(map.elements, 'element segment');
        this.b = this.#table();
        return;
      case DATA:
        return this.#segment();
      case DATA_MEMORY:
        this.#segment();
        return this.#memories(1);
      default:
        this.#rarest();
    }
  }

  #rarest(): void {
    const map = this.#map;
    switch (IMMEDIATES[this.code]) {
      case MEMORY:
        return this.#memories(1);
      case MEMORY_MEMORY:
        return this.#memories(2);
      case MEMARG_LANE:
        this.#memoryArgument();
        this.b |= this.byte() << LANE_SHIFT;
        return;
      case CONST_F32:
        return this.skip(4);
      case CONST_F64:
        return this.skip(8);
      case BYTES_16:
        return this.skip(16);
      case LANE:
        return this.skip(1);
      case TYPES:
        for (let left = this.count(); left > 0; left--) valueType(this, map.types.length);
        return;
      case HEAP_TYPE:
        skipNull(this, map.types.length);
        return;
      case TYPE:
        this.a = this.index(map.types.length, 'type');
        return;
      case TAG:
        this.a = this.#tag();
        return;
      case DELEGATE:
        if (--this.depth === 0) throw malformed('a function ends with delegate', this.at);
        this.a = this.index(this.depth, 'label');
        return;
      case TRY_TABLE:
        return this.#tryTable();
      case ZERO:
        if (this.byte() !== 0) throw malformed('malformed fence', this.at);
        return;
      default:
        throw refuseCode(this.code, this.at);
    }
  }

  #table(): number {
    return this.index(this.#map.tables.length, 'table');
  }

  #segment(): void {
    if (this.#map.dataCount < 0) throw malformed('data count section missing', this.at);
    this.a = this.index(this.#map.data.length, 'data segment');
  }

  #blockType(): void {
    const first = this.pos < this.end ? this.bytes[this.pos]! : 0;
    this.a = this.b = 0;
    if (first === VOID) this.pos++;
    else if (first > VOID && first < 0x80) {
      valueType(this, this.#map.types.length);
      this.b = 1;
    } else {
      const type = this.#map.types[this.s32()];
      if (type === undefined) throw malformed('unknown block type', this.at);
      this.a = type.params.length;
      this.b = type.results.length;
    }
  }

  #labelTable(): void {
    const { labels } = this;
    this.a = labels.length;
    this.b = this.count() + 1;
    for (let left = this.b; left > 0; left--) labels.push(this.index(this.depth, 'label'));
  }

  #tag(): number {
    return this.index(this.#map.tags.length, 'tag');
  }

  #tryTable(): void {
    const { labels } = this;
    this.#blockType();
    this.b = this.a | (this.b << 16);
    this.a = labels.length;
    let left = this.count();
    labels.push(left);
    for (; left > 0; left--) {
      const kind = this.byte();
      if (kind > CATCH_ALL_REF) throw malformed('malformed catch clause', this.pos - 1);
      const tag = kind < CATCH_ALL ? this.#tag() : 0;
      labels.push(kind, tag, this.index(this.depth, 'label'));
    }
    this.depth++;
  }

  #needMemory(): void {
    if (this.#map.memories === 0) throw malformed('memory instruction without a memory', this.at);
  }

  #memories(count: number): void {
    this.#needMemory();
    for (; count > 0; count--) if (this.byte() !== 0) throw unsupported(MEMORIES);
  }

  #memoryArgument(): void {
    if (this.#map.memories === 0) this.#needMemory();
    const align = this.u32();
    if (align > ALIGNMENT_MAX[this.code]!) throw this.#refuseAlignment(align);
    this.b = align;
    this.a = this.#memoryOffset();
  }

  #refuseAlignment(align: number): Error {
    if (align < ALIGNMENT_FLAGS) return malformed('alignment too large', this.at);
    const isIndexed = align >= MEMORY_INDEX_FLAG && align < 2 * MEMORY_INDEX_FLAG;
    return isIndexed ? unsupported(MEMORIES) : malformed('malformed alignment', this.at);
  }

  #memoryOffset(): number {
    const at = this.pos;
    try {
      return this.u32() | 0;
    } catch (error) {
      this.pos = at;
      this.skipS64();
      throw this.pos - at > 5 ? unsupported(MEMORY64) : error;
    }
  }
}

/** Each body, in the order of the functions that the module defines. */
export function bodiesOf(map: ModuleMap): readonly BodyBytes[] {
  const bodies: BodyBytes[] = [];
  if (!map.codeSection) return bodies;
  const { start, end } = map.codeSection;
  const reader = new Reader(map.bytes, start, end);
  const defined = map.functions.length - map.importedFunctions;
  if (reader.u32() !== defined) throw malformed('function and code section differ', reader.pos);
  for (let i = 0; i < defined; i++) {
    const size = reader.u32();
    const after = reader.pos + size;
    if (after > end) throw malformed('unexpected end', end);
    reader.end = after;
    bodies.push(bodyOf(map, reader, map.typeOf(map.importedFunctions + i).params.length));
    reader.pos = after;
    reader.end = end;
  }
  if (reader.pos !== end) throw malformed('code section size mismatch', reader.pos);
  return bodies;
}

function bodyOf(map: ModuleMap, reader: Reader, params: number): BodyBytes {
  const from = reader.pos;
  const groups = reader.count();
  const groupsStart = reader.pos;
  let locals = params;
  for (let left = groups; left > 0; left--) {
    locals += reader.u32();
    if (locals > LOCALS_MAX) throw malformed('too many locals', reader.pos);
    valueType(reader, map.types.length);
  }
  const { pos: start, end } = reader;
  return { groups, groupsStart, start, end, locals, size: end - from };
}
