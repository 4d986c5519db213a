// Two programs that write to their memory without a pause, until the page wants the memory as it is
// at one moment. `writer` runs in a VM, which forks it; `copier` is the same module as the engine
// runs it, which has to stand still while its memory is copied.
//
// Cost        The copy's target is memory that it has written before, which is the best case of a
//             copy: new memory takes longer.

import { MicroVM } from '../../host/index.ts';
import { breath, bytesOf, MIB, now, post, SLICE_MS, wanted } from './control.ts';

export interface WriterOptions {
  start: 'writer' | 'copier';
  mib: number;
  /** The program writes to this part of its memory: 1 = all of it, 16 = a sixteenth. */
  part: number;
}

/** A slice: from when to when it went, how many words were written, and what a piece of WRITES took. */
export interface WriterSample {
  fromMs: number;
  atMs: number;
  writes: number;
  medianUs: number;
  maxUs: number;
}

/**
 * The memory at one moment: what the program lost of its time for it, and when the reader had added
 * it up.
 */
export interface ForkEvent {
  fork: number;
  beganMs: number;
  endedMs: number;
  /** Milliseconds in which the program could not write: in vm.snapshot(), or while its memory was copied. */
  pausedMs: number;
  /** Of all words; 0 when it is one moment of the program's. Nothing adds up a copy. */
  sum?: number;
  /** Pages that were copied because the program wrote to them while the fork existed. */
  copies?: number;
}

/** Exports of writer.wat. */
interface Guest {
  grow(bytes: number): number;
  write(count: number, mask: number): void;
  sum(bytes: number): number;
}

/** Writes in one measured piece: several of the clock's steps of 5 us. */
const WRITES = 4096;
const PAGE = 4096;
/** Snapshots until their code is compiled. */
const WARM_UP = 100;
const VM_OVERHEAD = 64 * MIB;
const VM_MAX = 4096 * MIB;

/** Writes all over the memory, so that each page is there, and then in slices to a part of it. */
async function writeOn(
  guest: Guest,
  { mib, part }: WriterOptions,
  fork: (number: number) => Promise<void> | undefined,
): Promise<void> {
  const bytes = mib * MIB;
  if (guest.grow(bytes) < 0) throw new Error(`no room for ${mib} MiB`);
  guest.write((bytes / PAGE) * 2, bytes - 4);
  const mask = bytes / part - 4;
  const under: (Promise<void> | undefined)[] = [];
  const times: number[] = [];
  for (let forks = 0; !wanted.isStopped;) {
    for (; wanted.forks > 0; wanted.forks--) under.push(fork(++forks));
    const began = performance.now();
    times.length = 0;
    let last = began;
    while (last - began < SLICE_MS) {
      guest.write(WRITES, mask);
      const then = performance.now();
      times.push(then - last);
      last = then;
    }
    times.sort((a, b) => a - b);
    const { timeOrigin } = performance;
    const [medianUs, maxUs] = [times[times.length >> 1]! * 1000, times.at(-1)! * 1000];
    post({
      fromMs: timeOrigin + began,
      atMs: timeOrigin + last,
      writes: times.length * WRITES,
      medianUs,
      maxUs,
    } satisfies WriterSample);
    await breath();
  }
  await Promise.all(under);
}

export async function writer(options: WriterOptions): Promise<void> {
  const bytes = options.mib * MIB;
  const vm = await MicroVM.create({
    guest: await bytesOf('writer.wasm'),
    memory: Math.min(VM_MAX, 3 * bytes + VM_OVERHEAD),
    guestLimit: bytes + MIB,
  });
  const fork = async (number: number): Promise<void> => {
    const { copies: before } = vm.stats();
    const beganMs = now();
    const snapshot = vm.snapshot();
    const pausedMs = now() - beganMs;
    const sum = Number(await snapshot.run('sum', bytes));
    const endedMs = now();
    await snapshot.release();
    const copies = vm.stats().copies - before;
    post({ fork: number, beganMs, endedMs, pausedMs, sum, copies } satisfies ForkEvent);
  };
  for (let i = 0; i < WARM_UP; i++) await vm.snapshot().release();
  await writeOn(vm.enter().exports as unknown as Guest, options, fork);
  await vm.close();
}

export async function copier(options: WriterOptions): Promise<void> {
  const { instance } = await WebAssembly.instantiate(await bytesOf('writer.wasm'));
  const { memory, ...guest } = instance.exports as unknown as Guest & {
    memory: WebAssembly.Memory;
  };
  const target = new Uint8Array(options.mib * MIB).fill(1);
  const copy = (number: number): undefined => {
    const beganMs = now();
    target.set(new Uint8Array(memory.buffer, 0, target.length));
    const endedMs = now();
    post({ fork: number, beganMs, endedMs, pausedMs: endedMs - beganMs } satisfies ForkEvent);
  };
  await writeOn(guest, options, copy);
}
