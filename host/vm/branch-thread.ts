// The thread of a branch, seen from the program's thread.
//
// Invariants  BRANCH-1  A request ends once: with the thread's reply, or with the thread.

import { startThread, type Thread } from '#platform';
import { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import type { BranchReply, BranchRequest, BranchThreadData } from './branch/state.ts';
import type { TableState } from './tables.ts';

type WithoutId<Each> = Each extends unknown ? Omit<Each, 'id'> : never;
type Request = WithoutId<BranchRequest>;

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  copied(): void;
}

/** A thread, and the requests that it has not answered. */
export class BranchThread {
  readonly #thread: Thread;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #ended: RingzeroError | undefined;
  /** The snapshot that its memory equals. */
  held: number | undefined;
  /** Of the last state that it was sent: they are long, and seldom change. */
  #tables: TableState | undefined;
  /** Pages of 64 KiB that its memory has. */
  readonly pages: number;

  constructor(data: BranchThreadData) {
    this.pages = data.pages;
    this.#thread = startThread(
      new URL('./branch-worker.js', import.meta.url),
      data,
      (message) => this.#receive(message as BranchReply),
      (error) => this.#end(error),
    );
  }

  /** `copied` is called when the thread has read the snapshot of a state. */
  ask(request: Request, copied: () => void = () => {}): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, copied });
      this.#thread.hold(true);
      try {
        this.#thread.post({ ...this.#withoutKnown(request), id });
        if ('state' in request) this.#tables = request.state.tables;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#settle(id)?.reject(
          new RingzeroError(
            'RZ_OPTION',
            `an argument cannot be posted to the branch's thread: ${why}`,
          ),
        );
      }
    });
  }

  #withoutKnown(request: Request): Request {
    if (!('state' in request) || request.state.tables !== this.#tables) return request;
    return { ...request, state: { ...request.state, tables: undefined, hasSameTables: true } };
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate();
  }

  #receive(message: BranchReply): void {
    if (message.kind === 'copied') this.#pending.get(message.id)?.copied();
    else if (message.kind === 'done') this.#settle(message.id)?.resolve(message.result);
    else this.#settle(message.id)?.reject(errorOf(message));
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#thread.hold(false);
    return pending;
  }

  #end(error: Error | undefined): void {
    this.#ended = new RingzeroError(
      'RZ_SNAPSHOT_CLOSED',
      `the thread of a branch has ended: ${error?.message ?? 'it was closed'}`,
    );
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(this.#ended);
  }
}

function errorOf({ code, error }: Extract<BranchReply, { kind: 'failed' }>): unknown {
  if (code === undefined) return error;
  return new RingzeroError(code as RingzeroErrorCode, (error as Error).message);
}
