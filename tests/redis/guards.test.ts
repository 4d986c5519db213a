// What the guest must not reveal, trust or keep: passwords, line ends in errors, unknown addresses, memory
// that was freed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { parseBytes } from '../../host/redis/options.ts';
import { FileGuest } from './guest-files.ts';
import { RedisGuest } from './harness.ts';
import { RedisError } from './resp.ts';

const test = suite('redis/guards');

test('A8: the slow log shows passwords as (redacted)', () => {
  const client = new RedisGuest().connect();
  client.command('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  client.command('CONFIG', 'SET', 'slowlog-max-len', '1024');
  client.command('AUTH', 'Hidden1');
  client.command('AUTH', 'default', 'Hidden2');
  client.command('AUTH', 'a', 'Hidden3', 'Hidden4');
  client.command('HELLO', '2', 'SETNAME', 'auth', 'AUTH', 'default', 'Hidden5');
  client.command('HELLO', '2', 'auth', 'Hidden6', 'Hidden7', 'SETNAME', 'x');
  client.command('CONFIG', 'SET', 'maxmemory', '0', 'ReQuirePass', 'Hidden8');
  client.command('CONFIG', 'SET', 'requirepass', '', 'masterauth', 'Hidden9');
  client.command('MULTI');
  client.command('CONFIG', 'SET', 'masterauth', 'Hidden0');
  client.command('EXEC');
  const shown = JSON.stringify(client.command('SLOWLOG', 'GET', '-1'));
  assert.not.match(shown, /Hidden/);
  assert.match(shown, /"AUTH","\(redacted\)","\(redacted\)"/);
  assert.match(shown, /"HELLO","2","SETNAME","auth","AUTH","\(redacted\)","\(redacted\)"/);
  assert.match(shown, /"maxmemory","0","ReQuirePass","\(redacted\)"/);
});

test('B1: the slow log does not read a value that MSET has replaced', () => {
  const client = new RedisGuest().connect();
  client.command('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  const large = 'L'.repeat(100_000);
  client.command('MSET', 'k', large, 'k', 'small', 'other', large);
  const [entry] = client.command('SLOWLOG', 'GET', '1') as unknown as [unknown[]];
  const words = entry[3] as string[];
  assert.equal(words.slice(0, 2), ['MSET', 'k']);
  assert.equal(words.slice(3, 5), ['k', 'small']);
  assert.is(words[2], '');
  assert.match(words[6]!, /^L{128}\.\.\. \(99872 more bytes\)$/);
});

test('A1: a unit of bytes is not looked up among inherited property names', () => {
  for (const unit of Object.getOwnPropertyNames(Object.prototype).filter((name) =>
    /^[a-z]+$/.test(name),
  ))
    assert.throws(() => parseBytes('maxmemory', `5${unit}`), /give a size/);
  assert.throws(() => parseBytes('maxmemory', '5constructor'), /give a size/);
  assert.is(parseBytes('maxmemory', '5MB'), 5 * 2 ** 20);
});

test('A18: a protocol error does not echo a line end', () => {
  for (const [sent, shown] of [
    ['\r', ' '],
    ['\n', ' '],
    ['x', 'x'],
  ] as const) {
    const client = new RedisGuest().connect();
    const reply = client.raw(`*1\r\n${sent}4\r\nPING\r\n`);
    assert.is(reply, `-ERR Protocol error: expected '$', got '${shown}'\r\n`);
  }
});

test('A18: DEBUG needs to be enabled', () => {
  const guest = new RedisGuest();
  guest.setOption('enable-debug-command', 'local');
  assert.is(guest.connect().command('DEBUG', 'SLEEP', '0'), 'OK');
  guest.setOption('enable-debug-command', 'no');
  assert.instance(guest.connect().command('DEBUG', 'SLEEP', '0'), RedisError);
});

test('A12: a remote client is denied in protected mode, also without memory for its address', () => {
  const guest = new RedisGuest({ pages: 200 });
  assert.throws(() => guest.connect('10.1.2.3:50000'), /DENIED/);
  assert.is(guest.connect('./x.sock:0', true).command('PING'), 'PONG');
  assert.throws(() => guest.connect('./x.sock:0'), /DENIED/);
  const local = guest.connect();
  // Keys of every size, down to those that fill the last hole.
  for (const bytes of [100_000, 10_000, 1000, 100, 40, 20, 1]) {
    for (let i = 0; ; i++)
      if (local.command('SET', `${bytes}:${i}`, 'x'.repeat(bytes)) instanceof RedisError) break;
  }
  let taken = 0;
  for (let i = 0; i < 300; i++) {
    try {
      guest.connect('10.1.2.3:50000');
      taken++;
    } catch {
      // refused: with DENIED, or silently without memory for it
    }
  }
  assert.is(taken, 0);
});

test('E5: OOM says whether maxmemory or the VM is full', () => {
  const guest = new RedisGuest({ pages: 200 });
  const client = guest.connect();
  let refusal: unknown;
  for (let i = 0; !(refusal instanceof RedisError); i++)
    refusal = client.command('SET', `k${i}`, 'x'.repeat(10_000));
  assert.match((refusal as RedisError).message, /^OOM .*memory of the VM is full/);
  client.command('CONFIG', 'SET', 'maxmemory', '100kb');
  refusal = client.command('SET', 'k', 'v');
  assert.match(
    (refusal as RedisError).message,
    /^OOM command not allowed when used memory > 'maxmemory'/,
  );
});

const used = (client: { command(...words: string[]): unknown }): number =>
  Number(/used_memory:(\d+)/.exec(String(client.command('INFO', 'memory')))![1]);

test('B9: FLUSHALL, FLUSHDB and DEL free their keys before they reply, unless they are lazy', () => {
  const client = new RedisGuest().connect();
  client.command('CONFIG', 'SET', 'save', '');
  const empty = used(client);
  const isFreed = (): boolean => used(client) - empty < 65536;
  for (const words of [['FLUSHALL'], ['FLUSHALL', 'SYNC'], ['FLUSHDB', 'SYNC']]) {
    client.command('DEBUG', 'POPULATE', '20000');
    assert.ok(!isFreed());
    client.command(...words);
    assert.ok(isFreed(), words.join(' '));
  }
  const fields = Array.from({ length: 20_000 }, (_, i) => `field ${i}`).flatMap((name) => [
    name,
    'v',
  ]);
  client.command('HSET', 'hash', ...fields);
  client.command('DEL', 'hash');
  assert.ok(isFreed());
  client.command('CONFIG', 'SET', 'lazyfree-lazy-user-flush', 'yes');
  for (const words of [['FLUSHALL', 'ASYNC'], ['FLUSHDB']]) {
    client.command('DEBUG', 'POPULATE', '20000');
    client.command(...words);
    assert.ok(!isFreed(), words.join(' '));
    client.command('FLUSHALL', 'SYNC');
    assert.ok(isFreed());
  }
});

test('B9: used_memory stays within maxmemory when the table of keys is due to double', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  const limit = used(client) + 300_000;
  client.command('CONFIG', 'SET', 'maxmemory', String(limit), 'maxmemory-policy', 'allkeys-random');
  for (let i = 0; i < 30_000; i++) {
    assert.is(client.command('SET', `key:${i}`, 'v'), 'OK');
    assert.ok(used(client) - limit < 4096, `${used(client) - limit} bytes above after ${i} keys`);
  }
});

test("B11: a child's end is noticed by its interrupt, without the timer", () => {
  let handler: number | undefined;
  const files = new FileGuest(undefined, {
    libdbos: { setHandler: (vector, fn) => void (vector === 2 && (handler = fn)) },
  });
  try {
    const client = files.guest.connect();
    const isSaving = (): boolean =>
      String(client.command('INFO')).includes('rdb_bgsave_in_progress:1');
    client.command('BGSAVE');
    assert.ok(isSaving());
    const { table } = files.guest.exports as unknown as { table: WebAssembly.Table };
    (table.get(handler!) as (vector: number) => void)(2);
    assert.ok(!isSaving());
    assert.match(String(client.command('INFO')), /rdb_last_bgsave_status:ok/);
  } finally {
    files.remove();
  }
});

test.run();
