// The native peer: vmcache (github.com/viktorleis/vmcache), a buffer manager in C++ on the MMU, from the
// authors of the paper's baseline. It is built outside the repository; RZ_VMCACHE is the path of its program.
//
// It prints what it has done once a second. Between measurements it is stopped (SIGSTOP), so that rounds
// interleave.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { skip } from '../tests/peers.ts';
import { median } from './report.ts';

const GIB = 2 ** 30;
const LOAD_MS = 1_800_000;
const LINE_MS = 30_000;

interface VmcacheOptions {
  threads: number;
  /** Keys of random look-ups, or warehouses of TPC-C. */
  size: number;
  workload: 'look-ups' | 'TPC-C';
  /** Whole GiB, at least 1. */
  poolGib: number;
  virtualGib: number;
  /** Its storage: made here, removed in the end. */
  file: string;
}

/** Path of the program; undefined when there is none. */
export function vmcachePath(): string | undefined {
  const path = process.env['RZ_VMCACHE'];
  if (path !== undefined) return path;
  skip('the comparison with vmcache', 'RZ_VMCACHE, the path of the program,');
  return undefined;
}

export class Vmcache {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts and loads it; then it is stopped. */
  static async start(path: string, options: VmcacheOptions): Promise<Vmcache> {
    const { threads, size, workload, poolGib, virtualGib, file } = options;
    const storage = openSync(file, 'w');
    ftruncateSync(storage, virtualGib * GIB);
    closeSync(storage);
    const env = {
      ...process.env,
      BLOCK: file,
      THREADS: `${threads}`,
      DATASIZE: `${size}`,
      RNDREAD: workload === 'look-ups' ? '1' : '0',
      PHYSGB: `${poolGib}`,
      VIRTGB: `${virtualGib}`,
      RUNFOR: '1000000',
    };
    const child = spawn(path, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const peer = new Vmcache(child, file);
    while (!(await peer.#next(LOAD_MS)).startsWith('ts,')); // the heading comes after the load
    child.kill('SIGSTOP');
    return peer;
  }

  async #next(ms: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      // a deadline
      timer = setTimeout(() => reject(new Error('vmcache says nothing')), ms);
    });
    const line = await Promise.race([this.#lines.next(), late]);
    clearTimeout(timer);
    if (line.done) throw new Error('vmcache has ended');
    return line.value;
  }

  /** Operations a second: the median of some seconds. */
  async measure(seconds: number): Promise<number> {
    this.#child.kill('SIGCONT');
    await this.#next(LINE_MS); // of the second in which it was stopped
    const rates: number[] = [];
    while (rates.length < seconds) {
      const rate = Number((await this.#next(LINE_MS)).split(',')[1]);
      if (Number.isFinite(rate)) rates.push(rate); // not its warnings
    }
    this.#child.kill('SIGSTOP');
    return median(rates);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#file, { force: true });
  }
}
