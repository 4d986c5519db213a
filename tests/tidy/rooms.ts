// Which room may import which. A room is a folder or a file; a chain lists rooms from the lowest up,
// several in one line where they need each other. A file may import values from its own room, from those in
// its line, and from lines before it, in some chain that has both. Types alone may come from anywhere.
// Tests, benches and scripts may import everything, and nothing imports them.

const CHAINS: readonly (readonly string[])[] = [
  // libdbos.wasm
  ['assembly/abi', 'assembly/machine', 'assembly/kernel assembly/snappy', 'assembly/libdbos.ts'],
  ['assembly/abi', 'assembly/machine', 'assembly/io', 'assembly/states'],
  // what guests link
  ['assembly/abi', 'assembly/machine', 'assembly/heap', 'assembly/index.ts'],
  [
    'assembly/abi',
    'assembly/machine',
    'assembly/mmu',
    'assembly/io',
    'assembly/tabby assembly/designs',
    'assembly/rewiring',
    'assembly/linked.ts',
  ],
  // guests
  [
    'assembly/abi',
    'assembly/index.ts',
    'assembly/linked.ts',
    'guest/kv',
    'guest/workload',
    'guest/tpcc guest/ycsb guest/baselines',
  ],
  [
    'assembly/abi',
    'assembly/index.ts',
    'guest/redis/abi.ts guest/redis/config/option-table.ts',
    'guest/redis/bytes',
    'guest/redis/border',
    'guest/redis/config',
    'guest/redis/stats',
    'guest/redis/client',
    'guest/redis/keyspace',
    'guest/redis/wire',
    'guest/redis/structure',
    'guest/redis/command',
    'guest/redis/rdb',
    'guest/redis/encoder',
    'guest/redis/run',
    'guest/redis/types',
    'guest/redis/persist',
    'guest/redis/keys',
    'guest/redis/server',
    'guest/redis/commands.ts',
    'guest/redis/index.ts',
  ],
  ['assembly/abi', 'assembly/machine', 'assembly/index.ts', 'guest/fs/abi.ts', 'guest/fs'],
  // the host
  [
    'assembly/abi',
    'guest/redis/abi.ts guest/redis/config/option-table.ts',
    'host/errors.ts',
    'host/bytes.ts host/constructors.ts host/physical-buffer.ts host/shared-bodies.ts host/trap.ts host/webassembly.ts',
    'host/shared-views.ts',
    'host/platform',
    'host/io',
    'host/translator',
    'host/syscalls',
    'guest/fs/abi.ts',
    'host/files',
    'host/wasi',
    'host/vm',
    'host/udf',
    'host/sync.ts host/index.ts',
    'host/intercept.ts',
    'host/pglite',
    'host/sqlite',
    'host/vitest',
    'host/level',
    'host/redis',
    'host/cli',
  ],
];

const ABOVE = /^(tests|bench|scripts)\//;

const ROOMS = [...new Set(CHAINS.flat().flatMap((line) => line.split(' ')))];

function roomOf(path: string): string | undefined {
  const holds = (room: string): boolean => path === room || path.startsWith(`${room}/`);
  return ROOMS.filter(holds).sort((a, b) => b.length - a.length)[0];
}

/** Undefined when a file may import values of another, or why not. */
export function refusal(importer: string, target: string): string | undefined {
  if (ABOVE.test(importer)) return undefined;
  if (ABOVE.test(target)) return `imports ${target}`;
  const from = roomOf(importer);
  const to = roomOf(target);
  if (from === undefined) return 'is in no room of tests/tidy/rooms.ts';
  if (from === to) return undefined;
  const isBelow = CHAINS.some((chain) => {
    const place = (room: string | undefined): number =>
      chain.findIndex((line) => line.split(' ').includes(room!));
    return place(to) >= 0 && place(from) >= place(to);
  });
  return isBelow ? undefined : `imports ${target}, which is not below ${from}`;
}
