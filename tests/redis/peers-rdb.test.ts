// Whole databases between the server and a real redis-server, through the file both save; and the file after
// a kill in the middle of a background save.
//
// Method: the same random commands fill one server, it saves, the other loads that file, and both are asked
// for everything. Killing: writers run, BGSAVE begins, SIGKILL comes at a random moment; the file must be the
// one from before or the new one, whole. Not covered: a power failure, which also loses unsynced data.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { hasPeer } from '../peers.ts';
import { startRedis, type Reply } from './real-redis.ts';
import { type Argument } from './resp.ts';
import { ServerProcess } from './server-process.ts';

const test = suite('redis/peers-rdb');

const DATABASES = 3;

interface Asked {
  call(...words: Argument[]): Promise<Reply>;
  pipeline(commands: Argument[][]): Promise<Reply[]>;
}

const dirs: string[] = [];
function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ringzero-peers-'));
  dirs.push(dir);
  return dir;
}
test.after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function randomCommands(random: Random, count: number): Argument[][] {
  const text = (): Argument => {
    const kind = random.below(6);
    if (kind === 0) return String(random.below(2 ** 31) - 2 ** 30);
    if (kind === 1) return 'repeat '.repeat(random.below(100));
    if (kind === 2)
      return Buffer.from(Array.from({ length: random.below(80) }, () => random.below(256)));
    if (kind === 3) return 'x'.repeat(random.below(70_000));
    return `value ${random.below(1000)}`;
  };
  return Array.from({ length: count }, (): Argument[] => {
    const key = `key:${random.below(400)}`;
    const field = `field:${random.below(300)}`;
    const seconds = 1000 + random.below(100_000);
    const choice = random.below(12);
    if (choice === 0) return ['SELECT', random.below(DATABASES)];
    if (choice < 4) return ['SET', key, text()];
    if (choice === 4) return ['SET', key, text(), 'EX', seconds];
    if (choice === 5) return ['DEL', key];
    if (choice === 6) return ['EXPIRE', `hash:${random.below(20)}`, seconds];
    if (choice === 7) return ['INCRBY', `number:${random.below(9)}`, random.below(1e9)];
    return ['HSET', `hash:${random.below(20)}`, field, text()];
  });
}

/** Everything, in one form for both: deadlines in place of times to live. */
async function contents(server: Asked): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let database = 0; database < DATABASES; database++) {
    await server.call('SELECT', database);
    for (const key of (await server.call('KEYS', '*')) as Buffer[]) {
      const isHash = (await server.call('TYPE', key)) === 'hash';
      const value = (await server.call(isHash ? 'HGETALL' : 'GET', key)) as Buffer | Buffer[];
      const hex = [value].flat().map((bytes) => bytes.toString('hex'));
      const pairs = isHash
        ? hex.flatMap((text, i) => (i % 2 ? [] : [`${text}=${hex[i + 1]}`]))
        : hex;
      const deadline = String(await server.call('PEXPIRETIME', key));
      const encoding = String(await server.call('OBJECT', 'ENCODING', key));
      found.set(`${database} ${String(key)}`, `${encoding} ${deadline} ${pairs.sort().join(' ')}`);
    }
  }
  return found;
}

function assertSame(got: Map<string, string>, wanted: Map<string, string>): void {
  assert.is(got.size, wanted.size);
  for (const [key, value] of wanted) assert.is(got.get(key), value, key);
}

test('redis-server loads what the server saved in the background, and the other way round', async () => {
  if (!hasPeer('redis-server', 'redis/peers-rdb: both ways')) return;
  const random = Random.forTest('redis/peers-rdb');
  const dir = newDir();
  const ours = await ServerProcess.start([], { dir });
  const client = await ours.client();
  await client.pipeline(randomCommands(random, 6000));
  assert.is(await client.call('BGSAVE'), 'Background saving started');
  const saved = await contents(client);
  await client.call('SELECT', 0);
  await client.pipeline(randomCommands(random, 2000)); // not in the file
  await ours.said(/Background saving terminated with success/);
  await ours.stop();
  const check = spawnSync('redis-check-rdb', [join(dir, 'dump.rdb')], { encoding: 'utf8' });
  assert.match(check.stdout, /RDB looks OK!/);
  const real = (await startRedis([], dir))!;
  try {
    assertSame(await contents(real), saved);
    await real.pipeline(randomCommands(random, 6000));
    const theirs = await contents(real);
    await real.call('SAVE');
    const second = await ServerProcess.start([], { dir });
    assertSame(await contents(await second.client()), theirs);
    await second.stop();
  } finally {
    real.stop();
  }
});

test('a kill at any moment of a background save leaves a file that loads, the old or the new', async () => {
  const random = Random.forTest('redis/peers-rdb');
  const dir = newDir();
  const generation = 'generation';
  const values = Buffer.alloc(900, 'v');
  let kept = 0;
  for (let round = 1; round <= 12; round++) {
    const server = await ServerProcess.start([], { dir });
    const client = await server.client();
    const before = Number(await client.call('GET', generation));
    assert.ok(before === kept || before === round - 1, `round ${round} has ${before}`);
    assert.is(await client.call('DBSIZE'), before === 0 ? 0 : 20_001);
    kept = before;
    const fill = Array.from({ length: 20_000 }, (_, i): Argument[] => ['SET', `k${i}`, values]);
    await client.pipeline([['SET', generation, round], ...fill]);
    await client.call('BGSAVE');
    const writing = (async () => {
      for (;;) await client.pipeline(fill.slice(0, 500));
    })().catch(() => {});
    // Any moment of the save: that is what is tested.
    await sleep(random.below(round < 3 ? 2000 : 400));
    await server.signal('SIGKILL');
    await writing;
    if (existsSync(join(dir, 'dump.rdb'))) {
      const bytes = readFileSync(join(dir, 'dump.rdb'));
      assert.is(bytes.toString('latin1', 0, 5), 'REDIS');
      assert.is(bytes[bytes.length - 9], 0xff, 'it has its end');
    }
    await server.stop();
  }
  assert.ok(kept > 0, 'some save ended');
});

test.run();
