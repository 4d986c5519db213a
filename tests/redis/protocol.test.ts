// RESP requests: whole, in pieces of any length, inline, wrong, and random bytes.
//
// Goal: chunk boundaries never matter; errors are Redis's and close the connection; no client input stops the
// guest. Not covered: sockets themselves.

import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { EVENT_SHUTDOWN } from '../../guest/redis/abi.ts';
import { Random } from '../random.ts';
import { RedisGuest } from './harness.ts';
import { encode } from './resp.ts';
import { startRedis } from './real-redis.ts';
import { connect } from 'node:net';

const test = suite('redis/protocol');

function batch(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < 30; i++) {
    const key = `k${random.below(5)}`;
    const size = random.pick([0, 1, 50, 3000, 40000, 100000, 400000]);
    const value = Buffer.alloc(size, 65 + random.below(26));
    const command = random.below(9);
    if (command === 0) parts.push(encode('SET', key, value));
    else if (command === 1) parts.push(encode('GET', key));
    else if (command === 2) parts.push(encode('APPEND', key, value.subarray(0, 50000)));
    else if (command === 3) parts.push(encode('MSET', key, value, 'z', value, 'y', 'small'));
    else if (command === 4) parts.push(encode('SETEX', key, 100, value));
    else if (command === 5) parts.push(Buffer.from(`set ${key} "in\\x41line"\r\n`));
    else if (command === 6) parts.push(encode('STRLEN', key), Buffer.from('\r\n'));
    else if (command === 7) parts.push(encode('MGET', 'y', 'z', key));
    else
      parts.push(encode('MULTI'), encode('SET', key, value), encode('STRLEN', key), encode('EXEC'));
  }
  return Buffer.concat(parts);
}

test('replies do not depend on where chunks end', () => {
  const random = Random.forTest('redis/protocol');
  for (let round = 0; round < 8; round++) {
    const input = batch(random);
    const whole = new RedisGuest().connect().raw(input);
    for (const chunkBytes of [65536, 1 + random.below(60000), 1000 + random.below(5000)]) {
      const guest = new RedisGuest();
      assert.ok(guest.connect().raw(input, chunkBytes) === whole, `chunks of ${chunkBytes} bytes`);
    }
  }
  const small = Buffer.concat([
    encode('SET', 'a', '1'),
    Buffer.from('get a\r\n'),
    encode('MSET', 'b', '2', 'c', 'x'.repeat(99)),
    encode('MGET', 'a', 'b', 'c'),
  ]);
  const wanted = new RedisGuest().connect().raw(small);
  for (let chunkBytes = 1; chunkBytes < 20; chunkBytes++)
    assert.is(new RedisGuest().connect().raw(small, chunkBytes), wanted);
});

test('memory is freed when clients and keys are gone', () => {
  const random = Random.forTest('redis/protocol');
  const guest = new RedisGuest();
  const watcher = guest.connect();
  const used = () =>
    Number(/used_memory:(\d+)/.exec(String(watcher.command('INFO', 'memory')))![1]);
  const sweep = () => {
    watcher.command('FLUSHALL');
    for (let i = 0; i < 5; i++) guest.cron();
  };
  watcher.raw(batch(random));
  sweep();
  const before = used();
  for (let i = 0; i < 10; i++) {
    const client = guest.connect();
    const input = batch(random);
    client.raw(input.subarray(0, random.below(input.length)), 1 + random.below(65536));
    client.close();
    sweep();
  }
  assert.is(used(), before);
});

const WRONG = [
  '*x\r\n',
  '*1\r\n#4\r\nPING\r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n$x\r\n',
  '*2147483648\r\n',
  '*1\r\n$536870913\r\n',
  '*0\r\nPING\r\n',
  '*-5\r\nPING\r\n',
  '\r\n\r\nPING\r\n',
  'PING "unbalanced\r\n',
  'PING "a"b\r\n',
  "SET k 'it\\'s'\r\nGET k\r\n",
  'SET k "\\n\\x00\\t\\"q"\r\nGET k\r\n',
  `*${'1'.repeat(70000)}`,
  `*1\r\n$${'1'.repeat(70000)}`,
  'x'.repeat(70000),
  '*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nabc\r\nGET k\n',
  'POST / HTTP/1.1\r\nHost: here\r\n\r\nPING\r\n',
  'GET / HTTP/1.1\r\nHost: here\r\n\r\nPING\r\n',
];

function ask(socketPath: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // Its end comes behind the input, so the server closes when it has answered.
    const socket = connect(socketPath, () => socket.end(Buffer.from(input, 'latin1')));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('wrong requests get the answers of redis-server', async () => {
  const redis = await startRedis();
  if (redis === undefined) return;
  try {
    for (const input of WRONG) {
      const guest = new RedisGuest();
      const real = await ask(join(redis.dir, 'real.sock'), input);
      assert.is(guest.connect().raw(input), real, JSON.stringify(input.slice(0, 60)));
    }
  } finally {
    redis.stop();
  }
});

test('a client without authentication may not send long requests', () => {
  const guest = new RedisGuest();
  assert.is(guest.setOption('requirepass', 'secret'), 0);
  assert.is(
    guest.connect().raw('*11\r\n'),
    '-ERR Protocol error: unauthenticated multibulk length\r\n',
  );
  assert.is(
    guest.connect().raw('*2\r\n$16385\r\n'),
    '-ERR Protocol error: unauthenticated bulk length\r\n',
  );
  const client = guest.connect();
  assert.is(client.raw('GET a\r\n'), '-NOAUTH Authentication required.\r\n');
  assert.is(client.raw('AUTH secret\r\nGET a\r\n'), '+OK\r\n$-1\r\n');
});

test('PROTO-2: an announced number of arguments takes no memory before they come', () => {
  const client = new RedisGuest().connect();
  const other = client.guest.connect();
  const used = (): number =>
    Number(/used_memory:(\d+)/.exec(String(other.command('INFO', 'memory')))![1]);
  const before = used();
  assert.is(client.raw('*1048576\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n'), '');
  assert.ok(used() - before < 4096, `${used() - before} bytes`);
});

test('random bytes never stop the guest', () => {
  const random = Random.forTest('redis/protocol');
  const guest = new RedisGuest();
  const pieces = [
    '*',
    '$',
    '\r\n',
    '1',
    '3',
    '2',
    'GET',
    'SET',
    'a',
    '"',
    "'",
    '\\x',
    ' ',
    '-1',
    '\0',
    '*3\r\n$3\r\nSET\r\n',
  ];
  for (let i = 0; i < 2000; i++) {
    const client = guest.connect();
    let text = '';
    for (let n = random.below(40); n > 0; n--)
      text += random.chance(0.2) ? String.fromCharCode(random.below(256)) : random.pick(pieces);
    client.raw(text, 1 + random.below(text.length + 1));
    client.close();
  }
  assert.is(guest.connect().raw('PING\r\n'), '+PONG\r\n');
});

test('SESS-1, REPLY-1: a long pipeline of large replies is sent in parts', () => {
  const client = new RedisGuest().connect();
  client.command('SET', 'big', 'v'.repeat(300000));
  const replies = client.pipeline(Array.from({ length: 50 }, () => ['GET', 'big']));
  assert.is(replies.length, 50);
  assert.ok(replies.every((reply) => String(reply).length === 300000));
});

test('PROTO-1: a large argument begins two bytes behind its length; nothing beyond the input is read', () => {
  for (const second of ['\n', 'X', '\r', '\0']) {
    for (const come of [0, 1, 2, 5000]) {
      const client = new RedisGuest().connect();
      client.command('SET', 'secret', 'do not tell '.repeat(4000));
      const value = `${second === '\n' ? 'a' : '\n'}${'v'.repeat(39_998)}z`;
      assert.is(client.raw(`*2\r\n$4\r\nECHO\r\n$40000\r${second}${value.slice(0, come)}`), '');
      assert.is(client.raw(`${value.slice(come)}\r\n`), `$40000\r\n${value}\r\n`);
      assert.is(client.command('PING'), 'PONG');
    }
  }
});

test('CLIENT REPLY SKIP: an empty command counts as the next one, and RESET goes unanswered', () => {
  const client = new RedisGuest().connect();
  assert.is(client.raw('CLIENT REPLY SKIP\r\n\r\nPING\r\n'), '+PONG\r\n');
  assert.is(client.raw('CLIENT REPLY SKIP\r\n*0\r\nPING\r\n'), '+PONG\r\n');
  assert.is(client.raw('CLIENT REPLY SKIP\r\nRESET\r\nPING\r\n'), '+PONG\r\n');
});

test('SHUTDOWN: what the client has sent behind it is not run, as the server has ended there', () => {
  const guest = new RedisGuest();
  const [client, other] = [guest.connect(), guest.connect()];
  const sent = [encode('SET', 'a', '1'), encode('SHUTDOWN', 'NOSAVE'), encode('SET', 'b', '2')];
  assert.is(client.raw(Buffer.concat(sent)), '');
  assert.ok(client.isClosed);
  assert.equal(guest.events, [EVENT_SHUTDOWN << 24]);
  assert.equal(other.command('KEYS', '*'), ['a']);
});

test.run();
