// The host's side of one vCPU's rings (assembly/abi/ring.ts). The guest may have written anything there.
//
// Interface   isSound() before anything else; take() copies the next entry out; complete() posts a completion
//             and wakes the vCPU if it waits for it. enter() is the system call by which a vCPU wakes the
//             service and waits.
// Invariants  RING-1, RING-3 (assembly/io/queue.ts). Indices are checked before each use: a ring with invalid
//             indices is broken from then on; other rings are not affected.
// Concurrency One service takes and completes; the vCPU is another thread.

import { EINVAL, EIO, ENOSYS } from '../../assembly/abi/errno.ts';
import { vcpuBlocks, vmBlock } from '../../assembly/abi/memory-map.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { VCPU_PENDING, VCPU_RING } from '../../assembly/abi/vcpu-block.ts';
import { VECTOR_IO } from '../../assembly/abi/vector.ts';
import { VM_IO_BEAT, VM_IO_STATE } from '../../assembly/abi/vm-block.ts';
import { physicalBuffer } from '../physical-buffer.ts';

/**
 * How long a wait sleeps before it tests whether the service is alive; how long a service may show no sign of
 * life.
 */
const LOOK_MS = 200;
const PATIENCE_MS = 10_000;

/** An entry of a submission queue, copied. */
export interface Entry {
  opcode: number;
  flags: number;
  file: number;
  length: number;
  /** Infinity when it is larger than any file position. */
  position: number;
  address: number;
  /** OP_CANCEL: the two halves of `position`. */
  positionLow: number;
  positionHigh: number;
  zero: number;
  dataLow: number;
  dataHigh: number;
}

/** The words of a VM that the I/O service and its callers share. */
export class RingMemory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly frames: number;
  readonly vm: number;

  constructor(memory: WebAssembly.Memory, frames: number) {
    this.bytes = new Uint8Array(physicalBuffer(memory));
    this.words = new Int32Array(physicalBuffer(memory));
    this.frames = frames;
    this.vm = vmBlock(frames);
  }

  load(address: number): number {
    return Atomics.load(this.words, address / 4) >>> 0;
  }

  store(address: number, value: number): void {
    Atomics.store(this.words, address / 4, value);
  }

  get state(): number {
    return this.load(this.vm + VM_IO_STATE);
  }

  set state(value: number) {
    this.store(this.vm + VM_IO_STATE, value);
  }

  /** True for the caller that changes it. */
  changeState(from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, (this.vm + VM_IO_STATE) / 4, from, to) === from;
  }

  beat(): void {
    Atomics.add(this.words, (this.vm + VM_IO_BEAT) / 4, 1);
  }

  /** Address of a vCPU's rings, 0 when it has none or the address is invalid. */
  ringsOf(vcpu: number): number {
    const address = this.load(vcpuBlocks(this.frames) + vcpu * FRAME_BYTES + VCPU_RING);
    const isRun = address % FRAME_BYTES === 0 && address + abi.RING_FRAMES * FRAME_BYTES <= this.vm;
    return isRun ? address : 0;
  }
}

export class Ring {
  readonly address: number;
  /** Entries taken and not completed. */
  inFlight = 0;
  readonly #memory: RingMemory;
  readonly #vcpu: number;
  #sqHead: number;
  #cqTail: number;

  constructor(memory: RingMemory, vcpu: number, address: number) {
    this.#memory = memory;
    this.#vcpu = vcpu;
    this.address = address;
    this.#sqHead = this.#load(abi.RING_SQ_HEAD);
    this.#cqTail = this.#load(abi.RING_CQ_TAIL);
  }

  #load(offset: number): number {
    return this.#memory.load(this.address + offset);
  }

  #store(offset: number, value: number): void {
    this.#memory.store(this.address + offset, value);
  }

  /** Number of entries that can be taken now; a ring with invalid indices is broken from then on. */
  ready(): number {
    if (this.#load(abi.RING_BROKEN) !== 0) return 0;
    const submitted = (this.#load(abi.RING_SQ_TAIL) - this.#sqHead) >>> 0;
    if (submitted === 0) return 0;
    const untaken = (this.#cqTail - this.#load(abi.RING_CQ_HEAD)) >>> 0;
    if (submitted > abi.SQ_ENTRIES || untaken > abi.CQ_ENTRIES) {
      this.#break();
      return 0;
    }
    return Math.max(0, Math.min(submitted, abi.CQ_ENTRIES - untaken - this.inFlight));
  }

  #break(): void {
    this.#store(abi.RING_BROKEN, 1);
    this.#notify();
  }

  take(): Entry {
    const { bytes, words } = this.#memory;
    const at = this.address + abi.RING_SQ + (this.#sqHead % abi.SQ_ENTRIES) * abi.SQE_BYTES;
    const word = at / 4;
    const low = words[word + abi.SQE_POSITION / 4]! >>> 0;
    const high = words[word + abi.SQE_POSITION / 4 + 1]! >>> 0;
    const entry = {
      opcode: bytes[at + abi.SQE_OPCODE]!,
      flags: bytes[at + abi.SQE_FLAGS]!,
      file: bytes[at + abi.SQE_FILE]! | (bytes[at + abi.SQE_FILE + 1]! << 8),
      length: words[word + abi.SQE_LENGTH / 4]! >>> 0,
      position: high < 2 ** 20 ? high * 2 ** 32 + low : Infinity,
      positionLow: low,
      positionHigh: high,
      address: words[word + abi.SQE_ADDRESS / 4]! >>> 0,
      zero: words[word + abi.SQE_ZERO / 4]!,
      dataLow: words[word + abi.SQE_USER_DATA / 4]!,
      dataHigh: words[word + abi.SQE_USER_DATA / 4 + 1]!,
    };
    this.inFlight++;
    this.#store(abi.RING_IN_FLIGHT, this.inFlight);
    this.#sqHead = (this.#sqHead + 1) >>> 0;
    this.#store(abi.RING_SQ_HEAD, this.#sqHead);
    return entry;
  }

  /** Counts an entry that named frames outside the DMA window. */
  refuse(): void {
    this.#store(abi.RING_REFUSED, this.#load(abi.RING_REFUSED) + 1);
  }

  complete({ dataLow, dataHigh }: Entry, result: number): void {
    const { words } = this.#memory;
    const at = this.address + abi.RING_CQ + (this.#cqTail % abi.CQ_ENTRIES) * abi.CQE_BYTES;
    words[at / 4] = dataLow;
    words[at / 4 + 1] = dataHigh;
    words[(at + abi.CQE_RESULT) / 4] = result;
    this.#cqTail = (this.#cqTail + 1) >>> 0;
    this.#store(abi.RING_CQ_TAIL, this.#cqTail);
    this.inFlight--;
    this.#store(abi.RING_IN_FLIGHT, this.inFlight);
    if ((this.#load(abi.RING_FLAGS) & abi.RING_INTERRUPTS) !== 0) this.#interrupt();
    if (((this.#cqTail - this.#load(abi.RING_WANTED)) | 0) >= 0) this.#notify();
  }

  #interrupt(): void {
    const block = vcpuBlocks(this.#memory.frames) + this.#vcpu * FRAME_BYTES;
    Atomics.or(this.#memory.words, (block + VCPU_PENDING) / 4, 1 << VECTOR_IO);
  }

  #notify(): void {
    Atomics.notify(this.#memory.words, (this.address + abi.RING_CQ_TAIL) / 4);
  }
}

/**
 * SYS_RING_ENTER of a vCPU: rings the service's doorbell if it sleeps, and waits until `count` completions
 * can be taken. Returns 0; -EINVAL when fewer entries are outstanding; -EIO when they will never complete;
 * -ENOSYS in a VM without rings.
 */
export function enter(memory: RingMemory, vcpu: number, count: number): number {
  const rings = memory.ringsOf(vcpu);
  if (memory.state === abi.IO_NONE) return -ENOSYS;
  if (rings === 0) return -EINVAL;
  if (memory.changeState(abi.IO_ASLEEP, abi.IO_AWAKE))
    Atomics.notify(memory.words, (memory.vm + VM_IO_STATE) / 4);
  return count === 0 ? 0 : wait(memory, rings, count >>> 0);
}

function wait(memory: RingMemory, rings: number, count: number): number {
  const head = memory.load(rings + abi.RING_CQ_HEAD);
  if (count > (memory.load(rings + abi.RING_SQ_TAIL) - head) >>> 0) return -EINVAL;
  memory.store(rings + abi.RING_WANTED, head + count);
  let beat = memory.load(memory.vm + VM_IO_BEAT);
  let quietMs = 0;
  while (true) {
    const tail = memory.load(rings + abi.RING_CQ_TAIL);
    if ((tail - head) >>> 0 >= count) return 0;
    if (memory.state === abi.IO_DEAD || memory.load(rings + abi.RING_BROKEN) !== 0) return -EIO;
    const woken = Atomics.wait(memory.words, (rings + abi.RING_CQ_TAIL) / 4, tail | 0, LOOK_MS);
    if (woken !== 'timed-out') continue;
    const now = memory.load(memory.vm + VM_IO_BEAT);
    quietMs = now === beat ? quietMs + LOOK_MS : 0;
    beat = now;
    if (quietMs >= PATIENCE_MS) memory.state = abi.IO_DEAD;
  }
}
