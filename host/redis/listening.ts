// Where the server listens while it runs. A change of port or bind closes the old addresses before it opens
// the new ones, as redis-server does, because the two may overlap; if the new ones cannot be had, it opens
// the old ones again.

import type { Connection, ListenAt, Listener } from '../platform/sockets.ts';
import { endpointsOf, listenAt, nameOf, type Endpoint } from './endpoints.ts';
import type { Log } from './log.ts';

/** The options that a running server may change. */
export interface Place {
  readonly port: number;
  readonly bind: string;
}

/** Why CONFIG SET failed, in Redis's words: the option, and the reason. */
export function failureOf(to: Place, from: Place): string {
  return to.port === from.port
    ? "bind') - Failed to bind to specified addresses."
    : "port') - Unable to listen on this port. Check server logs.";
}

type Accept = (connection: Connection, at: ListenAt) => void;

export class Listening {
  readonly #log: Log;
  readonly #accept: Accept;
  readonly #listeners = new Map<Listener, Endpoint>();
  #isClosed = false;
  /** The last change; they are made one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: Log, accept: Accept) {
    this.#log = log;
    this.#accept = accept;
  }

  /** The TCP port in use, or 0. */
  get port(): number {
    return Math.max(0, ...[...this.#listeners.keys()].map((listener) => listener.port));
  }

  /** Listens at all of them. Rejects with RZ_IO. */
  async open(endpoints: readonly Endpoint[]): Promise<void> {
    for (const at of endpoints) {
      const listener = await listenAt(at, (connection) => this.#accept(connection, at));
      if (listener === undefined) continue;
      if (this.#isClosed) return listener.close(); // SHUTDOWN by a client of another listener
      this.#listeners.set(listener, at);
      this.#log.notice(`Listening at ${nameOf(at, listener.port)}`);
    }
  }

  /**
   * Listens for TCP at this place and no longer elsewhere. False if that failed: everything is as before
   * then.
   */
  move(to: Place, backlog: number): Promise<boolean> {
    const move = this.#last.then(() => this.#move(to, backlog));
    this.#last = move;
    return move;
  }

  async #move({ port, bind }: Place, backlog: number): Promise<boolean> {
    const before = this.#closeTcp();
    const at = { port, bind, unixsocket: undefined, mode: undefined, backlog };
    try {
      await this.open(port === 0 ? [] : endpointsOf(at));
      return true;
    } catch (error) {
      this.#log.warning((error as Error).message);
      this.#closeTcp();
    }
    // Another program may have taken the old port in between.
    await this.open(before).catch((error: Error) => this.#log.warning(error.message));
    return false;
  }

  /** Closes the listeners for TCP; where they were. */
  #closeTcp(): Endpoint[] {
    const closed: Endpoint[] = [];
    for (const [listener, at] of this.#listeners) {
      if (!('port' in at)) continue;
      closed.push({ ...at, port: listener.port });
      listener.close();
      this.#listeners.delete(listener);
    }
    return closed;
  }

  /** Stops listening; connections stay open. */
  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners.keys()) listener.close();
    this.#listeners.clear();
  }
}
