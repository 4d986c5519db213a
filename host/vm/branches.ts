// The branches of a program that one module of the user's runs: threads that have started the program's glue
// and wait, and threads that have become the program.
//
// Invariants  BRANCH-2  A snapshot is held until the thread has copied it. The base, which waiting threads
//                       have copied in advance, is held until another replaces it.

import { after } from '#platform';
import { originals } from '../constructors.ts';
import { RingzeroError } from '../errors.ts';
import { takeState, type Taken } from './branch/take.ts';
import { plainModule, type PlainModule } from './branch/plain-module.ts';
import { ProgramBranch } from './branch/program-branch.ts';
import type { BranchThreadData } from './branch/state.ts';
import { BranchThread } from './branch-thread.ts';
import type { Machine } from './machine.ts';
import type { Vcpu } from './vcpu.ts';

/** A program with the means to take its state. */
interface Branched {
  readonly vcpu: Vcpu;
  readonly machine: Machine;
  /** Its module. */
  readonly wasm: Uint8Array;
}

/** A branch that is closed sooner gives its thread to the next. */
const REFILL_MS = 200;

export class Branches {
  readonly #program: Branched;
  readonly #url: string;
  /** Threads that are to wait. */
  warm = 0;
  readonly #threads = new Set<BranchThread>();
  readonly #idle: BranchThread[] = [];
  /** Each resolves when a thread is among those that wait, or has failed. */
  readonly #coming = new Set<Promise<void>>();
  #cancelRefill: () => void = () => {};
  #base: Taken | undefined;
  /** Bases that another has replaced, until no thread copies: one may be reading them (BRANCH-2). */
  readonly #replaced: Taken[] = [];
  #copying = 0;
  /** That of the last branch, for threads that link side modules in advance. */
  #argument: unknown;
  #module: Promise<Omit<BranchThreadData, 'url' | 'maximumPages' | 'files'>> | undefined;
  #plain: PlainModule | undefined;
  #pages = 0;
  #isClosed = false;

  constructor(program: Branched, url: string) {
    this.#program = program;
    this.#url = url;
  }

  /** The state is the program's at the time of the call. */
  async take(argument: unknown): Promise<ProgramBranch> {
    this.#check();
    this.#argument = argument;
    const pages = this.#programPages;
    let thread = this.#popIdle(pages);
    this.#renewBase();
    const taken = takeState(this.#program.vcpu, this.#program.machine, this.#base);
    this.#copying++;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      taken.release();
      isReleased = true;
      this.#copied(1);
    };
    try {
      thread ??= (await this.#nextIdle(pages)) ?? (await this.#start(pages));
      const request = { kind: 'become', state: taken.state, argument } as const;
      let lost: unknown;
      await thread.ask(request, () => {
        try {
          taken.check();
        } catch (error) {
          lost = error;
        }
        release();
      });
      if (lost !== undefined) throw lost;
      return this.#branchOn(thread);
    } catch (error) {
      if (thread !== undefined) void this.#drop(thread);
      throw error;
    } finally {
      release();
      this.#refill();
    }
  }

  /** A thread that waits, and is large enough. */
  #popIdle(pages: number): BranchThread | undefined {
    let thread: BranchThread | undefined;
    while ((thread = this.#idle.shift()) !== undefined && thread.pages < pages)
      void this.#drop(thread);
    return thread;
  }

  /** A thread that is about to wait: it is there sooner than one that is to be started. */
  async #nextIdle(pages: number): Promise<BranchThread | undefined> {
    while (this.#coming.size > 0) {
      await Promise.race(this.#coming);
      const thread = this.#popIdle(pages);
      if (thread !== undefined) return thread;
    }
    return undefined;
  }

  #branchOn(thread: BranchThread): ProgramBranch {
    return new ProgramBranch({
      call: (name, args) => thread.ask({ kind: 'call', name, args }),
      close: () => this.#close(thread),
    });
  }

  /** Starts as many threads as are to wait, and resolves when they do. */
  async ready(): Promise<void> {
    this.#check();
    const missing = this.warm - this.#idle.length;
    await Promise.all(Array.from({ length: missing }, () => this.#startIdle()));
  }

  /** `wait` makes a thread wait for branches. Fails as it does. */
  async #come(wait: Promise<void>): Promise<void> {
    const ended = wait.then(
      () => {},
      () => {},
    );
    this.#coming.add(ended);
    await ended;
    this.#coming.delete(ended);
    await wait;
  }

  async #close(thread: BranchThread): Promise<void> {
    try {
      const isReusable = (await thread.ask({ kind: 'end' })) === true;
      if (isReusable && this.#idle.length < this.warm && !this.#isClosed)
        return await this.#come(this.#wait(thread));
    } catch {
      // it has ended
    }
    await this.#drop(thread);
  }

  async closeAll(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRefill();
    this.#idle.length = 0;
    await Promise.all([...this.#threads].map((thread) => this.#drop(thread)));
    this.#base?.release();
    this.#base = undefined;
  }

  #check(): void {
    if (this.#isClosed) throw new RingzeroError('RZ_VM_CLOSED', 'the program was closed');
  }

  async #drop(thread: BranchThread): Promise<void> {
    this.#threads.delete(thread);
    await thread.terminate();
  }

  get #programPages(): number {
    return this.#program.vcpu.kernel.calls.size();
  }

  async #start(pages: number): Promise<BranchThread> {
    const module = await this.#compiled(pages);
    this.#check();
    const maximumPages = Math.max(pages, this.#plain!.maximumPages);
    const files = this.#program.machine.files?.plain;
    const thread = new BranchThread({ ...module, pages, maximumPages, files, url: this.#url });
    this.#threads.add(thread);
    return thread;
  }

  /** The module, with a memory of at least this many pages. */
  #compiled(pages: number): Promise<Omit<BranchThreadData, 'url' | 'maximumPages' | 'files'>> {
    const isOld = this.#plain?.memoryImport === undefined && pages > this.#pages;
    if (this.#module !== undefined && !isOld) return this.#module;
    const { wasm, vcpu } = this.#program;
    const names = Object.keys(vcpu.instance.exports);
    const changesTables = names.includes('ringzero.changesTables');
    const values = names.flatMap((name) => /^ringzero\.function\.(\d+)$/.exec(name)?.[1] ?? []);
    const plain = plainModule(wasm, pages, values.map(Number));
    const { bytes, globals, memoryImport } = plain;
    this.#plain = plain;
    this.#pages = pages;
    const compiled = originals.compile(bytes as BufferSource);
    return (this.#module = compiled.then((module) => ({
      module,
      globals,
      changesTables,
      memoryImport,
      pages,
    })));
  }

  /** Starts a thread for the next branch, unless one comes back before. */
  #refill(): void {
    this.#cancelRefill();
    this.#cancelRefill = after(REFILL_MS, () => {
      const waiting = this.#idle.length + this.#coming.size;
      if (this.#isClosed || waiting >= this.warm) return;
      this.#startIdle().catch(() => {}); // the next branch starts a thread itself, and reports the error
    });
  }

  async #startIdle(): Promise<void> {
    const started = this.#start(this.#programPages);
    await this.#come(started.then((thread) => this.#wait(thread)));
  }

  /** A base that was lost, or that holds many frames, is replaced when a thread needs one. */
  #renewBase(): void {
    if (this.#base === undefined || this.#base.isFresh()) return;
    this.#replaced.push(this.#base);
    this.#base = undefined;
    this.#copied(0);
  }

  /** This number of copies has ended. */
  #copied(count: number): void {
    this.#copying -= count;
    if (this.#copying === 0) for (const base of this.#replaced.splice(0)) base.release();
  }

  /** Has the thread copy the base, and wait. */
  async #wait(thread: BranchThread): Promise<void> {
    const { vcpu, machine } = this.#program;
    this.#renewBase();
    this.#base ??= takeState(vcpu, machine, undefined);
    const base = this.#base;
    const { state } = base;
    this.#copying++;
    try {
      await thread.ask({ kind: 'hold', state, argument: this.#argument });
      base.check();
    } finally {
      this.#copied(1);
    }
    thread.held = state.id;
    if (this.#isClosed || this.#idle.length >= this.warm) return this.#drop(thread);
    this.#idle.push(thread);
  }
}
