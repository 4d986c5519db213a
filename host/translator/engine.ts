// What the running engine cannot compile, by name: proposals reached engines one after another.

import { Decoder, bodiesOf } from './decoder.ts';
import { MAGIC, type ModuleMap } from './module.ts';
import { OP, PAGE_ATOMIC, PAGE_SIMD, REF_FUNC } from './opcode.ts';

interface Feature {
  readonly name: string;
  readonly isUsed: (code: number) => boolean;
  /** A body that needs it, and nothing else. */
  readonly body: readonly number[];
}

const RELAXED = PAGE_SIMD + 0x100;

const TYPED_REFERENCES = 'typed references to functions';
const hasTyped = ({ types, tables, globals }: ModuleMap): boolean =>
  types.some(({ params, results }) => [...params, ...results].some((type) => type < 0)) ||
  tables.some(({ type, start }) => type < 0 || type === REF_FUNC || start > 0) ||
  globals.some(({ type }) => type < 0 || type === REF_FUNC);

const FEATURES: readonly Feature[] = [
  {
    name: 'exception handling with exnref (try_table)',
    isUsed: (code) => code === OP.tryTable || code === OP.throwRef,
    body: [OP.tryTable, 0x40, 0, OP.end],
  },
  {
    name: 'legacy exception handling (try, catch)',
    isUsed: (code) => code === OP.try,
    body: [OP.try, 0x40, OP.catchAll, OP.end],
  },
  {
    name: 'tail calls',
    isUsed: (code) => code === OP.returnCall || code === OP.returnCallIndirect,
    body: [OP.returnCall, 0],
  },
  {
    name: TYPED_REFERENCES,
    isUsed: (code) =>
      code === OP.callRef ||
      code === OP.returnCallRef ||
      (code >= OP.refAsNonNull && code <= OP.brOnNonNull),
    body: [OP.refNull, 0, OP.refAsNonNull, OP.drop],
  },
  {
    name: 'relaxed SIMD',
    isUsed: (code) => code >= RELAXED && code < PAGE_ATOMIC,
    body: [OP.unreachable, 0xfd, 0x80, 0x02, OP.drop],
  },
];

const EXTENDED_CONSTANT = [6, 9, 1, 0x7f, 0, OP.i32Const, 0, OP.i32Const, 0, OP.i32Add, OP.end];
EXTENDED_CONSTANT[1] = EXTENDED_CONSTANT.length - 2;

function moduleOf(body: readonly number[]): Uint8Array {
  const code = [1, body.length + 2, 0, ...body, OP.end];
  return Uint8Array.from([...MAGIC, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, code.length, ...code]);
}

/** A feature that the module uses and the engine lacks. The module's structure has been read. */
export function lackingFeature(
  map: ModuleMap,
  validate: (bytes: Uint8Array) => boolean,
): string | undefined {
  const lacking = FEATURES.filter(({ body }) => !validate(moduleOf(body)));
  if (hasTyped(map) && lacking.some(({ name }) => name === TYPED_REFERENCES))
    return TYPED_REFERENCES;
  if (lacking.length > 0) {
    const decoder = new Decoder(map);
    for (const body of bodiesOf(map)) {
      decoder.begin(body);
      do {
        decoder.next();
        const { code } = decoder;
        const found = lacking.find(({ isUsed }) => isUsed(code));
        if (found !== undefined) return found.name;
      } while (decoder.depth > 0);
    }
  }
  const isExtended = map.extendedConstants;
  if (isExtended && !validate(Uint8Array.from([...MAGIC, ...EXTENDED_CONSTANT])))
    return 'extended constant expressions';
  return undefined;
}
