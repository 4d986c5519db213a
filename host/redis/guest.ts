// The guest's exports (guest/redis/index.ts) with types, and the window through which bytes reach it.

import type { MicroVM } from '../vm/micro-vm.ts';

const WINDOW_BYTES = 65536;

interface Exports {
  init(rxAddress: number, rxBytes: number, databases: number, nowMs: number): number;
  enableUdf(): void;
  setOption(nameBytes: number, valueBytes: number): number;
  optionAddress(index: number): number;
  optionIndex(nameBytes: number): number;
  setConfigFile(bytes: number): void;
  composedAddress(): number;
  composedBytes(): number;
  limitClients(most: number): number;
  listenReply(): number;
  connect(infoBytes: number, isUnix: number, nowMs: number): number;
  receive(slot: number, bytes: number, nowMs: number, nowUs: number): number;
  resume(slot: number, nowMs: number, nowUs: number): number;
  queued(slot: number, bytes: number, blocks: number, nowMs: number): number;
  output(slot: number): void;
  disconnect(slot: number): void;
  cron(nowMs: number, nowUs: number): number;
  hz(): number;
  startLoad(): number;
  loadMore(bytes: number, nowMs: number, nowUs: number): number;
  leftOut(): number;
  metric(which: number): number;
  shutdown(flags: number): number;
  ioBlock(): number;
  nextEvent(): number;
}

export class RedisGuest {
  readonly calls: Exports;
  /** Bytes that fit one receive(). */
  readonly windowBytes = WINDOW_BYTES;
  readonly #bytes: Uint8Array;
  readonly #window: number;
  readonly #replyWord: number;
  readonly #words: Uint32Array;

  constructor(vm: MicroVM, databases: number) {
    this.calls = vm.enter().exports as unknown as Exports;
    this.#bytes = new Uint8Array(vm.memory.buffer);
    this.#words = new Uint32Array(vm.memory.buffer);
    this.#window = vm.claimWindow(WINDOW_BYTES);
    this.calls.init(this.#window | 0, WINDOW_BYTES, databases, Date.now());
    this.#replyWord = (this.calls.ioBlock() >>> 0) / 4;
  }

  /** Runs the commands in `bytes` (at most windowBytes) of the client in `slot`; FLAG_*. */
  receive(slot: number, bytes: Uint8Array): number {
    this.#bytes.set(bytes, this.#window);
    return this.calls.receive(slot, bytes.length, Date.now(), performance.now() * 1000);
  }

  resume(slot: number): number {
    return this.calls.resume(slot, Date.now(), performance.now() * 1000);
  }

  /** The host keeps this many bytes of a client, in this many blocks, until its socket takes them; FLAG_*. */
  queued(slot: number, bytes: number, blocks: number): number {
    return this.calls.queued(slot, bytes, blocks, Date.now());
  }

  cron(): number {
    return this.calls.cron(Date.now(), performance.now() * 1000);
  }

  /**
   * Continues what startLoad() has begun, for at most `bytes` bytes of the file: 1 when more follow, 0 at
   * the end, or a negative errno.
   */
  loadMore(bytes: number): number {
    return this.calls.loadMore(bytes, Date.now(), performance.now() * 1000);
  }

  get replyBytes(): number {
    return this.#words[this.#replyWord + 1]!;
  }

  /** The reply of the last call; valid until the next one. */
  reply(): Uint8Array {
    const address = this.#words[this.#replyWord]!;
    return this.#bytes.subarray(address, address + this.replyBytes);
  }

  /** Slot of a new client, or a negative errno with an error reply. */
  connect(peer: string, local: string, isUnix: boolean): number {
    return this.calls.connect(this.#put(0, `${peer}\0${local}`), isUnix ? 1 : 0, Date.now());
  }

  /** Undefined when the option has the value now, or why not. */
  setOption(name: string, value: string): string | undefined {
    const nameBytes = this.#put(0, name);
    const result = this.calls.setOption(nameBytes, this.#put(nameBytes, value));
    if (result === 0) return undefined;
    return (
      this.#composed(this.calls.composedAddress()) || 'Bad directive or wrong number of arguments'
    );
  }

  /** Name and value of the option in an EVENT_OPTION. */
  option(index: number): [name: string, value: string] {
    const [name = '', value = ''] = this.#composed(this.calls.optionAddress(index)).split('\0');
    return [name, value];
  }

  /** The whole name of the file that the server was started with. */
  setConfigFile(path: string): void {
    this.calls.setConfigFile(this.#put(0, path));
  }

  /** The value in force of an option of redis.conf. */
  optionNamed(name: string): string {
    const index = this.calls.optionIndex(this.#put(0, name));
    return index < 0 ? '' : this.option(index)[1];
  }

  #composed(address: number): string {
    const start = address >>> 0;
    return Buffer.from(this.#bytes.slice(start, start + this.calls.composedBytes())).toString(
      'utf8',
    );
  }

  #put(offset: number, text: string): number {
    const bytes = Buffer.from(text, 'utf8').subarray(0, WINDOW_BYTES - offset);
    this.#bytes.set(bytes, this.#window + offset);
    return bytes.length;
  }
}
