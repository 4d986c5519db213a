// The instruction set, as one table: what follows each code in the binary, how many operands it takes
// and leaves, how it accesses memory, and what else the passes ask. An instruction that is added is a
// row here; one without a row is refused by the name of its feature.
//
// Interface   Columns by code: IMMEDIATES, EFFECT (effectTakes, effectGives), ACCESS (accessKind, accessType,
//             accessWidth), MAY_MOVE_VIEW, CHANGED. refuseCode() is the error for a code without a row.
// Cost        1280 entries a column, filled when this file is loaded.

import {
  CODES,
  F32,
  F64,
  I32,
  I64,
  OP,
  PAGE_ATOMIC,
  PAGE_MISC,
  PAGE_SIMD,
  PREFIX_ATOMIC,
  PREFIX_GC,
  PREFIX_MISC,
  prefixOf,
  subOf,
  V128,
} from './opcode.ts';
import { malformed } from './reader.ts';
import { GC, unsupported, WIDE_ARITHMETIC } from './refuse.ts';
import type { RingzeroError } from '../errors.ts';

// What follows a code.
export const REFUSED = 0;
export const NONE = 1;
export const LOCAL = 2;
export const CONST_I32 = 3;
export const MEMARG = 4;
export const MEMARG_LANE = 5;
export const BLOCK_TYPE = 6;
export const BLOCK_END = 7;
export const LABEL = 8;
export const LABELS = 9;
export const FUNCTION = 10;
export const TYPE_TABLE = 11; // a type, then a table
export const GLOBAL = 12;
export const TABLE = 13;
export const TABLE_TABLE = 14;
export const MEMORY = 15;
export const MEMORY_MEMORY = 16;
export const DATA = 17;
export const DATA_MEMORY = 18;
export const ELEMENTS = 19;
export const ELEMENTS_TABLE = 20;
export const CONST_I64 = 21;
export const CONST_F32 = 22;
export const CONST_F64 = 23;
export const BYTES_16 = 24;
export const LANE = 25;
export const TYPES = 26;
export const HEAP_TYPE = 27;
export const ZERO = 28;
export const PREFIX = 29;
export const TAG = 30;
export const DELEGATE = 31; // a label outside the block that it ends
export const TRY_TABLE = 32; // a block type, then what is caught
export const TYPE = 33;

// How an access works: its operands, the address first.
export const LOAD = 1; // address
export const STORE = 2; // address, value
export const LANE_LOAD = 3; // address, vector
export const LANE_STORE = 4; // address, vector
export const ATOMIC_LOAD = 5;
const ATOMIC_STORE = 6;
const RMW = 7; // address, operand
export const CMPXCHG = 8; // address, expected, replacement
export const WAIT = 9; // address, expected, timeout in i64
export const NOTIFY = 10; // address, count

/** What follows the code: one of the constants above. */
export const IMMEDIATES: Uint8Array = new Uint8Array(CODES);
/** Operands taken and left, for effectTakes and effectGives; 0 = the code alone does not tell. */
export const EFFECT: Uint8Array = new Uint8Array(CODES);
/** Kind << 16 | value type << 8 | width in bytes; 0 = it accesses no memory through an address operand. */
export const ACCESS: Uint32Array = new Uint32Array(CODES);
/** The greatest alignment of an access, log2. */
export const ALIGNMENT_MAX: Uint8Array = new Uint8Array(CODES);
/**
 * 1 = the vCPU's view may move while it runs: it calls something unknown, waits, or polls. Calls of
 * known functions and loops apart.
 */
export const MAY_MOVE_VIEW: Uint8Array = new Uint8Array(CODES);
/**
 * 1 = translation may change it, or has to know of it; all other instructions are copied. By which
 * accesses the image changes.
 */
export const CHANGED: Readonly<Record<'none' | 'writes' | 'all', Uint8Array>> = {
  none: new Uint8Array(CODES),
  writes: new Uint8Array(CODES),
  all: new Uint8Array(CODES),
};
/** 1 = it writes memory, by an address operand or in bulk. */
export const IS_WRITE: Uint8Array = new Uint8Array(CODES);
/** 1 = constant expressions may have it. */
export const IS_CONSTANT: Uint8Array = new Uint8Array(CODES);
/** Names of the features of refused codes. */
const FEATURE = new Map<number, string>();

export const effectTakes = (effect: number): number => (effect - 1) >> 2;
export const effectGives = (effect: number): number => (effect - 1) & 3;
export const accessKind = (access: number): number => access >>> 16;
export const accessType = (access: number): number => (access >>> 8) & 255;
export const accessWidth = (access: number): number => access & 255;

/** A write that needs a page made writable first. */
export function isWrite(kind: number): boolean {
  return kind === STORE || kind === LANE_STORE || (kind >= ATOMIC_STORE && kind <= CMPXCHG);
}

/** A row for `code`, or for each of `code` to `last`. */
function row(code: number, immediates: number, last = code): void {
  IMMEDIATES.fill(immediates, code, last + 1);
}

/** A row with its effect on the operand stack. */
function plain(code: number, takes: number, gives: number, immediates = NONE, last = code): void {
  row(code, immediates, last);
  EFFECT.fill(1 + takes * 4 + gives, code, last + 1);
}

function plains(from: number, to: number, takes: number, gives: number): void {
  plain(from, takes, gives, NONE, to);
}

/** Operands taken and left by each kind of access. */
export const ACCESS_EFFECT: Readonly<Record<number, readonly [takes: number, gives: number]>> = {
  [LOAD]: [1, 1],
  [STORE]: [2, 0],
  [LANE_LOAD]: [2, 1],
  [LANE_STORE]: [2, 0],
  [ATOMIC_LOAD]: [1, 1],
  [ATOMIC_STORE]: [2, 0],
  [RMW]: [2, 1],
  [CMPXCHG]: [3, 1],
  [WAIT]: [3, 1],
  [NOTIFY]: [2, 1],
};

function access(code: number, kind: number, type: number, width: number): void {
  const [takes, gives] = ACCESS_EFFECT[kind]!;
  plain(code, takes, gives, kind === LANE_LOAD || kind === LANE_STORE ? MEMARG_LANE : MEMARG);
  ACCESS[code] = (kind << 16) | (type << 8) | width;
  ALIGNMENT_MAX[code] = Math.log2(width);
}

function refused(feature: string, ...codes: readonly number[]): void {
  for (const code of codes) FEATURE.set(code, feature);
}

function control(): void {
  row(OP.unreachable, NONE);
  row(OP.block, BLOCK_TYPE, OP.if);
  row(OP.else, NONE);
  row(OP.end, BLOCK_END);
  row(OP.br, LABEL, OP.brIf);
  row(OP.brTable, LABELS);
  row(OP.return, NONE);
  row(OP.call, FUNCTION);
  row(OP.callIndirect, TYPE_TABLE);
  plain(OP.nop, 0, 0);
  plain(OP.drop, 1, 0);
  plain(OP.select, 3, 1);
  plain(OP.selectTyped, 3, 1, TYPES);
  row(OP.returnCall, FUNCTION);
  row(OP.returnCallIndirect, TYPE_TABLE);
  row(OP.callRef, TYPE, OP.returnCallRef);
  row(OP.brOnNull, LABEL, OP.brOnNonNull);
  plain(OP.refAsNonNull, 1, 1);
}

function exceptions(): void {
  row(OP.try, BLOCK_TYPE);
  row(OP.catch, TAG, OP.throw);
  row(OP.rethrow, LABEL);
  row(OP.throwRef, NONE);
  row(OP.delegate, DELEGATE);
  row(OP.catchAll, NONE);
  row(OP.tryTable, TRY_TABLE);
}

function variables(): void {
  plain(OP.localGet, 0, 1, LOCAL);
  plain(OP.localSet, 1, 0, LOCAL);
  plain(OP.localTee, 1, 1, LOCAL);
  plain(OP.globalGet, 0, 1, GLOBAL);
  plain(OP.globalSet, 1, 0, GLOBAL);
  plain(OP.tableGet, 1, 1, TABLE);
  plain(OP.tableSet, 2, 0, TABLE);
  plain(OP.refNull, 0, 1, HEAP_TYPE);
  plain(OP.refIsNull, 1, 1);
  plain(OP.refFunc, 0, 1, FUNCTION);
  refused(GC, 0xd3, PREFIX_GC);
}

function numbers(): void {
  plain(OP.i32Const, 0, 1, CONST_I32);
  plain(OP.i64Const, 0, 1, CONST_I64);
  plain(OP.f32Const, 0, 1, CONST_F32);
  plain(OP.f64Const, 0, 1, CONST_F64);
  plain(OP.i32Eqz, 1, 1);
  plains(0x46, 0x4f, 2, 1); // i32 comparisons
  plain(0x50, 1, 1); // i64.eqz
  plains(0x51, 0x66, 2, 1); // i64, f32, f64 comparisons
  plains(0x67, 0x69, 1, 1); // i32.clz, ctz, popcnt
  plains(OP.i32Add, 0x78, 2, 1);
  plains(0x79, 0x7b, 1, 1); // i64.clz, ctz, popcnt
  plains(OP.i64Add, 0x8a, 2, 1);
  plains(0x8b, 0x91, 1, 1); // f32 of one operand
  plains(0x92, 0x98, 2, 1);
  plains(0x99, 0x9f, 1, 1); // f64 of one operand
  plains(0xa0, 0xa6, 2, 1);
  plains(OP.i32WrapI64, 0xbf, 1, 1); // conversions
  plains(OP.i32Extend8S, 0xc4, 1, 1);
  plains(PAGE_MISC, PAGE_MISC + 7, 1, 1); // saturating conversions
  refused(WIDE_ARITHMETIC, ...range(PAGE_MISC + 19, PAGE_MISC + 22));
}

function memories(): void {
  const types = [I32, I64, F32, F64, I32, I32, I32, I32, I64, I64, I64, I64, I64, I64];
  const widths = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4];
  types.forEach((type, i) => access(OP.i32Load + i, LOAD, type, widths[i]!));
  const storeTypes = [I32, I64, F32, F64, I32, I32, I64, I64, I64];
  const storeWidths = [4, 8, 4, 8, 1, 2, 1, 2, 4];
  storeTypes.forEach((type, i) => access(OP.i32Store + i, STORE, type, storeWidths[i]!));
  plain(OP.memorySize, 0, 1, MEMORY);
  plain(OP.memoryGrow, 1, 1, MEMORY);
  plain(OP.memoryInit, 3, 0, DATA_MEMORY);
  plain(OP.dataDrop, 0, 0, DATA);
  plain(OP.memoryCopy, 3, 0, MEMORY_MEMORY);
  plain(OP.memoryFill, 3, 0, MEMORY);
  plain(OP.tableInit, 3, 0, ELEMENTS_TABLE);
  plain(OP.elemDrop, 0, 0, ELEMENTS);
  plain(OP.tableCopy, 3, 0, TABLE_TABLE);
  plain(OP.tableGrow, 2, 1, TABLE);
  plain(OP.tableSize, 0, 1, TABLE);
  plain(OP.tableFill, 3, 0, TABLE);
}

function atomics(): void {
  const types = [I32, I64, I32, I32, I64, I64, I64];
  const widths = [4, 8, 1, 2, 1, 2, 4];
  access(OP.atomicNotify, NOTIFY, I32, 4);
  access(OP.atomicWait32, WAIT, I32, 4);
  access(OP.atomicWait64, WAIT, I64, 8);
  plain(OP.atomicFence, 0, 0, ZERO);
  types.forEach((type, i) => {
    access(OP.i32AtomicLoad + i, ATOMIC_LOAD, type, widths[i]!);
    access(OP.i32AtomicStore + i, ATOMIC_STORE, type, widths[i]!);
    for (let group = 0; group < 6; group++)
      access(OP.i32AtomicRmwAdd + group * 7 + i, RMW, type, widths[i]!);
    access(OP.i32AtomicRmwCmpxchg + i, CMPXCHG, type, widths[i]!);
  });
  refused(GC, ...range(PAGE_ATOMIC + 0x4f, PAGE_ATOMIC + 0x70)); // shared-everything threads
}

/** SIMD sub-opcodes of one operand. */
const UNARY = [
  15, 16, 17, 18, 19, 20, 77, 83, 94, 95, 96, 97, 98, 99, 100, 103, 104, 105, 106, 116, 117, 122,
  124, 125, 126, 127, 128, 129, 131, 132, 135, 136, 137, 138, 148, 160, 161, 163, 164, 167, 168,
  169, 170, 192, 193, 195, 196, 199, 200, 201, 202, 224, 225, 227, 236, 237, 239, 248, 249, 250,
  251, 252, 253, 254, 255,
];
/** SIMD sub-opcodes that extract a lane; the others from 21 to 34 replace one. */
const EXTRACTS = [21, 22, 24, 25, 27, 29, 31, 33];
/** SIMD sub-opcodes that the proposal left unassigned. */
const UNASSIGNED = [
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2,
  0xd3, 0xd4, 0xe2, 0xee,
];

function vectors(): void {
  plains(PAGE_SIMD + 14, PAGE_SIMD + 255, 2, 1);
  plain(OP.v128Const, 0, 1, BYTES_16);
  plain(OP.i8x16Shuffle, 2, 1, BYTES_16);
  plain(OP.i8x16ExtractLaneS, 2, 1, LANE, OP.f64x2ReplaceLane);
  for (const sub of EXTRACTS) plain(PAGE_SIMD + sub, 1, 1, LANE);
  for (const sub of UNARY) plain(PAGE_SIMD + sub, 1, 1);
  plain(OP.v128Bitselect, 3, 1);
  const loads = [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8];
  loads.forEach((width, i) => access(OP.v128Load + i, LOAD, V128, width));
  access(OP.v128Store, STORE, V128, 16);
  for (let i = 0; i < 4; i++) {
    access(OP.v128Load8Lane + i, LANE_LOAD, V128, 1 << i);
    access(OP.v128Store8Lane + i, LANE_STORE, V128, 1 << i);
  }
  access(OP.v128Load32Zero, LOAD, V128, 4);
  access(OP.v128Load64Zero, LOAD, V128, 8);
  for (const sub of UNASSIGNED) row(PAGE_SIMD + sub, REFUSED);
  relaxed();
}

/** Relaxed SIMD. */
function relaxed(): void {
  plains(PAGE_SIMD + 0x100, PAGE_SIMD + 0x112, 2, 1);
  plains(PAGE_SIMD + 0x101, PAGE_SIMD + 0x104, 1, 1); // truncations
  plains(PAGE_SIMD + 0x105, PAGE_SIMD + 0x10c, 3, 1); // multiply and add, select lanes
  plain(PAGE_SIMD + 0x113, 3, 1); // dot product and add
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function properties(): void {
  const moves: number[] = [
    OP.callIndirect,
    OP.memoryGrow,
    OP.memoryInit,
    OP.memoryCopy,
    OP.memoryFill,
  ];
  // An exception may arrive from where the view has moved. A tail call polls.
  moves.push(OP.catch, OP.catchAll, OP.tryTable, OP.returnCall, OP.returnCallIndirect);
  moves.push(OP.callRef, OP.returnCallRef);
  for (const code of [...moves, OP.atomicWait32, OP.atomicWait64]) MAY_MOVE_VIEW[code] = 1;
  const changed: number[] = [OP.block, OP.loop, OP.if, OP.end, OP.br, OP.brIf, OP.brTable, OP.call];
  changed.push(OP.globalGet, OP.globalSet, OP.tableSet, OP.memorySize, OP.memoryGrow, OP.refFunc);
  changed.push(OP.try, OP.throw, OP.rethrow, OP.throwRef, OP.delegate, OP.tryTable);
  changed.push(OP.returnCall, OP.returnCallIndirect, OP.returnCallRef);
  changed.push(OP.brOnNull, OP.brOnNonNull);
  for (const code of [...changed, ...range(OP.memoryInit, OP.tableFill)])
    for (const column of Object.values(CHANGED)) column[code] = 1;
  for (let code = 0; code < CODES; code++) {
    if (ACCESS[code] !== 0) CHANGED.all[code] = 1;
    if (isWrite(accessKind(ACCESS[code]!))) IS_WRITE[code] = CHANGED.writes[code] = 1;
  }
  for (const code of [OP.memoryInit, OP.memoryCopy, OP.memoryFill]) IS_WRITE[code] = 1;
  const constant: number[] = [
    OP.i32Const,
    OP.i64Const,
    OP.f32Const,
    OP.f64Const,
    OP.v128Const,
    OP.refNull,
  ];
  constant.push(OP.refFunc, OP.globalGet, OP.end, OP.i32Add, OP.i32Sub, OP.i32Mul);
  for (const code of [...constant, OP.i64Add, OP.i64Sub, OP.i64Mul]) IS_CONSTANT[code] = 1;
}

control();
exceptions();
variables();
numbers();
memories();
atomics();
vectors();
row(PREFIX_MISC, PREFIX, PREFIX_ATOMIC);
properties();

/** The error for a code that is not translated: the name of its feature if it has one, else malformed. */
export function refuseCode(code: number, at: number): RingzeroError {
  const feature = FEATURE.get(code);
  if (feature !== undefined) return unsupported(feature);
  const prefix = prefixOf(code);
  if (prefix === 0) return malformed(`unknown opcode 0x${code.toString(16)}`, at);
  return malformed(`unknown opcode 0x${prefix.toString(16)} ${subOf(code)}`, at);
}
