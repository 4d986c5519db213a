// Who is told of notifications (LISTEN), by channel.

type Execute<Tx> = (text: string, tx: Tx | undefined) => Promise<unknown>;
type Listener = (payload: string) => void;
type ListenerForAll = (channel: string, payload: string) => void;

export class Listeners<Tx> {
  readonly #execute: Execute<Tx>;
  readonly #channels = new Map<string, Set<Listener>>();
  readonly #forAll = new Set<ListenerForAll>();

  constructor(execute: Execute<Tx>) {
    this.#execute = execute;
  }

  notify(channel: string, payload: string): void {
    const all = [...(this.#channels.get(channel) ?? [])];
    for (const listener of all) queueMicrotask(() => listener(payload));
    for (const listener of this.#forAll) queueMicrotask(() => listener(channel, payload));
  }

  /** Resolves to what removes it. */
  async add(name: string, listener: Listener, tx?: Tx): Promise<(tx?: Tx) => Promise<void>> {
    const channel = channelOf(name);
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners.add(listener));
    try {
      await this.#execute(`LISTEN ${name}`, tx);
    } catch (error) {
      this.#drop(channel, listener);
      throw error;
    }
    return (tx) => this.remove(name, listener, tx);
  }

  /** Without a listener, all of the channel's. */
  async remove(name: string, listener?: Listener, tx?: Tx): Promise<void> {
    const channel = channelOf(name);
    if (listener === undefined) this.#channels.delete(channel);
    else this.#drop(channel, listener);
    if (!this.#channels.has(channel)) await this.#execute(`UNLISTEN ${name}`, tx);
  }

  #drop(channel: string, listener: Listener): void {
    const listeners = this.#channels.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#channels.delete(channel);
  }

  addForAll(listener: ListenerForAll): () => void {
    this.#forAll.add(listener);
    return () => this.removeForAll(listener);
  }
  removeForAll(listener: ListenerForAll): void {
    this.#forAll.delete(listener);
  }
}

/** The channel that an identifier names: quoted as it is, otherwise in lower case. */
function channelOf(name: string): string {
  const isQuoted = name.length > 1 && name.startsWith('"') && name.endsWith('"');
  return isQuoted ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
