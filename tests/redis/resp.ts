// RESP2 and RESP3 for tests: commands as bytes, and replies as values.

/** An error reply: the text behind the dash. It is enumerable, so that comparisons of values see it. */
export class RedisError extends Error {
  override readonly message: string;
  constructor(message: string) {
    super(message);
    this.message = message;
  }
}

/** A reply whose bulk strings are `Bulk`. Keys of maps are texts. */
export type ReplyOf<Bulk> =
  | Bulk
  | string
  | number
  | bigint
  | boolean
  | null
  | RedisError
  | ReplyOf<Bulk>[]
  | Map<string, ReplyOf<Bulk>>;

export type Argument = string | number | Uint8Array;

/** A command as RESP. Strings are Latin-1, one byte a character, so that any bytes can be written. */
export function encode(...words: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'object' ? word : Buffer.from(String(word), 'latin1');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** A bulk string as text, in Latin-1. */
export const textOf = (bytes: Buffer): string => bytes.toString('latin1');

/** Reads replies one after the other. `bulk` makes a value of the bytes of a bulk string. */
export class ReplyReader<Bulk> {
  readonly #bytes: Buffer;
  readonly #bulk: (bytes: Buffer) => Bulk;
  /** Where the next reply begins. */
  at: number;

  constructor(bytes: Uint8Array, bulk: (bytes: Buffer) => Bulk, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#bulk = bulk;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** What has not been read. */
  get rest(): Buffer {
    return this.#bytes.subarray(this.at);
  }

  /** The next reply; throws when it is not whole. */
  next(): ReplyOf<Bulk> {
    const reply = this.tryNext();
    if (reply === undefined) throw new Error(`unfinished reply at byte ${this.at}`);
    return reply;
  }

  /** The next reply; undefined, and nothing is read, when it is not whole. */
  tryNext(): ReplyOf<Bulk> | undefined {
    const start = this.at;
    const reply = this.#read();
    if (reply === undefined) this.at = start;
    return reply;
  }

  #read(): ReplyOf<Bulk> | undefined {
    const end = this.#bytes.indexOf('\r\n', this.at);
    if (end < 0) return undefined;
    const type = String.fromCharCode(this.#bytes[this.at]!);
    const line = this.#bytes.toString('latin1', this.at + 1, end);
    this.at = end + 2;
    if ('$=!*~>%|'.includes(type)) return line === '-1' ? null : this.#sized(type, Number(line));
    return scalar(type, line);
  }

  /** A reply whose first line is a length or a number of elements. */
  #sized(type: string, count: number): ReplyOf<Bulk> | undefined {
    if (type === '%') return this.#map(count);
    // An attribute is dropped: the reply that it is about follows.
    if (type === '|') return this.#items(2 * count) && this.#read();
    if (type === '*' || type === '~' || type === '>') return this.#items(count);
    if (this.#bytes.length < this.at + count + 2) return undefined;
    const bytes = this.#bytes.subarray(this.at, this.at + count);
    this.at += count + 2;
    if (type === '!') return new RedisError(textOf(bytes));
    return this.#bulk(type === '=' ? bytes.subarray('txt:'.length) : bytes);
  }

  #items(count: number): ReplyOf<Bulk>[] | undefined {
    const items: ReplyOf<Bulk>[] = [];
    while (items.length < count) {
      const item = this.#read();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  #map(pairs: number): Map<string, ReplyOf<Bulk>> | undefined {
    const items = this.#items(2 * pairs);
    if (items === undefined) return undefined;
    const map = new Map<string, ReplyOf<Bulk>>();
    for (let i = 0; i < items.length; i += 2) map.set(String(items[i]), items[i + 1]!);
    return map;
  }
}

/** A reply of one line. */
function scalar(
  type: string,
  line: string,
): string | number | bigint | boolean | null | RedisError {
  switch (type) {
    case '+':
      return line;
    case '-':
      return new RedisError(line);
    case ':':
      return Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line);
    case '(':
      return BigInt(line);
    case ',':
      return Number(line.replace('inf', 'Infinity'));
    case '#':
      return line === 't';
    case '_':
      return null;
    default:
      throw new Error(`not a reply: ${JSON.stringify(type + line)}`);
  }
}
