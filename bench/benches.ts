// The benches, in the order in which they run and are reported: groups, plain names, and what a
// reader has to know. Portable: the report's page reads it, too.

export interface Bench {
  /** Of its program and its results. */
  readonly name: string;
  readonly title: string;
  /** Terms of its figures that are explained nowhere else on the page. */
  readonly note?: string;
}

interface BenchGroup {
  readonly title: string;
  readonly benches: readonly Bench[];
}

const DESIGNS =
  'Tabby is ringzero\'s buffer pool. Its peers: "eager" interrupts the other vCPUs at ' +
  'each eviction, "hash" looks each page up in a hash table, "swizzle" keeps pointers ' +
  'to pages as LeanStore does, vmcache is the native original.';

export const GROUPS: readonly BenchGroup[] = [
  {
    title: 'Snapshots and forks',
    benches: [
      {
        name: 'snapshot',
        title: 'Taking a snapshot, and the first write after it',
        note:
          'Table copies are the peers inside WebAssembly: "counted" copies the page table and ' +
          'counts references, "epochs" copies it without counting, "copied before" had a copy ' +
          'ready.',
      },
      { name: 'fork-sqlite', title: 'Forks of SQLite in memory, while it writes' },
      { name: 'fork-code', title: 'Code in a fork, compared with its parent' },
      { name: 'states', title: 'States: export, deltas and restoring' },
      { name: 'pglite', title: 'PGlite: forks, and statements on the machine' },
      { name: 'files', title: 'Files in the VM, against MEMFS and a directory of the host' },
    ],
  },
  {
    title: 'Translated code',
    benches: [
      {
        name: 'translator-slowdown',
        title: 'Translated programs, compared with the untranslated module',
        note: 'Polls are the points at which an interrupt can enter a loop.',
      },
      { name: 'translator-speed', title: 'Speed of the translator' },
    ],
  },
  {
    title: 'Redis-compatible server',
    benches: [
      {
        name: 'redis-throughput',
        title: 'Requests a second',
        note: 'P is the number of requests that a client sends before it waits for replies.',
      },
      { name: 'redis-bgsave', title: 'Latency while BGSAVE runs' },
      {
        name: 'redis-mixes',
        title: 'Latency of mixed loads while BGSAVE runs',
        note: '8:1 is eight reads for each write.',
      },
      { name: 'redis-memory', title: 'Memory of keys and values' },
      { name: 'redis-startup', title: 'Start of the server' },
    ],
  },
  {
    title: 'Ordered store',
    benches: [
      { name: 'level', title: 'Store, compared with lmdb and classic-level' },
      { name: 'durable', title: 'Durable writes' },
      { name: 'browser', title: 'Store in a browser, compared with SQLite and IndexedDB' },
    ],
  },
  {
    title: 'Buffer pool',
    benches: [
      {
        name: 'tabby-pin',
        title: 'Access to a page in the pool',
        note: 'An optimistic read checks a version afterwards; a pin is an atomic operation on the page.',
      },
      { name: 'tabby-evict', title: 'Readers while another vCPU evicts', note: DESIGNS },
      { name: 'ycsb', title: 'YCSB in memory', note: DESIGNS },
      { name: 'out-of-memory', title: 'YCSB with more data than memory', note: DESIGNS },
      { name: 'tpcc', title: 'TPC-C', note: DESIGNS },
    ],
  },
  {
    title: 'Kernel',
    benches: [
      { name: 'syscalls', title: 'System calls' },
      { name: 'io', title: 'Rings for reads' },
      { name: 'log-writer', title: 'Group commit' },
      { name: 'udf', title: 'User-defined functions' },
      { name: 'rewiring', title: 'Memory that is remapped instead of copied' },
      { name: 'ipi', title: 'Interrupts and calls between vCPUs' },
      { name: 'preemption', title: 'Short tasks inside a long one' },
    ],
  },
  {
    title: 'Package',
    benches: [
      { name: 'runtimes', title: 'Node and Deno compared' },
      { name: 'size', title: 'Size of the package' },
    ],
  },
];

/** In the order of the groups. */
export const BENCHES: readonly string[] = GROUPS.flatMap(({ benches }) =>
  benches.map(({ name }) => name),
);
