// Opens stock sql.js with its module replaced by an image of it, on a stub kernel.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { acceptSharedViews } from '../../host/index.ts';
import { translateMain } from '../../host/translator/index.ts';
import { StubKernel } from './stub-kernel.ts';

acceptSharedViews();

export interface Database {
  exec(sql: string): unknown[];
}
export interface Opened {
  readonly database: Database;
  readonly kernel: StubKernel | undefined;
}
type Factory = (options: object) => Promise<{ Database: new () => Database }>;

const require = createRequire(import.meta.url);
const PAGES = 700; // of 64 KiB; the module declares 338
const FRAMES = 16384;

export const sqlJsModule = (): Uint8Array =>
  new Uint8Array(readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm')));

/** sql.js as it is, or with the image that `translate` makes of its module. */
export async function openSqlJs(
  translate?: (bytes: Uint8Array, frames: number) => Uint8Array,
  kind: 'main' | 'snapshot' = 'main',
): Promise<Opened> {
  const wasmBinary = sqlJsModule();
  let kernel: StubKernel | undefined;
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports => {
    const bytes = translate ? translate(wasmBinary, FRAMES) : wasmBinary;
    if (translate) kernel = new StubKernel(PAGES, FRAMES);
    const module = new WebAssembly.Module(bytes as BufferSource);
    const ringzero = kernel && ringzeroImports(kernel, kind);
    const instance = new WebAssembly.Instance(module, { ...imports, ...ringzero });
    if (kernel && kind === 'snapshot') {
      (instance.exports['ringzero.table'] as WebAssembly.Global).value = kernel.table() | 0;
      const { main } = translateMain(wasmBinary, { frames: FRAMES });
      const parent = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
        ...imports,
        ...ringzeroImports(kernel, 'main'),
      });
      (parent.exports['ringzero.boot'] as () => void)();
      (instance.exports['ringzero.attach'] as () => void)();
    } else if (kernel) (instance.exports['ringzero.boot'] as () => void)();
    done(instance);
    return instance.exports;
  };
  // The package keeps one instance per load of its file, and decodes text straight from memory, which may be
  // shared.
  const file = require.resolve('sql.js/dist/sql-wasm.js');
  delete require.cache[file];
  acceptSharedText();
  const factory = require(file) as Factory;
  const { Database } = await factory({ wasmBinary, instantiateWasm });
  return { database: new Database(), kernel };
}

function ringzeroImports(kernel: StubKernel, kind: 'main' | 'snapshot'): WebAssembly.Imports {
  if (kind === 'main') return { ringzero: kernel.mainImports() as WebAssembly.ModuleImports };
  // The glue reads memory by itself, so a page of the snapshot's own must stay where it is.
  const viewFault = (address: number): number => {
    kernel.words[(kernel.table() >>> 2) + (address >>> 12)] = 3;
    return 3;
  };
  return { ringzero: kernel.snapshotImports(viewFault) as WebAssembly.ModuleImports };
}

let accepted = false;

function acceptSharedText(): void {
  if (accepted) return;
  accepted = true;
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (input, options) {
    const shared = input instanceof Uint8Array && input.buffer instanceof SharedArrayBuffer;
    return decode.call(this, shared ? input.slice() : input, options);
  };
}
