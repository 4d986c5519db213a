// The imports that belong to the machine. A guest may not have those of images, and must import the
// kernel's calls with their exact types: some are JavaScript functions, which would accept any
// arguments.

import { RingzeroError } from '../errors.ts';
import { KIND_FUNCTION, type ImportEntry } from './module.ts';

/** Calls of `libdbos`, as the types of ImportedFunction. */
const CALLS = new Map([
  ['syscall', 'iiiiii:i'],
  ['proxy', 'iiiiii:i'],
  ['forget', 'ii:'],
  ['counter', 'i:F'],
  ['setTimer', 'ii:i'],
  ['safepoint', ':'],
  ['setHandler', 'ii:'],
  ['spawn', 'ii:i'],
  ['childStatus', 'i:i'],
  ['killChild', 'i:'],
]);

/**
 * Throws RZ_MODULE_UNSUPPORTED for an import that a guest cannot have. `typeOf` returns a function's
 * type in letters.
 */
export function checkMachineImports(
  imports: readonly ImportEntry[],
  typeOf: (entry: ImportEntry) => string,
): void {
  for (const entry of imports) {
    const { module, name, kind } = entry;
    if (module === 'ringzero')
      throw refused(`ringzero.${name}; only translated images import from \`ringzero\``);
    const right = module === 'libdbos' && kind === KIND_FUNCTION ? CALLS.get(name) : undefined;
    if (right !== undefined && typeOf(entry) !== right)
      throw refused(
        `libdbos.${name} as (${typeOf(entry)}), its type is (${right}): i is i32, I is i64, F is f64; parameters, a colon, results`,
      );
  }
}

const refused = (what: string): RingzeroError =>
  new RingzeroError('RZ_MODULE_UNSUPPORTED', `the module imports ${what}`);
