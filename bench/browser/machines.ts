// The worker of the bench page that runs guests: a program whose memory is forked, the same whose
// memory is copied, and YCSB on a pool that is smaller than its data. What it measured in a slice
// it posts.
//
//   page -> worker   { start: 'writer' | 'copier' | 'ycsb', ...options }, { fork: true }, { stop: true }
//   worker -> page   samples and forks (writers.ts), samples and the pool's place (below),
//                    { ended: name }, { failed: text }

import { POOL_EVICTIONS as EVICTIONS, POOL_FAULTS as FAULTS } from '../../assembly/abi/counter.ts';
import { MicroVM } from '../../host/index.ts';
import { breath, bytesOf, MIB, post, SLICE_MS, wanted } from './control.ts';
import { copier, writer, type WriterOptions } from './writers.ts';

interface YcsbOptions {
  start: 'ycsb';
  design: string;
  kind: number;
  /** 0 uniform, else 1 / (1 - theta) of Zipf. */
  skew: number;
  poolMib: number;
  dataMib: number;
}
export interface YcsbSample {
  atMs: number;
  rate: number;
  faults: number;
  evictions: number;
}
/**
 * Where a page can look at the pool by itself: the VM's memory, and the address of the word that
 * has the pool's address.
 */
export interface PoolPlace {
  pool: WebAssembly.Memory;
  word: number;
}

type Request = WriterOptions | YcsbOptions | { fork: true } | { stop: true };

// --- YCSB
// ------------------------------------------------------------------------------------------

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
  const vm = await MicroVM.create({
    guest: await bytesOf(design),
    linked: true,
    memory,
    preopen: DIRECTORY,
  });
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
  for (let at = 0; at < keys && !wanted.isStopped; at += KEYS_PER_MIB) {
    call('insert', at, Math.min(keys, at + KEYS_PER_MIB));
    post({ loading: Math.min(1, (at + KEYS_PER_MIB) / keys) });
    await breath();
  }
  call('setKeys', keys);
  call('seed', 1n);
  if (!wanted.isStopped) call('prepare', keys, skew);
  let [faults, evictions] = [call('stat', FAULTS), call('stat', EVICTIONS)];
  while (!wanted.isStopped) {
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

const WORKS = { writer, copier, ycsb };

self.onmessage = async ({ data }: MessageEvent<Request>): Promise<void> => {
  if ('fork' in data) wanted.forks++;
  else if ('stop' in data) wanted.isStopped = true;
  else {
    wanted.isStopped = false;
    try {
      await WORKS[data.start](data as WriterOptions & YcsbOptions);
      post({ ended: data.start });
    } catch (error) {
      const { message, cause } = error as Error;
      post({ failed: `${message} ${(cause as Error | undefined)?.message ?? ''}` });
    }
  }
};
