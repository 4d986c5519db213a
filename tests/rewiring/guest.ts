// The guest of the rewiring tests in a VM of its own.

import { MicroVM } from '../../host/index.ts';
import { readBuiltModule } from '../../host/platform/node.ts';

export type Call = (name: string, ...args: (number | bigint)[]) => number;

interface RewiringGuest {
  vm: MicroVM;
  /** Unsigned numbers come as what they are in 32 bits, signed. */
  call: Call;
}

export async function startGuest(memory = 2 ** 26): Promise<RewiringGuest> {
  const guest = readBuiltModule('rewiring-test.wasm');
  const vm = await MicroVM.create({ guest, linked: true, memory });
  return { vm, call: (name, ...args) => Number(vm.enter().exports[name]!(...args)) };
}
