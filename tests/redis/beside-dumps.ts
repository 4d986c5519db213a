// Whole databases of both servers of a pair, compared with each other and with what each reads from the
// other's file.
//
// Interface   Exchange.start() starts a second server of each kind; check() saves on both servers of the
//             pair, lets a redis-server read the guest's file and a guest redis-server's, and compares all
//             four.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';

import type { Random } from '../random.ts';
import { encodingOptions } from './beside-values.ts';
import type { Pair } from './beside.ts';
import { FileGuest } from './guest-files.ts';
import { type Client, type Reply as GuestReply } from './harness.ts';
import { RedisError } from './resp.ts';
import { startRedis, type RealRedis, type Reply } from './real-redis.ts';

type Command = (string | number)[];
/** Runs commands and returns their replies in one form: texts as Latin-1, errors with a dash. */
type Ask = (commands: Command[]) => Promise<Plain[]>;
type Plain = string | number | null | Plain[];

const DATABASES = 16;
const FILE = 'dump.rdb';
/** Deadlines that were set relative to now differ by the time between the two servers. */
const CLOCK_MS = 10_000;

interface Value {
  value: string;
  encoding: string;
  deadline: number;
}
type Contents = Map<string, Value>;

function plain(reply: Reply | GuestReply): Plain {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply instanceof RedisError) return `-${reply.message}`;
  if (Array.isArray(reply)) return reply.map(plain);
  if (reply instanceof Map) return [...reply].flat().map((part) => plain(part as Reply));
  return typeof reply === 'number' || reply === null ? reply : String(reply);
}

const ofGuest =
  (client: Client): Ask =>
  (commands) =>
    Promise.resolve(client.pipeline(commands).map(plain));

const ofRedis =
  (real: RealRedis): Ask =>
  async (commands) => {
    const bytes = (word: string | number) =>
      typeof word === 'number' ? word : Buffer.from(word, 'latin1');
    return (await real.pipeline(commands.map((words) => words.map(bytes)))).map(plain);
  };

/** What the selected database holds. */
async function ofDatabase(ask: Ask, keys: string[]): Promise<Value[]> {
  const types = await ask(keys.map((key) => ['TYPE', key]));
  const parts = await ask(
    keys.flatMap((key, i) => [
      [types[i] === 'hash' ? 'HGETALL' : 'GET', key],
      ['OBJECT', 'ENCODING', key],
      ['PEXPIRETIME', key],
    ]),
  );
  return keys.map((_, i) => {
    const [value, encoding, deadline] = parts.slice(i * 3, i * 3 + 3);
    const fields = Array.isArray(value)
      ? value.flatMap((field, at) => (at % 2 ? [] : [`${String(field)}=${String(value[at + 1])}`]))
      : [String(value)];
    return {
      value: JSON.stringify([types[i], ...fields.sort()]),
      encoding: String(encoding),
      deadline: Number(deadline),
    };
  });
}

async function contentsOf(ask: Ask): Promise<Contents> {
  const found: Contents = new Map();
  for (let database = 0; database < DATABASES; database++) {
    const [, keys, size] = await ask([['SELECT', database], ['KEYS', '*'], ['DBSIZE']]);
    const names = keys as string[];
    assert.is(names.length, size, `DBSIZE of database ${database}`);
    const values = await ofDatabase(ask, names);
    names.forEach((name, i) => found.set(`${database} ${JSON.stringify(name)}`, values[i]!));
  }
  await ask([['SELECT', 0]]);
  return found;
}

function assertSame(
  what: string,
  got: Contents,
  wanted: Contents,
  clockMs: number,
  encodings: boolean,
): void {
  assert.equal([...got.keys()].sort(), [...wanted.keys()].sort(), `${what}: keys`);
  for (const [key, value] of wanted) {
    const own = got.get(key)!;
    assert.is(own.value, value.value, `${what}: ${key}`);
    if (encodings) assert.is(own.encoding, value.encoding, `${what}: encoding of ${key}`);
    const apart = Math.abs(own.deadline - value.deadline);
    assert.ok(apart <= clockMs, `${what}: ${key} ends at ${own.deadline}, not ${value.deadline}`);
  }
}

export class Exchange {
  readonly #pair: Pair;
  readonly #guestFiles: FileGuest;
  readonly #reader: RealRedis;
  readonly #asks: Record<'guest' | 'redis' | 'guestReader' | 'redisReader', Ask>;
  #checks = 0;

  private constructor(pair: Pair, guestFiles: FileGuest, reader: RealRedis) {
    this.#pair = pair;
    this.#guestFiles = guestFiles;
    this.#reader = reader;
    this.#asks = {
      guest: ofGuest(pair.guest.connect()),
      redis: ofRedis(pair.real),
      guestReader: ofGuest(guestFiles.guest.connect()),
      redisReader: ofRedis(reader),
    };
  }

  static async start(pair: Pair): Promise<Exchange> {
    const guestFiles = new FileGuest();
    guestFiles.guest.setOption('enable-debug-command', 'yes');
    guestFiles.guest.setOption('save', '');
    const reader = await startRedis(['--enable-debug-command', 'yes']);
    return new Exchange(pair, guestFiles, reader!);
  }

  stop(): void {
    this.#guestFiles.remove();
    this.#reader.stop();
  }

  get checks(): number {
    return this.#checks;
  }

  /** `names` are all the keys there can be. */
  async check(random: Random, names: readonly string[]): Promise<void> {
    this.#checks++;
    this.#pair.guest.now = this.#guestFiles.guest.now = Date.now();
    const { guest, redis } = this.#asks;
    const compression = random.pick(['yes', 'no']);
    for (const ask of [guest, redis]) {
      const limits = ['maxmemory', '0', 'min-replicas-to-write', '0', 'save', ''];
      assert.equal(await ask([['CONFIG', 'SET', ...limits, 'rdbcompression', compression]]), [
        'OK',
      ]);
      for (let database = 0; database < DATABASES; database++)
        // What has expired is deleted when it is asked for; SCAN and RANDOMKEY ask for other keys in each
        // server.
        await ask([
          ['SELECT', database],
          ['EXISTS', ...names],
        ]);
      await ask([['SELECT', 0]]);
    }
    const [ours, theirs] = [await contentsOf(guest), await contentsOf(redis)];
    assertSame('the guest and redis-server', ours, theirs, CLOCK_MS, true);
    await this.#swap(random, ours, theirs);
  }

  /** Saves on both, loads on the others. */
  async #swap(random: Random, ours: Contents, theirs: Contents): Promise<void> {
    const { guest, redis, guestReader, redisReader } = this.#asks;
    assert.equal([...(await guest([['SAVE']])), ...(await redis([['SAVE']]))], ['OK', 'OK']);
    copyFileSync(join(this.#pair.files.dir, FILE), join(this.#reader.dir, FILE));
    copyFileSync(join(this.#pair.real.dir, FILE), join(this.#guestFiles.dir, FILE));
    const options = ['CONFIG', 'SET', ...encodingOptions(random)];
    const reload = ['DEBUG', 'RELOAD', 'NOSAVE'];
    assert.equal(await redisReader([options, reload]), ['OK', 'OK'], 'redis-server reads');
    if (random.chance(0.5)) assert.equal(await guestReader([options, reload]), ['OK', 'OK']);
    else await this.#loadInParts(random, options);
    const readByRedis = await contentsOf(redisReader);
    const readByGuest = await contentsOf(guestReader);
    assertSame("redis-server with the guest's file", readByRedis, ours, 0, false);
    assertSame("the guest with redis-server's file", readByGuest, theirs, 0, false);
    assertSame('what both have read', readByGuest, readByRedis, CLOCK_MS, true);
    const digests = [];
    for (const ask of Object.values(this.#asks))
      digests.push(...(await ask([['DEBUG', 'DIGEST']])));
    assert.equal(digests, Array(4).fill(digests[1]), 'DEBUG DIGEST');
  }

  /** As at the start of a server. */
  async #loadInParts(random: Random, options: string[]): Promise<void> {
    assert.equal(await this.#asks.guestReader([options, ['FLUSHALL']]), ['OK', 'OK']);
    let result = this.#guestFiles.startLoad();
    while (result > 0) result = this.#guestFiles.loadMore(1 + random.below(5000));
    assert.is(result, 0, this.#guestFiles.logs.slice(-3).join('\n'));
  }
}
