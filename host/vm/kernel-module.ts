// The kernel's module: compiled once in a thread. Other threads get it with the handle of a VM.

import { readBuiltModule } from '#platform';
import type * as Wasm from '../webassembly.ts';

let compiled: Wasm.Module | undefined;
let compiling: Promise<Wasm.Module> | undefined;

export async function compileKernel(): Promise<Wasm.Module> {
  if (compiled !== undefined) return compiled;
  compiling ??= Promise.resolve(readBuiltModule('libdbos.wasm')).then((bytes) =>
    WebAssembly.compile(bytes as BufferSource),
  );
  try {
    return (compiled = await compiling);
  } catch (error) {
    compiling = undefined; // the next one may find it
    throw error;
  }
}

/** The same at once: where files can be read so, or after compileKernel(). */
export function kernelNow(): Wasm.Module {
  return (compiled ??= new WebAssembly.Module(readBuiltModule('libdbos.wasm') as BufferSource));
}
