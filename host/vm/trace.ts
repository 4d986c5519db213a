// The trace of a VM: what each vCPU did when, as a file of Chrome's trace events in their JSON array form
// (https://ui.perfetto.dev and chrome://tracing open it). What is traced, and what is not: docs/observing.md.
//
// Interface   startTrace() when a VM is created; its result can be posted, and each vCPU makes a Tracer of
//             it. tracedKernel() and tracedSyscall() wrap what is traced; endTrace() completes the file.
// Invariants  TRACE-1  A thread that appends announces it before it tests whether the trace has ended; the
//                      thread that ends it sets that first, then waits until no thread appends. So the last
//                      line is the last.
//             TRACE-2  Without a trace nothing is wrapped: the guest calls the kernel's own functions.
//             TRACE-3  An append is one write of whole lines (platform/trace-file.ts). Each line but the
//                      first begins with its comma, so lines that a thread did not append leave the file
//                      valid.
//             TRACE-4  Times are whole nanoseconds of one clock, so events of a vCPU nest exactly.
// Concurrency Each Tracer belongs to its vCPU's thread.
// Cost        without a trace none; with one about 2 us per event, and a write to the file every 64 KiB or
//             second.

import { COUNTER_COPIES, COUNTER_FAULTS } from '../../assembly/abi/counter.ts';
import { FRAME_BYTES, VCPUS_MAX } from '../../assembly/abi/limits.ts';
import * as syscall from '../../assembly/abi/syscall.ts';
import * as vector from '../../assembly/abi/vector.ts';
import { sleepUs } from '#platform';
import * as traceFile from '#platform/trace-file';
import { refuse, RingzeroError } from '../errors.ts';
import { WASI_FUNCTIONS } from '../wasi/abi.ts';
import type { HostSyscall, KernelExports } from './kernel.ts';

/** A trace in progress; can be posted. */
export interface TraceSetup {
  readonly path: string;
  /** clockNs() at its start, and the time at which that clock was 0. */
  readonly startNs: number;
  readonly clockStartMs: number;
  readonly eventsMax: number;
  /** Words ENDED .. DROPPED. */
  readonly state: SharedArrayBuffer;
}

type Arguments = Record<string, number | string | readonly string[]>;

const ENDED = 0; // 1 = no more appends
const APPENDING = 1; // threads that are appending
const EVENTS = 2; // events so far, kept or not
const WORDS = 3;

/** About 130 MB: events beyond that are counted, not kept. */
const EVENTS_MAX = 1_000_000;
const BUFFER_CHARACTERS = 65536;
const BUFFER_NS = 1e9;
/** How long to wait for a thread that was terminated while it appended. */
const END_WAIT_US = 200_000;
const END_POLL_US = 200;
/** Process id of the events: a file belongs to one VM. */
const PID = 1;

/** Fails with RZ_OPTION. */
export function checkTrace(path: unknown): void {
  if (path !== undefined && (typeof path !== 'string' || path === '' || path.includes('\0')))
    refuse('trace', path, 'the path of a file');
}

/**
 * Creates or overwrites the file. Fails with RZ_OPTION, with RZ_IO when it cannot be written, and with
 * RZ_HOST in a browser.
 */
export function startTrace(path: string, eventsMax = EVENTS_MAX): TraceSetup {
  checkTrace(path);
  const first = { name: 'process_name', ph: 'M', pid: PID, args: { name: 'ringzero' } };
  let absolute: string;
  try {
    absolute = traceFile.create(path);
    appendOnce(absolute, `[${JSON.stringify(first)}`);
  } catch (error) {
    if (error instanceof RingzeroError) throw error;
    throw new RingzeroError(
      'RZ_IO',
      `cannot write the trace ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const state = new SharedArrayBuffer(WORDS * 4);
  const { clockStartMs } = traceFile;
  return { path: absolute, startNs: traceFile.clockNs(), clockStartMs, eventsMax, state };
}

function appendOnce(path: string, text: string): void {
  const descriptor = traceFile.open(path);
  try {
    traceFile.append(descriptor, text);
  } finally {
    traceFile.close(descriptor);
  }
}

/** Completes the file when this thread ends, or when the result is called. */
export function keepTrace(setup: TraceSetup): () => void {
  const forget = traceFile.atEnd(() => endTrace(setup));
  return () => {
    forget();
    endTrace(setup);
  };
}

/** Completes the file. What vCPUs have not appended by then is lost. */
export function endTrace({ path, state, eventsMax }: TraceSetup): void {
  const words = new Int32Array(state);
  if (Atomics.exchange(words, ENDED, 1) !== 0) return;
  for (let us = 0; Atomics.load(words, APPENDING) !== 0 && us < END_WAIT_US; us += END_POLL_US)
    sleepUs(END_POLL_US);
  const dropped = Math.max(0, Atomics.load(words, EVENTS) - eventsMax);
  const labels = dropped === 0 ? 'complete' : `${dropped} events too many, not kept`;
  const last = { name: 'process_labels', ph: 'M', pid: PID, args: { labels, dropped } };
  try {
    appendOnce(path, `,\n${JSON.stringify(last)}]\n`);
  } catch {
    // readers of the format accept a file without its end
  }
}

/** Events of one vCPU. */
export class Tracer {
  readonly #setup: TraceSetup;
  readonly #words: Int32Array;
  readonly #descriptor: number;
  readonly #forgetEnd: () => void;
  /** From this thread's clock to that of the thread that started the trace. */
  readonly #shiftNs: number;
  #vcpu = VCPUS_MAX;
  #lines = '';
  #flushedNs: number;
  #isOpen = true;

  /** Fails with RZ_IO when the file cannot be written. */
  constructor(setup: TraceSetup) {
    this.#setup = setup;
    this.#words = new Int32Array(setup.state);
    try {
      this.#descriptor = traceFile.open(setup.path);
    } catch (error) {
      throw new RingzeroError(
        'RZ_IO',
        `cannot write the trace ${setup.path}: ${(error as Error).message}`,
        { cause: error },
      );
    }
    this.#shiftNs = Math.round((traceFile.clockStartMs - setup.clockStartMs) * 1e6);
    this.#flushedNs = this.now();
    this.#forgetEnd = traceFile.atEnd(() => this.flush());
  }

  /** Names this vCPU, once it has a number. */
  name(vcpu: number, image: string): void {
    this.#vcpu = vcpu;
    const args = { name: `vCPU ${vcpu} (${image})` };
    this.#lines += line({ name: 'thread_name', ph: 'M', pid: PID, tid: vcpu, args });
  }

  now(): number {
    return traceFile.clockNs() + this.#shiftNs;
  }

  /** Runs `body` as an event, even if it throws. */
  span<T>(category: string, name: string, args: Arguments, body: () => T): T {
    const from = this.now();
    try {
      return body();
    } finally {
      this.end(category, name, from, args);
    }
  }

  /** Records an event from `from`, which now() returned, until the call. */
  end(category: string, name: string, from: number, args: Arguments): void {
    const { startNs, eventsMax } = this.#setup;
    const to = this.now();
    if (Atomics.add(this.#words, EVENTS, 1) < eventsMax) {
      const times = { ts: (from - startNs) / 1000, dur: (to - from) / 1000 };
      const event = { name, cat: category, ph: 'X', ...times, pid: PID, tid: this.#vcpu, args };
      this.#lines += line(event);
    }
    if (this.#lines.length >= BUFFER_CHARACTERS || to - this.#flushedNs >= BUFFER_NS) this.flush();
  }

  /** Appends the buffered events to the file. If that fails, only the trace ends. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    this.#flushedNs = this.now();
    if (lines === '' || !this.#isOpen) return;
    Atomics.add(this.#words, APPENDING, 1);
    try {
      if (Atomics.load(this.#words, ENDED) === 0) traceFile.append(this.#descriptor, lines);
    } catch {
      Atomics.store(this.#words, ENDED, 1);
    } finally {
      Atomics.sub(this.#words, APPENDING, 1);
    }
  }

  /** Ends with the vCPU. */
  close(): void {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    this.#forgetEnd();
    traceFile.close(this.#descriptor);
  }
}

function line(event: object): string {
  return `,\n${JSON.stringify(event)}`;
}

/** What a traced kernel reads from its vCPU's block. */
interface Traceable {
  /** Interrupt vectors that the next safepoint would take, a bit each. */
  readonly deliverable: number;
  /** One of its counters (abi/counter.ts), modulo 2^32. */
  counted(counter: number): number;
}

/** The kernel's functions, wrapped where they are events. */
export function tracedKernel(
  kernel: KernelExports,
  tracer: Tracer,
  vcpu: Traceable,
): KernelExports {
  /** Records an event if a fault happened: number of pages, and number of copies. */
  const writeFault = <T>(address: number, body: () => T): T => {
    const from = tracer.now();
    const faults = vcpu.counted(COUNTER_FAULTS);
    const copies = vcpu.counted(COUNTER_COPIES);
    try {
      return body();
    } finally {
      const pages = (vcpu.counted(COUNTER_FAULTS) - faults) >>> 0;
      const copied = (vcpu.counted(COUNTER_COPIES) - copies) >>> 0;
      if (pages > 0)
        tracer.end('fault', 'write fault', from, { page: pageOf(address), pages, copied });
    }
  };
  const interrupts = (body: () => void): void => {
    const vectors = vcpu.deliverable;
    if (vectors === 0) return body();
    const names = vectorNames(vectors);
    tracer.span('interrupt', `interrupt: ${names.join(', ')}`, { vectors: names }, body);
  };
  return {
    ...kernel,
    fault: (address) => writeFault(address, () => kernel.fault(address)),
    faultRange: (address, bytes) => writeFault(address, () => kernel.faultRange(address, bytes)),
    receive: (address, bytes) => writeFault(address, () => kernel.receive(address, bytes)),
    deliver: (address, bytes) => writeFault(address, () => kernel.deliver(address, bytes)),
    viewFault: (address) =>
      tracer.span('fault', 'private copy', { page: pageOf(address) }, () =>
        kernel.viewFault(address),
      ),
    pageFault: (page, access) =>
      tracer.span('fault', 'page fault', { page: String(page) }, () =>
        kernel.pageFault(page, access),
      ),
    safepoint: () => interrupts(kernel.safepoint),
    poll: () => interrupts(kernel.poll),
    serveCall: (fn, arg) =>
      tracer.span('interrupt', 'remote call', { function: fn }, () => kernel.serveCall(fn, arg)),
    takeSnapshot: () => {
      const from = tracer.now();
      const slot = kernel.takeSnapshot();
      tracer.end('snapshot', 'take snapshot', from, { slot });
      return slot;
    },
    forkSnapshot: (parent) =>
      tracer.span('snapshot', 'fork snapshot', { parent }, () => kernel.forkSnapshot(parent)),
    releaseSnapshot: (slot) =>
      tracer.span('snapshot', 'release snapshot', { slot }, () => kernel.releaseSnapshot(slot)),
  };
}

function pageOf(address: number): number {
  return Math.floor((address >>> 0) / FRAME_BYTES);
}

/** The host's system calls, each as an event with its result. */
export function tracedSyscall(call: HostSyscall, tracer: Tracer): HostSyscall {
  return (number, a, b, c, d, e) => {
    const from = tracer.now();
    let result: number | undefined;
    try {
      return (result = call(number, a, b, c, d, e));
    } finally {
      tracer.end('syscall', syscallName(number), from, result === undefined ? {} : { result });
    }
  };
}

const SYSCALL_NAMES = namesOf(syscall, 'SYS_');
const VECTOR_NAMES = namesOf(vector, 'VECTOR_');

/** From a file of abi/: the name of a number, without its prefix, in lower case. */
function namesOf(constants: Record<string, number>, prefix: string): Map<number, string> {
  const names = Object.entries(constants).filter(([name]) => name.startsWith(prefix));
  return new Map(names.map(([name, number]) => [number, name.slice(prefix.length).toLowerCase()]));
}

function syscallName(number: number): string {
  const wasi = WASI_FUNCTIONS[number - syscall.SYS_WASI];
  if (wasi !== undefined) return wasi;
  return SYSCALL_NAMES.get(number) ?? `system call ${number}`;
}

function vectorNames(vectors: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < vector.VECTOR_COUNT; bit++) {
    if (((vectors >>> bit) & 1) === 0) continue;
    const isOwn = bit >= vector.VECTOR_USER;
    names.push((isOwn ? undefined : VECTOR_NAMES.get(bit)) ?? `vector ${bit}`);
  }
  return names;
}
