// Adds WASI to a guest's imports, for each vCPU separately. Loaded on demand.

import { RingzeroError } from '../errors.ts';
import type { Mistyped, WasiSetup } from '../wasi/options.ts';
import { Layers } from './imports.ts';
import type { GuestImports, VcpuParts } from './machine.ts';

type Wasi = Pick<typeof import('../wasi/calls.ts'), 'Calls' | 'plantSeeds' | 'unblockInput'>;

/** `imports`, completed with the functions of WASI preview 1. */
export async function addWasi(
  setup: WasiSetup | undefined,
  imports: GuestImports,
): Promise<GuestImports> {
  return setup === undefined ? imports : withWasi(setup, imports, await import('../wasi/calls.ts'));
}

/** The same where WASI is loaded. */
export function withWasi(
  setup: WasiSetup | undefined,
  imports: GuestImports,
  { Calls, plantSeeds, unblockInput }: Wasi,
): GuestImports {
  if (setup === undefined) return imports;
  if (setup.streams.includes(0)) unblockInput();
  return (beside) => {
    const { memory, kernel, syscalls, files } = beside as VcpuParts;
    const given = typeof imports === 'function' ? imports(beside) : imports;
    const calls = new Calls(setup, memory, kernel, files);
    if (files.boots && !files.isRestored) plantSeeds(files.system, setup.preopens);
    syscalls.wasi = calls;
    if (!files.isFork && !files.isRestored) calls.openFiles();
    const functions = { ...calls.imports };
    for (const wrong of setup.mistyped) refuseAt(functions, wrong);
    return new Layers([
      given,
      { wasi_snapshot_preview1: functions },
    ]) as object as WebAssembly.Imports;
  };
}

/** Rejects an import whose type is not that of the WASI function, when it is asked for. */
function refuseAt(functions: object, { name, type, right }: Mistyped): void {
  Object.defineProperty(functions, name, {
    get: () => {
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `the module imports wasi_snapshot_preview1.${name} as (${type}), WASI has it as (${right}): ` +
          'i is i32, I is i64; parameters, a colon, results',
      );
    },
  });
}
