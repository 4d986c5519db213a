// The thread of a branch: the user's module starts the program's glue, then the program becomes what it was
// in a snapshot and answers calls.

import { thread } from '#platform';
import { RingzeroError } from '../errors.ts';
import { Branch } from './branch/branch.ts';
import type { BranchReply, BranchRequest, BranchState, BranchThreadData } from './branch/state.ts';
import type { TableState } from './tables.ts';

/** What a module of a branch exports. */
interface BranchModule {
  /** Starts the program's glue. What it returns is called with each state. */
  main(branch: Branch): unknown;
  /** Has glue link the side modules that the parent has. */
  link?(branch: Branch, argument: unknown): unknown;
}

type Functions = Readonly<Record<string, unknown>>;
type Start = (argument: unknown) => Functions | Promise<Functions>;

const post = (message: BranchReply): void => thread.post(message);

class Server {
  readonly #branch: Branch;
  readonly #module: BranchModule;
  readonly #start: Start;
  #functions: Functions = {};
  #tables: TableState | undefined;

  private constructor(branch: Branch, module: BranchModule, start: Start) {
    this.#branch = branch;
    this.#module = module;
    this.#start = start;
  }

  static async start(data: BranchThreadData): Promise<Server> {
    const branch = new Branch(data);
    const module = (await import(data.url)) as Partial<BranchModule>;
    const { main } = module;
    if (typeof main !== 'function')
      throw new RingzeroError('RZ_EXPORT', `${data.url} exports no function \`main\``);
    const start = await main(branch);
    if (typeof start !== 'function')
      throw new RingzeroError('RZ_EXPORT', `main() of ${data.url} returned no function`);
    return new Server(branch, module as BranchModule, start as Start);
  }

  async serve(request: BranchRequest): Promise<unknown> {
    if (request.kind === 'call') return this.#call(request.name, request.args);
    if (request.kind === 'end') return this.#end();
    const { id, argument } = request;
    const state = this.#completed(request.state);
    this.#branch.hold(state);
    const load = (): unknown => this.#module.link?.(this.#branch, argument);
    if (await this.#branch.link(state.sides, load)) this.#branch.hold(state);
    post({ kind: 'copied', id });
    if (request.kind === 'hold') return this.#branch.followTables(state);
    this.#branch.become(state);
    this.#functions = (await this.#start(argument)) ?? {};
    return undefined;
  }

  #completed(state: BranchState): BranchState {
    if (state.hasSameTables !== true) this.#tables = state.tables;
    return { ...state, tables: this.#tables };
  }

  #call(name: string, args: readonly unknown[]): unknown {
    const fn = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (typeof fn !== 'function')
      throw new RingzeroError('RZ_EXPORT', `the branch has no function \`${name}\``);
    return (fn as (...args: readonly unknown[]) => unknown)(...args);
  }

  async #end(): Promise<boolean> {
    const { end } = this.#functions;
    this.#functions = {};
    if (typeof end !== 'function' || !this.#branch.isReusable) return false;
    return (await (end as () => unknown)()) === true;
  }
}

function failed(id: number, error: unknown): BranchReply {
  const code = error instanceof RingzeroError ? error.code : undefined;
  return { kind: 'failed', id, code, error: cloneable(error) };
}

function cloneable(error: unknown): unknown {
  try {
    return structuredClone(error);
  } catch {
    return new Error(String(error));
  }
}

const server = Server.start(thread.data() as BranchThreadData);
server.catch(() => {}); // the first request reports it
let last: Promise<unknown> = Promise.resolve();
thread.onMessage((message) => {
  if (message === null) return; // Deno posts this to a thread that is being terminated
  const request = message as BranchRequest;
  last = last.then(async () => {
    try {
      const result = await (await server).serve(request);
      post({ kind: 'done', id: request.id, result });
    } catch (error) {
      post(failed(request.id, error));
    }
  });
});
