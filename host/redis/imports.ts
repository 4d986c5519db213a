// What the guest imports from module "redis": facts about the process. Snapshot vCPUs load this file themselves.

import { totalMemory } from '../platform/node.ts';

/** Facts that only the server knows, by the numbers of guest/redis/host.ts. */
export interface ServerFacts {
  port: number;
  sockets: number;
  snapshotUs: number;
  vmBytes: number;
}

const NO_SERVER: ServerFacts = { port: 0, sockets: 0, snapshotUs: 0, vmBytes: 0 };

export function imports(facts: ServerFacts = NO_SERVER): WebAssembly.Imports {
  const started = performance.now();
  const fields: (() => number)[] = [
    () => process.pid,
    () => (performance.now() - started) / 1000,
    () => process.memoryUsage.rss(),
    () => process.cpuUsage().user / 1e6,
    () => process.cpuUsage().system / 1e6,
    () => facts.port,
    () => facts.sockets,
    () => totalMemory(),
    () => facts.snapshotUs,
    () => facts.vmBytes,
  ];
  return {
    redis: {
      hostInfo: (field: number) => fields[field]?.() ?? 0,
      clockUs: () => performance.now() * 1000,
    },
  };
}
