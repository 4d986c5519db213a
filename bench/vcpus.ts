// vCPUs of a linked guest on threads of their own, over a store in a directory: what the workloads' benches
// and tests run on.
//
//   const vcpus = await startVcpus({ guest: 'ycsb.wasm', vcpus: 2, memory: 2 ** 30, directory });
//   vcpus.call('format', vcpus.descriptor, frames);     // on this thread's vCPU
//   await vcpus.join();                                 // the others' turn to know the store
//   const { rate } = await vcpus.loop('run', [0, 1000], 1000, 2000);

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { OPEN_DIRECT, OPEN_READ, OPEN_WRITE } from '../assembly/abi/syscall.ts';
import { MicroVM, type MicroVMHandle } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';

export type Arguments = readonly (number | bigint)[];

interface VcpusOptions {
  /** Bytes of the guest, or the name of a built module. */
  guest: string | Uint8Array;
  /** Threads besides the caller's. */
  vcpus: number;
  memory: number;
  /** Where the store's file is, or will be. */
  directory: string;
  /** Flags to open it with, besides reading and writing. OPEN_DIRECT: with rings. */
  openFlags?: number;
}

/** What a loop made: calls a second, and what the calls returned when one of them failed. */
export interface LoopResult {
  rate: number;
  each: readonly number[];
  /** Processor time of an operation, in microseconds: of this process, in user and kernel mode. */
  cpuUs: number;
}

/** A job of a worker: one call, or the same call over and over between the signals. */
export interface Job {
  name: string;
  args: Arguments;
  /** The signals: words READY, GO and STOP. Undefined for one call. */
  flags?: Int32Array;
}

export interface JobResult {
  result: number;
  calls: number;
  ms: number;
}

export interface WorkerSetup {
  handle: MicroVMHandle;
  openFlags: number;
}

export const READY = 0; // counts workers
export const GO = 1;
export const STOP = 2;

export const STORE_FILE = 'data.rz';

/** Opens the store's file on the vCPU of the calling thread: a descriptor, the same on every vCPU. */
export function openStore(vm: MicroVM, flags: number): number {
  const { exports } = vm.enter();
  const at = Number(exports['window']!()) >>> 0;
  const name = new TextEncoder().encode(STORE_FILE);
  new Uint8Array(vm.memory.buffer).set(name, at);
  const descriptor = Number(exports['openFile']!(name.length, flags));
  if (descriptor < 0) throw new Error(`cannot open the store's file: ${descriptor}`);
  return descriptor;
}

export class Vcpus {
  readonly vm: MicroVM;
  readonly descriptor: number;
  readonly #workers: Worker[];

  constructor(vm: MicroVM, descriptor: number, workers: Worker[]) {
    this.vm = vm;
    this.descriptor = descriptor;
    this.#workers = workers;
  }

  /** A call on this thread's vCPU. */
  call(name: string, ...args: Arguments): number {
    return Number(this.vm.enter().exports[name]!(...args));
  }

  /** The same, and a negative result is an error. */
  check(name: string, ...args: Arguments): number {
    const result = this.call(name, ...args);
    if (result < 0) throw new Error(`${name}(${args.join(', ')}) returned ${result}`);
    return result;
  }

  /** One call on each worker, all at once; `args` may depend on the worker. */
  each(name: string, args: (worker: number) => Arguments = () => []): Promise<number[]> {
    return Promise.all(
      this.#workers.map(async (worker, i) => (await ask(worker, { name, args: args(i) })).result),
    );
  }

  /** Makes the workers know the store that this thread has made or opened. */
  async join(): Promise<void> {
    for (const result of await this.each('join')) check('join', result);
  }

  /**
   * The first workers call `name` over and over for some time: what they did, `operations` counted for each
   * call.
   */
  async loop(
    name: string,
    args: Arguments,
    operations: number,
    ms: number,
    vcpus = this.#workers.length,
  ): Promise<LoopResult> {
    const workers = this.#workers.slice(0, vcpus);
    const flags = new Int32Array(new SharedArrayBuffer(12));
    const running = workers.map((worker) => ask(worker, { name, args, flags }));
    while (Atomics.load(flags, READY) < workers.length) await sleep(1);
    const cpuBefore = process.cpuUsage();
    Atomics.store(flags, GO, 1);
    Atomics.notify(flags, GO);
    // the length of a run
    setTimeout(() => Atomics.store(flags, STOP, 1), ms);
    const results = await Promise.all(running);
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const { result } of results) check(name, result);
    const made = results.reduce((sum, { calls }) => sum + calls * operations, 0);
    const each = results.map((one) => (one.calls * operations * 1000) / one.ms);
    return { rate: each.reduce((sum, rate) => sum + rate, 0), each, cpuUs: (user + system) / made };
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) {
      const end = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage(undefined);
      await end;
    }
    await this.vm.close();
  }
}

function check(name: string, result: number): void {
  if (result < 0) throw new Error(`${name} returned ${result} on a worker`);
}

function sleep(ms: number): Promise<void> {
  // the length of a run
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The next message of a worker. */
function answerOf(worker: Worker): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const answer = (result: JobResult): void => {
      worker.off('error', reject);
      resolve(result);
    };
    worker.once('message', answer);
    worker.once('error', reject);
  });
}

function ask(worker: Worker, job: Job): Promise<JobResult> {
  const answer = answerOf(worker);
  worker.postMessage(job);
  return answer;
}

/** Makes a VM and its workers; the store's file is made when it is missing. */
export async function startVcpus(options: VcpusOptions): Promise<Vcpus> {
  const { guest, vcpus, memory, directory, openFlags = 0 } = options;
  closeSync(openSync(join(directory, STORE_FILE), 'a'));
  const vm = await MicroVM.create({
    guest: typeof guest === 'string' ? readBuiltModule(guest) : guest,
    linked: true,
    memory,
    preopen: directory,
    rings: (openFlags & OPEN_DIRECT) !== 0,
  });
  const flags = OPEN_READ | OPEN_WRITE | openFlags;
  const descriptor = openStore(vm, flags);
  const workers: Worker[] = [];
  for (let i = 0; i < vcpus; i++) {
    const setup: WorkerSetup = { handle: vm.handle, openFlags: flags };
    const worker = new Worker(new URL('./vcpu-worker.js', import.meta.url), { workerData: setup });
    await answerOf(worker);
    workers.push(worker);
  }
  return new Vcpus(vm, descriptor, workers);
}
