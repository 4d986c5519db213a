// Adds WASI to a guest's imports, for each vCPU its own. Loaded only for programs that use it.

import type { WasiSetup } from '../wasi/options.ts';
import { Layers } from './imports.ts';
import type { GuestImports, VcpuParts } from './vcpu.ts';

/** `imports` with the functions of WASI preview 1 that they lack. */
export async function addWasi(
  setup: WasiSetup | undefined,
  imports: GuestImports,
): Promise<GuestImports> {
  if (setup === undefined) return imports;
  const { Calls, unblockInput } = await import('../wasi/calls.ts');
  if (setup.streams.includes(0)) unblockInput();
  return (beside) => {
    const { memory, kernel, syscalls } = beside as VcpuParts;
    const given = typeof imports === 'function' ? imports(beside) : imports;
    const calls = new Calls(setup, memory, kernel);
    syscalls.wasi = calls;
    return new Layers([
      given,
      { wasi_snapshot_preview1: calls.imports },
    ]) as object as WebAssembly.Imports;
  };
}
