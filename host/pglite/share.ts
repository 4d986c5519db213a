// Forks for other processes of this machine: test runners run tests in processes of their own, which cannot
// share a thread's memory. A fork stays in the database's process; its user has one end of a channel.
//
// Invariants  SHARE-1  A fork ends with its channel, however the other process ends.

import type { Extensions, PGliteInterfaceExtensions } from '@electric-sql/pglite';
import { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import { openChannel, serveChannels, type Channel } from '../platform/channel.ts';
import type { ProgramBranch } from '../vm/branch/program-branch.ts';
import { Arrays, type ArrayType } from './arrays.ts';
import { PGliteFork, type BranchOfDatabase } from './fork.ts';
import type { PGlite } from './index.ts';

/** To the database's process. The first message asks for a fork, each further one calls a function of it. */
type Request = readonly [name: string, ...args: unknown[]];
type Reply =
  { readonly value: unknown } | { readonly code: string | undefined; readonly message: string };

/**
 * A PGlite of this module, whatever its extensions.
 *
 * @category PGlite
 */
export type Forkable = Pick<PGlite, 'query' | 'close' | 'warmForks' | '_branch'>;

interface Forked {
  readonly arrays: readonly ArrayType[];
}

/**
 * A database that other processes may fork, under an address that they are told.
 *
 * @category PGlite
 */
export interface SharedForks {
  readonly address: string;
  /** Ends the forks. */
  close(): Promise<void>;
}

/**
 * Lets other processes of this user on this machine fork the database.
 *
 * @category PGlite
 * @example
 * const shared = await shareForks(db);
 * process.env.DATABASE = shared.address; // for child processes
 */
export async function shareForks(db: Forkable): Promise<SharedForks> {
  await db.warmForks();
  const arrays = await Arrays.of(db);
  return serveChannels((channel) => serve(channel, db._branch(), arrays));
}

function serve(
  channel: Channel,
  taken: Promise<ProgramBranch>,
  arrays: readonly ArrayType[],
): void {
  taken.catch(() => {}); // the first reply says it
  let last: Promise<unknown> = Promise.resolve();
  const answer = (work: () => Promise<unknown>): void => {
    last = last.then(async () => channel.isEnded || channel.post(await replyOf(work)));
  };
  answer(async () => {
    await taken;
    return { arrays } satisfies Forked;
  });
  channel.onMessage = (message) => {
    const [name, ...args] = message as Request;
    answer(async () => (await taken).call(name, ...args));
  };
  channel.onEnd = () =>
    void taken.then(
      (branch) => last.then(() => branch.close()),
      () => {},
    );
}

async function replyOf(work: () => Promise<unknown>): Promise<Reply> {
  try {
    return { value: await work() };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message };
  }
}

/** A fork that is in another process. */
class RemoteBranch implements BranchOfDatabase {
  readonly #channel: Channel;
  readonly #waiting: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  #closed: Promise<void> | undefined;
  #ended: () => void = () => {};

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onMessage = (message) => this.#settle(message as Reply);
    channel.onEnd = () => {
      const lost = { code: 'RZ_SNAPSHOT_CLOSED', message: 'the process that has the fork ended' };
      while (this.#waiting.length > 0) this.#settle(lost);
      this.#ended();
    };
  }

  /** What the other process says first. */
  forked(): Promise<Forked> {
    return this.#await() as Promise<Forked>;
  }

  call(name: string, ...args: unknown[]): Promise<unknown> {
    if (this.#channel.isEnded || this.#closed !== undefined)
      return Promise.reject(new RingzeroError('RZ_SNAPSHOT_CLOSED', 'the fork was closed'));
    this.#channel.post([name, ...args]);
    return this.#await();
  }

  close(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      if (this.#channel.isEnded) return resolve();
      this.#ended = resolve;
      this.#channel.hold(true);
      this.#channel.end();
    }));
  }

  #await(): Promise<unknown> {
    this.#channel.hold(true);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #settle(reply: Reply): void {
    const { resolve, reject } = this.#waiting.shift()!;
    if (this.#waiting.length === 0) this.#channel.hold(false);
    if ('value' in reply) resolve(reply.value);
    else if (reply.code === undefined) reject(new Error(reply.message));
    else reject(new RingzeroError(reply.code as RingzeroErrorCode, reply.message));
  }
}

/**
 * A fork of a database that another process shares. `extensions`: those whose objects are wanted, such as
 * `live`; in the database they are loaded anyway.
 *
 * @category PGlite
 * @throws {@link RingzeroError} RZ_HOST when nothing is shared at the address, and as `fork()` does
 */
export async function openFork<E extends Extensions = Record<string, never>>(
  address: string,
  { extensions = {} as E }: { extensions?: E } = {},
): Promise<PGliteFork & PGliteInterfaceExtensions<E>> {
  const branch = new RemoteBranch(await openChannel(address));
  const { arrays } = await branch.forked();
  const fork = new PGliteFork(branch, { debug: 0, ...new Arrays(arrays) }, extensions);
  await fork.waitReady;
  return fork as PGliteFork & PGliteInterfaceExtensions<E>;
}
