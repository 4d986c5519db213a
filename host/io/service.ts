// The I/O service: takes entries from every vCPU's submission queue, runs all of them concurrently, and posts
// their completions. It is also the IOMMU: it accesses no frame outside the DMA window.
//
// Interface   start(), then it is driven by the events of its thread; stop() ends it when no operation is in
//             flight.
// Invariants  RING-4  It looks at all queues between announcing that it sleeps and sleeping, so no doorbell
//                     is missed.
//             RING-5  Each entry taken gets exactly one completion, unless its ring is broken.
// Concurrency One per VM, on its own thread.
// Cost        about 10 us of its thread per operation, most of it the host's.

import * as errno from '../../assembly/abi/errno.ts';
import { VCPUS_MAX } from '../../assembly/abi/limits.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { VM_IO_STATE, VM_VCPUS } from '../../assembly/abi/vm-block.ts';
import { every } from '#platform';
import type { Backend } from './backend.ts';
import type { DmaWindow, Side } from './dma-window.ts';
import type { RingFiles } from './files.ts';
import { Ring, type Entry, type RingMemory } from './ring.ts';

const BEAT_MS = 500;

/** A chain: entries that run one after the other; those behind the first wait here. */
interface Chain {
  ring: Ring;
  entries: Entry[];
}

export class Service {
  readonly #memory: RingMemory;
  readonly #files: RingFiles;
  readonly #window: DmaWindow;
  readonly #backend: Backend;
  readonly #rings: (Ring | undefined)[] = [];
  readonly #chains = new Set<Chain>();
  #underWay = 0;
  #isPumping = false;
  #stopBeat: (() => void) | undefined;
  #stopped: (() => void) | undefined;

  constructor(memory: RingMemory, files: RingFiles, window: DmaWindow, backend: Backend) {
    this.#memory = memory;
    this.#files = files;
    this.#window = window;
    this.#backend = backend;
  }

  start(): void {
    if (!this.#memory.changeState(abi.IO_STARTING, abi.IO_AWAKE)) return;
    this.#pump();
    void this.#sleep();
  }

  /** Takes no more entries; calls back when no operation is in flight. */
  stop(then: () => void): void {
    this.#stopped = then;
    if (this.#underWay === 0) then();
  }

  /** Sleeps until the doorbell rings, repeatedly. Completions go on, and look at the queues too. */
  async #sleep(): Promise<void> {
    const { words, vm } = this.#memory;
    while (this.#stopped === undefined) {
      // It may be asleep already: an earlier doorbell that is noticed only now wakes it without a change.
      const sleeps = this.#memory.changeState(abi.IO_AWAKE, abi.IO_ASLEEP);
      if (!sleeps && this.#memory.state === abi.IO_DEAD) return;
      if (this.#pump() > 0) {
        this.#memory.changeState(abi.IO_ASLEEP, abi.IO_AWAKE);
        continue;
      }
      const { value } = Atomics.waitAsync(words, (vm + VM_IO_STATE) / 4, abi.IO_ASLEEP);
      await value;
      this.#pump();
    }
  }

  /** Takes every entry for which there is room; returns their number. */
  #pump(): number {
    if (this.#isPumping || this.#stopped !== undefined) return 0;
    this.#isPumping = true;
    let taken = 0;
    let before: number;
    do {
      before = taken;
      const vcpus = Math.min(this.#memory.load(this.#memory.vm + VM_VCPUS), VCPUS_MAX);
      for (let vcpu = 0; vcpu < vcpus; vcpu++) {
        const ring = this.#ring(vcpu);
        if (ring !== undefined) taken += this.#takeAll(ring);
      }
    } while (taken > before);
    this.#isPumping = false;
    return taken;
  }

  #ring(vcpu: number): Ring | undefined {
    const address = this.#memory.ringsOf(vcpu);
    if (address === 0) return undefined;
    const known = this.#rings[vcpu];
    if (known?.address === address) return known;
    return (this.#rings[vcpu] = new Ring(this.#memory, vcpu, address));
  }

  #takeAll(ring: Ring): number {
    const ready = ring.ready();
    let chain: Chain | undefined;
    for (let left = ready; left > 0; left--) {
      const entry = ring.take();
      this.#began();
      if (chain !== undefined) chain.entries.push(entry);
      else chain = { ring, entries: [entry] };
      if ((entry.flags & abi.SQE_LINK) !== 0 && left > 1) continue;
      this.#chains.add(chain);
      this.#begin(chain);
      chain = undefined;
    }
    return ready;
  }

  #began(): void {
    if (this.#underWay++ === 0) this.#stopBeat ??= every(BEAT_MS, () => this.#beat());
  }

  #beat(): void {
    this.#memory.beat();
    if (this.#underWay > 0) return;
    this.#stopBeat?.();
    this.#stopBeat = undefined;
  }

  /** Starts the first entry of a chain. */
  #begin(chain: Chain): void {
    const entry = chain.entries[0]!;
    const refusal = check(entry);
    if (refusal !== 0) return this.#end(chain, refusal);
    if (!isTransfer(entry)) return this.#operate(chain, entry);
    const side = this.#window.begin();
    if (this.#window.contains(entry.address, entry.length))
      return this.#operate(chain, entry, side);
    this.#window.end(side);
    chain.ring.refuse();
    this.#end(chain, -errno.EFAULT);
  }

  /**
   * The first entry of the chain has ended: posts its completion, then starts the next entry or cancels the
   * rest.
   */
  #end(chain: Chain, result: number): void {
    const entry = chain.entries.shift()!;
    this.#complete(chain.ring, entry, result);
    if (chain.entries.length === 0) this.#chains.delete(chain);
    else if (result === wanted(entry)) return this.#begin(chain);
    else {
      this.#chains.delete(chain);
      for (const behind of chain.entries.splice(0))
        this.#complete(chain.ring, behind, -errno.ECANCELED);
    }
  }

  #complete(ring: Ring, entry: Entry, result: number): void {
    this.#underWay--;
    ring.complete(entry, result);
    if (this.#underWay === 0) this.#stopped?.();
  }

  /** `side`: the count that its transfer began in. */
  #operate(chain: Chain, entry: Entry, side?: Side): void {
    const { opcode, file, address, length, position } = entry;
    if (opcode === abi.OP_NOP) return this.#end(chain, 0);
    if (opcode === abi.OP_CANCEL) return this.#end(chain, this.#cancel(chain, entry));
    const host = this.#files.begin(file);
    const release = (): void => {
      if (side !== undefined) this.#window.end(side);
    };
    if (host === undefined) {
      release();
      return this.#end(chain, -errno.EBADF);
    }
    const done = (result: number): void => {
      release();
      this.#files.end(file);
      this.#end(chain, result);
      this.#pump(); // there may be room now
    };
    if (opcode === abi.OP_READ) this.#backend.read(host, address, length, position, done);
    else if (opcode === abi.OP_WRITE) this.#backend.write(host, address, length, position, done);
    else if (opcode === abi.OP_FDATASYNC) this.#backend.datasync(host, done);
    else if (opcode === abi.OP_ALLOCATE) this.#backend.allocate(host, position + length, done);
    else this.#backend.truncate(host, position, done);
  }

  /** Removes an entry of this ring from its chain, with everything behind it. */
  #cancel(by: Chain, { positionLow, positionHigh }: Entry): number {
    const isMeant = (entry: Entry): boolean =>
      entry.dataLow >>> 0 === positionLow && entry.dataHigh >>> 0 === positionHigh;
    for (const chain of this.#chains) {
      const { ring } = by;
      const at = chain.ring === ring && chain !== by ? chain.entries.findIndex(isMeant) : -1;
      if (at === 0) return -errno.EALREADY;
      if (at < 0) continue;
      for (const entry of chain.entries.splice(at)) this.#complete(ring, entry, -errno.ECANCELED);
      return 0;
    }
    return -errno.ENOENT;
  }
}

/** 0, or the errno of an invalid entry. */
function check({ opcode, flags, zero, length, position }: Entry): number {
  if (opcode >= abi.OP_COUNT || (flags & ~abi.SQE_LINK) !== 0 || zero !== 0) return -errno.EINVAL;
  if (opcode === abi.OP_NOP || opcode === abi.OP_CANCEL) return 0;
  if (opcode === abi.OP_FDATASYNC) return 0;
  if (!Number.isFinite(position) || !Number.isSafeInteger(position + length)) return -errno.EINVAL;
  if (opcode !== abi.OP_READ && opcode !== abi.OP_WRITE) return 0;
  return length === 0 ? -errno.EINVAL : 0;
}

function isTransfer({ opcode }: Entry): boolean {
  return opcode === abi.OP_READ || opcode === abi.OP_WRITE;
}

/** Result of an entry that succeeded in full. */
function wanted(entry: Entry): number {
  return isTransfer(entry) ? entry.length : 0;
}
