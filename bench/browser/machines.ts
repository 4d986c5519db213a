// The worker of the bench page that runs guests: a writer whose memory is forked, and YCSB on a pool that is smaller than its data.
// It works in slices, between which it hears the page; what it measured in a slice it posts.
//
//   page -> worker   { start: 'writer' | 'ycsb', ...options }, { fork: true }, { stop: true }
//   worker -> page   Sample, Fork and Pool messages (below), { ended: name }, { failed: text }

import { POOL_EVICTIONS as EVICTIONS, POOL_FAULTS as FAULTS } from '../../assembly/abi/counter.ts';
import { MicroVM } from '../../host/index.ts';

const MIB = 2 ** 20;
const SLICE_MS = 20;

export interface WriterOptions {
  start: 'writer';
  mib: number;
}
export interface YcsbOptions {
  start: 'ycsb';
  design: string;
  kind: number;
  /** 0 uniform, else 1 / (1 - theta) of Zipf. */
  skew: number;
  poolMib: number;
  dataMib: number;
}
/** A slice: when it ended, and what a piece of work took. Milliseconds and microseconds. */
export interface WriterSample {
  atMs: number;
  medianUs: number;
  maxUs: number;
}
export interface ForkEvent {
  fork: number;
  beganMs: number;
  endedMs: number;
  takenUs: number;
  /** Of all words in the fork; 0 when it is one moment of the writer's. */
  sum: number;
  copies: number;
}
export interface YcsbSample {
  atMs: number;
  rate: number;
  faults: number;
  evictions: number;
}
/** Where a page can look at the pool by itself: the VM's memory, and the address of the word that has the pool's address. */
export interface PoolPlace {
  pool: WebAssembly.Memory;
  word: number;
}

type Request = WriterOptions | YcsbOptions | { fork: true } | { stop: true };

let isStopped = true;
let forksWanted = 0;

const post = (message: object): void => self.postMessage(message);

/** The page's messages are heard in between. */
const breath = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve();
    port2.postMessage(0);
  });

async function bytesOf(name: string): Promise<Uint8Array> {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// --- the writer -------------------------------------------------------------------------------------------------------

/** Writes in one measured piece: more than the clock's 5 us take. */
const WRITES = 256;

async function writer({ mib }: WriterOptions): Promise<void> {
  const vm = await MicroVM.create({ guest: await bytesOf('writer.wasm') });
  const guest = vm.enter().exports as unknown as { grow(bytes: number): number; write(count: number, mask: number): void }; // prettier-ignore
  const bytes = mib * MIB;
  if (guest.grow(bytes) < 0) throw new Error(`no room for ${mib} MiB`);
  let forks = 0;
  const fork = async (): Promise<void> => {
    const { copies: copiesBefore } = vm.stats();
    const before = performance.now();
    const snapshot = vm.snapshot();
    const taken = performance.now();
    const sum = Number(await snapshot.run('sum', bytes));
    const endedMs = performance.now();
    await snapshot.release();
    const copies = vm.stats().copies - copiesBefore;
    post({ fork: ++forks, beganMs: before, endedMs, takenUs: (taken - before) * 1000, sum, copies } satisfies ForkEvent); // prettier-ignore
  };
  const under: Promise<void>[] = [];
  const times: number[] = [];
  while (!isStopped) {
    for (; forksWanted > 0; forksWanted--) under.push(fork());
    const began = performance.now();
    times.length = 0;
    let now = began;
    while (now - began < SLICE_MS) {
      guest.write(WRITES, bytes - 4);
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
    times.sort((a, b) => a - b);
    post({ atMs: now, medianUs: times[times.length >> 1]! * 1000, maxUs: times.at(-1)! * 1000 } satisfies WriterSample); // prettier-ignore
    await breath();
  }
  await Promise.all(under);
  await vm.close();
}

// --- YCSB ---------------------------------------------------------------------------------------------------------------

const DIRECTORY = 'ringzero-bench-page';
const FILE = 'data.rz';
const KEYS_PER_MIB = 28 * 256;
const OPERATIONS = 64;
const OPEN_READ_WRITE = 3;
const POOL_WORD = 1024; // guest/kv/memory-map.ts

async function ycsb({ design, kind, skew, poolMib, dataMib }: YcsbOptions): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(DIRECTORY, { recursive: true }).catch(() => {}); // of a tab that was closed
  const directory = await root.getDirectoryHandle(DIRECTORY, { create: true });
  await directory.getFileHandle(FILE, { create: true }); // preopen makes none
  const memory = Math.ceil((poolMib * 1.2 + 96) / 16) * 16 * MIB;
  const vm = await MicroVM.create({ guest: await bytesOf(design), linked: true, memory, preopen: DIRECTORY }); // prettier-ignore
  const { exports } = vm.enter();
  const call = (name: string, ...args: (number | bigint)[]): number => {
    const result = Number(exports[name]!(...args));
    if (result < 0) throw new Error(`${name} returned ${result}`);
    return result;
  };
  const window = Number(exports['window']!()) >>> 0;
  new Uint8Array(vm.memory.buffer).set(new TextEncoder().encode(FILE), window);
  const keys = Math.floor(dataMib * KEYS_PER_MIB);
  call('format', call('openFile', FILE.length, OPEN_READ_WRITE), poolMib * 256);
  post({ pool: vm.memory, word: POOL_WORD } satisfies PoolPlace);
  for (let at = 0; at < keys && !isStopped; at += KEYS_PER_MIB) {
    call('insert', at, Math.min(keys, at + KEYS_PER_MIB));
    post({ loading: Math.min(1, (at + KEYS_PER_MIB) / keys) });
    await breath();
  }
  call('setKeys', keys);
  call('seed', 1n);
  if (!isStopped) call('prepare', keys, skew);
  let [faults, evictions] = [call('stat', FAULTS), call('stat', EVICTIONS)];
  while (!isStopped) {
    const began = performance.now();
    let made = 0;
    let now = began;
    for (; now - began < 5 * SLICE_MS; now = performance.now()) {
      call('run', kind, OPERATIONS);
      made += OPERATIONS;
    }
    const [faultsNow, evictionsNow] = [call('stat', FAULTS), call('stat', EVICTIONS)];
    const seconds = (now - began) / 1000;
    post({
      atMs: now,
      rate: made / seconds,
      faults: (faultsNow - faults) / seconds,
      evictions: (evictionsNow - evictions) / seconds,
    } satisfies YcsbSample);
    [faults, evictions] = [faultsNow, evictionsNow];
    await breath();
  }
  await vm.close();
  await root.removeEntry(DIRECTORY, { recursive: true });
}

self.onmessage = async ({ data }: MessageEvent<Request>): Promise<void> => {
  if ('fork' in data) forksWanted++;
  else if ('stop' in data) isStopped = true;
  else {
    isStopped = false;
    try {
      await (data.start === 'writer' ? writer(data) : ycsb(data));
      post({ ended: data.start });
    } catch (error) {
      const { message, cause } = error as Error;
      post({ failed: `${message} ${(cause as Error | undefined)?.message ?? ''}` });
    }
  }
};
