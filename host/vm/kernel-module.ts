// The kernel's module, compiled once per thread. Other threads get it with a VM's handle.

import { originals } from '../constructors.ts';
import { readBuiltModule } from '#platform';
import type * as Wasm from '../webassembly.ts';

let compiled: Wasm.Module | undefined;
let compiling: Promise<Wasm.Module> | undefined;

export async function compileKernel(): Promise<Wasm.Module> {
  if (compiled !== undefined) return compiled;
  compiling ??= Promise.resolve(readBuiltModule('libdbos.wasm')).then((bytes) =>
    originals.compile(bytes as BufferSource),
  );
  try {
    return (compiled = await compiling);
  } catch (error) {
    compiling = undefined; // the next call may find the file
    throw error;
  }
}

/** The same synchronously: where files can be read that way, or after compileKernel(). */
export function kernelNow(): Wasm.Module {
  return (compiled ??= new originals.Module(readBuiltModule('libdbos.wasm') as BufferSource));
}
