/**
 * Synchronous loading of programs, for glue that creates its instance synchronously. It loads the translator,
 * which `ringzero` loads only for a guest that needs it.
 *
 * @module ringzero/sync
 */

import { originals } from './constructors.ts';
import type { Bytes } from './bytes.ts';
import { checkMayEnter, isWeakMemory } from '#platform';
import { checkObject, RingzeroError } from './errors.ts';
import * as translator from './translator/index.ts';
import { imagesOf } from './vm/images.ts';
import { compileKernel, kernelNow } from './vm/kernel-module.ts';
import { guestMemory, hasMemoryFiles } from './vm/boot.ts';
import { beginFiles, loadFileModule } from './vm/file-access.ts';
import { bootVM, type MicroVM } from './vm/micro-vm.ts';
import type { LoadOptions, MicroVMOptions } from './vm/options.ts';
import { optionsOf, programOf, type Program } from './vm/program.ts';
import { withWasi } from './vm/system-interface.ts';
import type * as Wasm from './webassembly.ts';
import * as wasi from './wasi/calls.ts';
import { checkWasiOptions } from './wasi/options.ts';

export type { LoadOptions } from './vm/options.ts';
export type { Program } from './vm/program.ts';
export { ProgramExit } from './wasi/exit.ts';
export { RingzeroError, type RingzeroErrorCode } from './errors.ts';

let weakMemory: boolean | undefined;

/**
 * Loads what loadSync() cannot wait for: in a browser, once in each thread that calls it. Not needed in Node
 * and Deno.
 *
 * @category Programs
 */
export async function prepare(): Promise<void> {
  const [weak] = await Promise.all([isWeakMemory(), compileKernel(), loadFileModule()]);
  weakMemory = weak;
}

/** Options that start a thread, which has to be awaited. */
const ASYNCHRONOUS = ['rings', 'timer', 'preopen'] as const;

/**
 * MicroVM.load, synchronously: for glue that calls `new WebAssembly.Instance`.
 *
 * @category Programs
 * @example
 * const program = loadSync(readFileSync('parser_bg.wasm'), imports);
 * program.exports.parse(1);
 *
 * Fails as MicroVM.load does; with RZ_OPTION for the options `rings`, `timer` and `preopen`, which only
 * MicroVM.load supports; and in a browser with RZ_HOST before prepare().
 */
export function loadSync<Exports extends object = Wasm.Exports>(
  wasm: Bytes,
  imports: Wasm.Imports = {},
  options: LoadOptions = {},
): Program<Exports> {
  checkObject(imports, 'imports');
  checkObject(options);
  for (const name of ASYNCHRONOUS) {
    if (options[name] === undefined || options[name] === false) continue;
    throw new RingzeroError(
      'RZ_OPTION',
      `loadSync() does not take the option \`${name}\`, which starts asynchronously: use MicroVM.load`,
    );
  }
  return programOf<Exports>(create(optionsOf(wasm, imports, options)), wasm, options);
}

function create<Exports extends object>(options: MicroVMOptions): MicroVM<Exports> {
  checkMayEnter();
  const weak = weakMemory ?? atOnce(isWeakMemory());
  const memory = guestMemory(options, true);
  const images = imagesOf(memory.checked.frames, weak, options, true, translator);
  const setup = options.wasi && checkWasiOptions(options.wasi, images.info.imports);
  return bootVM({
    ...{ options, memory, images, glue: true, weakMemory: weak, wasi: setup },
    kernel: kernelNow(),
    main: new originals.Module(images.main as BufferSource),
    beginFiles: hasMemoryFiles(setup) ? beginFiles : undefined,
    imports: withWasi(setup, options.imports ?? {}, wasi),
    release: () => {},
  });
}

/** A browser reports its processor's architecture only asynchronously. */
function atOnce(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new RingzeroError(
    'RZ_HOST',
    'loadSync() cannot wait for what it needs here: `await prepare()` of ringzero/sync once in this thread, before the first call',
  );
}
