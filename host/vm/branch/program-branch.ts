// A branch, for its user.

import { RingzeroError } from '../../errors.ts';

/** The thread of a branch, and how to end it. */
interface BranchEnd {
  call(name: string, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * A program as it was, in a thread of its own (see `Program.branch`).
 *
 * @category Programs
 */
export class ProgramBranch {
  readonly #end: BranchEnd;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(end: BranchEnd) {
    this.#end = end;
  }

  /**
   * Calls one of the functions that the branch's module returned. Calls run in sequence.
   *
   * @throws {@link RingzeroError} RZ_EXPORT (no such function), RZ_OPTION (an argument cannot be cloned),
   * RZ_SNAPSHOT_CLOSED (the branch was closed); and what the function throws
   */
  call(name: string, ...args: unknown[]): Promise<unknown> {
    if (this.#closing !== undefined)
      return Promise.reject(new RingzeroError('RZ_SNAPSHOT_CLOSED', 'the branch was closed'));
    return this.#end.call(name, args);
  }

  /** Ends the branch, after the calls in progress. Its memory is freed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end.close());
  }
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
