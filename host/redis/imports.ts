// The guest's imports: facts about the process, and the encoder of files. Snapshot vCPUs load this file
// themselves.

import { originals } from '../constructors.ts';
import * as abi from '../../guest/redis/abi.ts';
import { RingzeroError } from '../errors.ts';
import { cores, readBuiltModule, residentBytes, totalMemory } from '../platform/node.ts';
import type { ImportContext } from '../vm/machine.ts';
import type { Functions } from './functions.ts';

/** Facts that only the server knows, by the numbers of guest/redis/abi.ts. */
export interface ServerFacts {
  port: number;
  sockets: number;
  snapshotUs: number;
  vmBytes: number;
  /** Progress of the running or last save. */
  savedPerMille: number;
  /** Keeps users' functions, if they may load any. */
  functions: typeof Functions | undefined;
  /** Writes the options that the guest passes to the configuration file: 0, or a negative errno. */
  rewriteConfig(options: Uint8Array): number;
}

const nothing = (): number => 0;
const NO_SERVER: ServerFacts = {
  port: 0,
  sockets: 0,
  snapshotUs: 0,
  vmBytes: 0,
  savedPerMille: 0,
  functions: undefined,
  rewriteConfig: nothing,
};
const NO_FUNCTIONS = { udfLoad: nothing, udfCall: nothing, udfAnswer: nothing, udfPart: nothing };

export function imports(
  context: ImportContext,
  facts: ServerFacts = NO_SERVER,
): WebAssembly.Imports {
  const started = performance.now();
  const fields = new Map<number, () => number>([
    [abi.HOST_PID, () => process.pid],
    [abi.HOST_UPTIME, () => (performance.now() - started) / 1000],
    [abi.HOST_RSS, residentBytes],
    [abi.HOST_CPU_USER, () => process.cpuUsage().user / 1e6],
    [abi.HOST_CPU_SYSTEM, () => process.cpuUsage().system / 1e6],
    [abi.HOST_PORT, () => facts.port],
    [abi.HOST_SYSTEM_MEMORY, () => totalMemory()],
    [abi.HOST_SNAPSHOT_US, () => facts.snapshotUs],
    [abi.HOST_VM_BYTES, () => facts.vmBytes],
    [abi.HOST_CORES, () => cores()],
    [abi.HOST_SAVED, () => facts.savedPerMille],
  ]);
  return {
    encoder: encoder(context),
    redis: {
      hostInfo: (field: number) => fields.get(field)?.() ?? 0,
      rewriteConfig: (address: number, bytes: number) =>
        facts.rewriteConfig(
          new Uint8Array(context.memory.buffer).slice(address >>> 0, (address >>> 0) + bytes),
        ),
      clockUs: () => performance.now() * 1000,
      ...(facts.functions ? new facts.functions(context).imports() : NO_FUNCTIONS),
    },
  };
}

interface Encoder extends WebAssembly.ModuleImports {
  size(): number;
  attach(address: number): void;
}

/** The encoder for this vCPU's guest, with kernel memory to work in. */
function encoder({ memory, libdbos, claimWindow }: ImportContext): Encoder {
  const module = new originals.Module(readBuiltModule('redis-encoder.wasm') as BufferSource);
  const instance = new originals.Instance(module, { env: { memory }, libdbos });
  const calls = instance.exports as unknown as Encoder;
  const window = claimWindow(calls.size());
  if (window === 0) throw new RingzeroError('RZ_OUT_OF_MEMORY', 'no room for the encoder');
  calls.attach(window | 0);
  return calls;
}
