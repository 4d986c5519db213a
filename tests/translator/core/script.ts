// Scripts of the core test suite as `wast2json` writes them, and calls that carry every bit: numbers go into
// a function, and its results out of it, by a small module around it, since JavaScript has no v128 and keeps
// no NaN as it is.

export interface Value {
  type: 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'externref' | 'funcref';
  /** Of v128. */
  lane_type?: string;
  /** Bits as a decimal number, `nan:canonical`, `nan:arithmetic`, or `null`; an array of lanes for v128. */
  value?: string | string[];
}

export interface Action {
  type: 'invoke' | 'get';
  module?: string;
  field: string;
  args?: Value[];
}

export interface Command {
  type: string;
  line: number;
  name?: string;
  as?: string;
  filename?: string;
  module_type?: 'binary' | 'text';
  action?: Action;
  expected?: Value[];
}

export interface Script {
  source_filename: string;
  commands: Command[];
}

const TYPES = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;
const LANE_BITS: Record<string, number> = { i8: 8, i16: 16, i32: 32, i64: 64, f32: 32, f64: 64 };
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = Number(value & 127n);
    value >>= 7n;
    if ((value === 0n && byte < 64) || (value === -1n && byte >= 64)) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}

function vector(items: readonly number[][]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function section(id: number, contents: readonly number[]): number[] {
  return [id, ...leb(contents.length), ...contents];
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function isNan(text: string): boolean {
  return text.startsWith('nan');
}

/** Bytes of v128 from its lanes. */
function lanesOf({ lane_type: lane = 'i8', value }: Value): number[] {
  const bytes = LANE_BITS[lane]! / 8;
  return (value as string[]).flatMap((text) =>
    littleEndian(isNan(text) ? 0n : BigInt(text), bytes),
  );
}

function constant(value: Value): number[] {
  const bits = (): bigint => BigInt(value.value as string);
  switch (value.type) {
    case 'i32':
      return [0x41, ...signedLeb(BigInt.asIntN(32, bits()))];
    case 'i64':
      return [0x42, ...signedLeb(BigInt.asIntN(64, bits()))];
    case 'f32':
      return [0x43, ...littleEndian(bits(), 4)];
    case 'f64':
      return [0x44, ...littleEndian(bits(), 8)];
    case 'v128':
      return [0xfd, 12, ...lanesOf(value)];
    default:
      return [0xd0, TYPES[value.type]]; // null
  }
}

const isHostValue = ({ type, value }: Value): boolean => type.endsWith('ref') && value !== 'null';

/** Result types of the module around a function, for one of the function's. */
function carried({ type }: Value): number[][] {
  if (type === 'v128') return [[TYPES.i64], [TYPES.i64]];
  return [[type === 'f32' ? TYPES.i32 : type === 'f64' ? TYPES.i64 : TYPES[type]]];
}

/** Code that makes them of local `local`. */
function carry({ type }: Value, local: number): number[] {
  const get = [0x20, ...leb(local)];
  if (type === 'f32') return [...get, 0xbc];
  if (type === 'f64') return [...get, 0xbd];
  if (type === 'v128') return [...get, 0xfd, 29, 0, ...get, 0xfd, 29, 1];
  return get;
}

/**
 * A module that imports `m.f` and exports `run`, which calls it with `args`; those that are not numbers
 * are its parameters.
 */
export function caller(args: readonly Value[], results: readonly Value[]): Uint8Array {
  const type = (parameters: number[][], out: number[][]): number[] => [
    0x60,
    ...vector(parameters),
    ...vector(out),
  ];
  const hosts = args.filter(isHostValue);
  const types = [
    type(
      args.map((arg) => [TYPES[arg.type]]),
      results.map((result) => [TYPES[result.type]]),
    ),
    type(
      hosts.map((arg) => [TYPES[arg.type]]),
      results.flatMap(carried),
    ),
  ];
  let parameter = 0;
  const push = args.flatMap((arg) =>
    isHostValue(arg) ? [0x20, ...leb(parameter++)] : constant(arg),
  );
  const take = results
    .map((_, i) => [0x21, ...leb(hosts.length + i)])
    .reverse()
    .flat();
  const give = results.flatMap((result, i) => carry(result, hosts.length + i));
  const locals = vector(results.map((result) => [1, TYPES[result.type]]));
  const body = [...locals, ...push, 0x10, 0, ...take, ...give, 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION.type, vector(types)),
    ...section(SECTION.import, vector([[1, 0x6d, 1, 0x66, 0, 0]])),
    ...section(SECTION.function, vector([[1]])),
    ...section(SECTION.export, vector([[3, 0x72, 0x75, 0x6e, 0, 1]])),
    ...section(SECTION.code, vector([[...leb(body.length), ...body]])),
  ]);
}

/** What `run` is called with. */
export function hostValues(args: readonly Value[]): unknown[] {
  return args.filter(isHostValue).map(({ value }) => `host value ${String(value)}`);
}

/** Results as text, NaNs that may be any as `nan`; `expected` says which may. */
export function resultText(results: unknown, expected: readonly Value[]): string {
  const flat =
    results === undefined ? [] : Array.isArray(results) ? [...(results as unknown[])] : [results];
  return expected.map((value) => one(value, flat)).join(' ');
}

function one({ type, lane_type: lane = 'i64', value }: Value, flat: unknown[]): string {
  if (type === 'v128') {
    const bits =
      BigInt.asUintN(64, flat.shift() as bigint) |
      (BigInt.asUintN(64, flat.shift() as bigint) << 64n);
    const width = LANE_BITS[lane]!;
    const texts = Array.isArray(value) ? value : [];
    const lanes = Array.from({ length: 128 / width }, (_, i) =>
      BigInt.asUintN(width, bits >> BigInt(width * i)),
    );
    return lanes
      .map((bits, i) => (isNan(texts[i] ?? '') && isNanBits(bits, width) ? 'nan' : String(bits)))
      .join();
  }
  const result = flat.shift();
  if (type === 'f32' || type === 'f64') {
    const width = type === 'f32' ? 32 : 64;
    const bits = BigInt.asUintN(width, BigInt(result as number | bigint));
    return typeof value === 'string' && isNan(value) && isNanBits(bits, width)
      ? 'nan'
      : String(bits);
  }
  if (type === 'funcref') return result === null ? 'null' : 'function';
  return String(result);
}

function isNanBits(bits: bigint, width: number): boolean {
  const [exponent, mantissa] = width === 32 ? [8n, 23n] : [11n, 52n];
  const ones = (1n << exponent) - 1n;
  return ((bits >> mantissa) & ones) === ones && (bits & ((1n << mantissa) - 1n)) !== 0n;
}
