// The proxied system calls: one row per number of assembly/abi/syscall.ts. Each runs on the calling vCPU's
// thread, through the host's synchronous calls. Guest ranges are checked first; bytes for the guest go to the
// vCPU's staging buffer, and the kernel delivers them with checked stores.

import * as nr from '../../assembly/abi/syscall.ts';
import * as errno from '../../assembly/abi/errno.ts';
import { FRAME_BYTES, STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { after, files, fillRandom, monotonicUs, sleepUs } from '#platform';
import { DmaWindow } from '../io/dma-window.ts';
import { Faults } from '../io/faults.ts';
import { RingFiles } from '../io/files.ts';
import { enter, RingMemory } from '../io/ring.ts';
import type { Kernel } from '../vm/kernel.ts';
import { Errno } from './errno.ts';
import type { Preopen } from './preopen.ts';
import type { Lookup } from './walk.ts';
import type * as Wasm from '../webassembly.ts';

const DESCRIPTORS_MAX = 64;
const QUIET_MS = 10;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Serves the system calls from SYS_WASI on. */
interface WasiService {
  serve(number: number): number;
  /** The vCPU whose descriptors it uses: in a fork, its parent's. */
  owner: number;
  /** Memory has become that of a state. */
  restored(): void;
  /** Closes what the program left open. */
  close(): void;
}

/**
 * Where a guest's messages go: levels 0 debug, 1 verbose, 2 notice, 3 warning.
 *
 * @category Internals
 */
export interface SyscallSink {
  /** Takes one message. */
  log(level: number, text: string): void;
  /** `what`: 1 loading a file, 2 saving one. `perMille`: 0..1000. */
  progress(what: number, perMille: number): void;
}

/** What system calls use of a VM. */
interface StorageParts {
  memory: Wasm.Memory;
  frames: number;
  dmaWindow: SharedArrayBuffer;
  ringFiles: SharedArrayBuffer | undefined;
  faults: SharedArrayBuffer | undefined;
}

/** The system calls of one vCPU: its descriptors, and the directory in which it may open files. */
export class Syscalls {
  readonly #memory: Uint8Array;
  readonly #rings: RingMemory;
  readonly #window: DmaWindow;
  readonly #ringFiles: RingFiles | undefined;
  readonly #faults: Faults | undefined;
  readonly #kernel: Kernel;
  readonly #sink: SyscallSink;
  readonly #descriptors: (number | undefined)[] = [];
  preopen: Preopen;
  wasi: WasiService | undefined;

  constructor(machine: StorageParts, kernel: Kernel, preopen: Preopen, sink: SyscallSink) {
    const { memory, frames, dmaWindow, ringFiles, faults } = machine;
    this.#rings = new RingMemory(memory, frames);
    this.#memory = this.#rings.bytes;
    this.#window = new DmaWindow(frames, dmaWindow);
    this.#window.attach(kernel.vcpu);
    this.#ringFiles = ringFiles && new RingFiles(ringFiles);
    this.#faults = faults && new Faults({ shared: faults });
    this.#kernel = kernel;
    this.#sink = sink;
    this.preopen = preopen;
  }

  /** Runs one call. Never throws: an error of the host becomes a negative errno for the guest. */
  readonly call = (
    number: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
  ): number => {
    if (number >= nr.SYS_WASI) return this.wasi?.serve(number) ?? -errno.ENOSYS;
    try {
      const row = ROWS[number];
      return row === undefined ? -errno.ENOSYS : row(this, a, b, c, d, e);
    } catch (error) {
      return -errnoOf(error);
    }
  };

  /** Closes what the guest left open, when its vCPU ends. */
  closeAll(): void {
    this.wasi?.close();
    for (const [guest, host] of this.#descriptors.entries()) {
      this.#descriptors[guest] = undefined;
      if (host !== undefined) closeWhenQuiet(host, this.#ringFiles);
    }
  }

  /** The bytes of a range for the host to read; fewer than asked when they had to be staged. */
  input(address: number, bytes: number): Uint8Array {
    if (!this.#kernel.isKernelRange(address, bytes)) this.check(address, bytes);
    const start = this.#kernel.lend(address, bytes) >>> 0;
    const length = start === address >>> 0 ? bytes >>> 0 : Math.min(bytes >>> 0, STAGING_BYTES);
    return this.#memory.subarray(start, start + length);
  }

  /** Where the host may put up to `bytes` bytes for the guest. */
  staging(bytes: number): Uint8Array {
    const start = this.#kernel.staging;
    return this.#memory.subarray(start, start + Math.min(bytes >>> 0, STAGING_BYTES));
  }

  /** The call of this name that linked guests import. */
  readonly setDmaWindow = (start: number, end: number): number =>
    this.#window.set(start >>> 0, end >>> 0);

  deliver(address: number, bytes: number): void {
    this.#kernel.deliver(address, bytes);
  }

  check(address: number, bytes: number): void {
    if (!this.#kernel.isGuestRange(address, bytes)) throw new Errno(errno.EFAULT);
  }

  text(address: number, bytes: number): string {
    if (bytes >>> 0 > STAGING_BYTES) throw new Errno(errno.EINVAL);
    return decoder.decode(this.input(address, bytes).slice());
  }

  /** Calls `use` with the host path of the file that a guest path names. */
  find<T>(address: number, bytes: number, lookup: Lookup, use: (path: string) => T): T {
    return this.preopen.find(this.text(address, bytes), lookup, use);
  }

  log(level: number, text: string): void {
    this.#sink.log(level, text);
  }

  progress(what: number, perMille: number): void {
    this.#sink.progress(what, perMille);
  }

  add(host: number): number {
    const free = this.#descriptors.indexOf(undefined);
    const guest = free >= 0 ? free : this.#descriptors.length;
    if (guest >= DESCRIPTORS_MAX) {
      files.close(host);
      throw new Errno(errno.EMFILE);
    }
    this.#descriptors[guest] = host;
    return guest;
  }

  host(guest: number): number {
    const host = this.#descriptors[guest];
    if (host === undefined) throw new Errno(errno.EBADF);
    return host;
  }

  /** Fails with EBUSY while the I/O service has operations on the file in flight. */
  remove(guest: number): number {
    const host = this.host(guest);
    if (this.#ringFiles?.unregister(host) === false) throw new Errno(errno.EBUSY);
    this.#descriptors[guest] = undefined;
    return host;
  }

  /** Number of the file for ring entries. */
  register(guest: number): number {
    if (this.#ringFiles === undefined) throw new Errno(errno.ENOSYS);
    const file = this.#ringFiles.register(this.host(guest));
    if (file < 0) throw new Errno(errno.EMFILE);
    return file;
  }

  enterRing(count: number): number {
    return enter(this.#rings, this.#kernel.vcpu, count);
  }

  /** Transfers between a file and a range of the DMA window, or as much of it as an injected fault leaves. */
  transfer(
    operation: 'read' | 'write',
    descriptor: number,
    address: number,
    bytes: number,
    low: number,
    high: number,
  ): number {
    const host = this.host(descriptor);
    const at = position(low, high);
    const { vcpu } = this.#kernel;
    this.#window.beginCall(vcpu);
    try {
      if (!this.#window.contains(address, bytes)) throw new Errno(errno.EFAULT);
      const part = this.#faults === undefined ? bytes : this.#faults.onCall(operation, bytes);
      if (part < 0) throw new Errno(-part);
      return files[operation](host, this.#memory, address, part, at);
    } finally {
      this.#window.endCall(vcpu);
    }
  }

  syncFault(): void {
    if (this.#faults === undefined) return;
    const result = this.#faults.onCall('sync', 0);
    if (result < 0) throw new Errno(-result);
  }
}

type Row = (vcpu: Syscalls, a: number, b: number, c: number, d: number, e: number) => number;

const ROWS: Record<number, Row> = {
  [nr.SYS_OPEN]: (vcpu, name, bytes, flags) =>
    vcpu.find(name, bytes, 'follow', (path) => vcpu.add(files.open(path, checkedFlags(flags)))),
  [nr.SYS_CLOSE]: (vcpu, descriptor) => {
    files.close(vcpu.remove(descriptor));
    return 0;
  },
  [nr.SYS_READ]: (vcpu, descriptor, buffer, bytes) => {
    vcpu.check(buffer, bytes);
    const target = vcpu.staging(bytes);
    const got = files.read(vcpu.host(descriptor), target, 0, target.length, null);
    vcpu.deliver(buffer, got);
    return got;
  },
  [nr.SYS_WRITE]: (vcpu, descriptor, buffer, bytes) => {
    const host = vcpu.host(descriptor);
    const source = vcpu.input(buffer, bytes);
    return files.write(host, source, 0, source.length, null);
  },
  [nr.SYS_SYNC]: (vcpu, descriptor) => {
    const host = vcpu.host(descriptor);
    vcpu.syncFault();
    files.sync(host);
    return 0;
  },
  [nr.SYS_RENAME]: (vcpu, from, fromBytes, to, toBytes) => {
    vcpu.find(from, fromBytes, 'entry', (old) =>
      vcpu.find(to, toBytes, 'entry', (fresh) => files.rename(old, fresh)),
    );
    return 0;
  },
  [nr.SYS_UNLINK]: (vcpu, name, bytes) => {
    vcpu.find(name, bytes, 'entry', (path) => files.unlink(path));
    return 0;
  },
  [nr.SYS_SIZE]: (vcpu, descriptor, result) => {
    vcpu.check(result, 8);
    const target = view(vcpu.staging(8));
    target.setBigUint64(0, BigInt(files.size(vcpu.host(descriptor))), true);
    vcpu.deliver(result, 8);
    return 0;
  },
  [nr.SYS_CLOCK]: (vcpu, result) => {
    vcpu.check(result, 16);
    const target = view(vcpu.staging(16));
    target.setFloat64(0, Date.now(), true);
    target.setFloat64(8, monotonicUs(), true);
    vcpu.deliver(result, 16);
    return 0;
  },
  [nr.SYS_RANDOM]: (vcpu, buffer, bytes) => {
    vcpu.check(buffer, bytes);
    const target = vcpu.staging(bytes);
    fillRandom(target);
    vcpu.deliver(buffer, target.length);
    return target.length;
  },
  [nr.SYS_LOG]: (vcpu, level, text, bytes) => {
    vcpu.log(level, vcpu.text(text, bytes));
    return 0;
  },
  [nr.SYS_SLEEP]: (_vcpu, us) => {
    if (us >>> 0 > nr.SLEEP_US_MAX) throw new Errno(errno.EINVAL);
    sleepUs(us);
    return 0;
  },
  [nr.SYS_PROGRESS]: (vcpu, what, perMille) => {
    vcpu.progress(what, perMille);
    return 0;
  },
  [nr.SYS_PREAD]: (vcpu, descriptor, address, bytes, low, high) =>
    vcpu.transfer('read', descriptor, address >>> 0, bytes >>> 0, low, high),
  [nr.SYS_PWRITE]: (vcpu, descriptor, address, bytes, low, high) =>
    vcpu.transfer('write', descriptor, address >>> 0, bytes >>> 0, low, high),
  [nr.SYS_RING_ENTER]: (vcpu, count) => vcpu.enterRing(count),
  [nr.SYS_RING_FILE]: (vcpu, descriptor) => vcpu.register(descriptor),
};

/** Its vCPU has ended, but operations of others may be in flight on the file. */
function closeWhenQuiet(host: number, ringFiles: RingFiles | undefined): void {
  if (ringFiles?.unregister(host) === false) after(QUIET_MS, () => closeWhenQuiet(host, ringFiles));
  else files.close(host);
}

/** Byte offset of a page whose number comes in two halves, and of a byte in it (PAGE_OFFSET_SHIFT). */
function position(low: number, high: number): number {
  const offset = high >>> nr.PAGE_OFFSET_SHIFT;
  const page = (high & ((1 << nr.PAGE_OFFSET_SHIFT) - 1)) * 2 ** 32 + (low >>> 0);
  if (page >= 2 ** 40) throw new Errno(errno.EINVAL);
  return page * FRAME_BYTES + offset;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Creating or truncating implies writing; unknown bits are refused. */
function checkedFlags(flags: number): number {
  const access = flags & (nr.OPEN_READ | nr.OPEN_WRITE);
  const changes = flags & (nr.OPEN_CREATE | nr.OPEN_TRUNCATE);
  if (access === 0 || flags >>> 0 >= nr.OPEN_DIRECT * 2) throw new Errno(errno.EINVAL);
  if (changes !== 0 && (access & nr.OPEN_WRITE) === 0) throw new Errno(errno.EINVAL);
  return flags;
}

/**
 * Error numbers by the host's names. A path outside the preopened directory is one that the guest may not
 * use.
 */
const NUMBERS = new Map<string, number>([
  ...Object.entries(errno),
  ['ENOTCAPABLE', errno.EACCES],
  ['ELOOP', errno.EACCES],
]);

function errnoOf(error: unknown): number {
  if (error instanceof Errno) return error.number;
  const code = (error as { code?: unknown }).code;
  const known = typeof code === 'string' ? NUMBERS.get(code) : undefined;
  if (known !== undefined) return known;
  if (error instanceof WebAssembly.RuntimeError) throw error;
  return errno.EIO;
}
