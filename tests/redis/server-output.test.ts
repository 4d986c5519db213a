// Output for clients that do not read: it is kept and counted, by all the limits of the options.
//
// Method: bare sockets against the server as a process, and against redis-server where it is installed. The
// state of a server is polled over another connection with CLIENT LIST, never assumed after a time. Not
// covered: limits of many gigabytes.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { hasPeer } from '../peers.ts';
import { RespClient, startRedis } from './real-redis.ts';
import { encode } from './resp.ts';
import { eventually, ServerProcess, withServer } from './server-process.ts';

const test = suite('redis/server-output');

const KIB = 2 ** 10;
const MIB = 2 ** 20;

const repeated = (command: Buffer, times: number): Buffer =>
  Buffer.alloc(command.length * times, command);

interface Pipeline {
  name: string;
  commands: Buffer;
  replyBytes: number;
}

/** Those that redis-py, Jedis, phpredis and Tcl write before they read anything. */
function pipelines(): Pipeline[] {
  const plain = (name: string, command: Buffer, times: number, reply: number): Pipeline => ({
    name: `${times} ${name}`,
    commands: repeated(command, times),
    replyBytes: times * reply,
  });
  return [
    plain('GETs of 100 bytes', encode('GET', 'a'), 220_000, 108),
    plain('GETs of 1000 bytes', encode('GET', 'b'), 200_000, 1009),
    plain('PINGs', encode('PING'), 3_000_000, 7),
    plain('SETs', encode('SET', 'c', 'v'.repeat(50)), 1_000_000, 5),
    {
      name: 'MULTI with 1,000,000 SETs',
      commands: Buffer.concat([
        encode('MULTI'),
        repeated(encode('SET', 'k', 'v'), 1_000_000),
        encode('EXEC'),
      ]),
      replyBytes: 5 + 9_000_000 + 10 + 5_000_000,
    },
  ];
}

/** Writes all of it, and reads nothing before the system has taken the last byte; a digest of the replies. */
async function writeThenRead(
  to: string | number,
  { commands, replyBytes }: Pipeline,
): Promise<string> {
  const socket = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.write(commands, () => resolve());
  });
  const digest = createHash('sha1');
  let left = replyBytes;
  for await (const part of socket as AsyncIterable<Buffer>) {
    digest.update(part);
    left -= part.length;
    if (left <= 0) break;
  }
  socket.destroy();
  assert.is(left, 0);
  return digest.digest('hex');
}

test('B3: pipelines written whole before anything is read are answered, as by redis-server', async () => {
  const server = await ServerProcess.start(['--memory', '1gb']);
  const real = hasPeer('redis-server', 'B3 beside redis-server') ? await startRedis() : undefined;
  try {
    const client = await server.client();
    for (const [key, length] of [
      ['a', 100],
      ['b', 1000],
    ] as const) {
      await client.call('SET', key, 'x'.repeat(length));
      await real?.call('SET', key, 'x'.repeat(length));
    }
    for (const pipeline of pipelines()) {
      const ours = await writeThenRead(server.port, pipeline);
      if (real !== undefined)
        assert.is(ours, await writeThenRead(join(real.dir, 'real.sock'), pipeline), pipeline.name);
    }
    await eventually('nothing waits any more', async () => (await used(client)) < 120 * MIB);
  } finally {
    real?.stop();
    await server.stop();
  }
});

async function used(client: RespClient): Promise<number> {
  return infoOf(client, 'used_memory');
}

async function infoOf(client: RespClient, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(String(await client.call('INFO')))![1]);
}

/** The fields of a client's line, by name. */
function fieldsOf(line: string): Map<string, string> {
  return new Map(line.split(' ').map((field) => field.split(/=(.*)/s, 2) as [string, string]));
}

async function lineOf(client: RespClient, name: string): Promise<Map<string, string> | undefined> {
  const lines = String(await client.call('CLIENT', 'LIST'))
    .split('\n')
    .map(fieldsOf);
  return lines.find((fields) => fields.get('name') === name);
}

const waiting = (line: Map<string, string> | undefined): number =>
  Number(line?.get('obl') ?? 0) + Number(line?.get('omem') ?? 0);

/** A client that reads nothing but the answer to its first command, which gives it a name. */
async function silent(server: ServerProcess, name: string): Promise<Socket> {
  const socket = await server.socket();
  socket.write(encode('CLIENT', 'SETNAME', name));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.resume();
  });
}

test('B14: pending output of a client is shown, counted as used memory, and freed with it', () =>
  withServer([], async (server) => {
    const good = await server.client();
    await good.call('SET', 'value', 'v'.repeat(MIB));
    const before = await used(good);
    assert.is(await infoOf(good, 'client_recent_max_input_buffer'), 0, 'a complete value');
    const socket = await silent(server, 'silent');
    socket.write(repeated(encode('GET', 'value'), 40));
    await eventually(
      'the replies wait',
      async () => waiting(await lineOf(good, 'silent')) > 20 * MIB,
    );
    const line = (await lineOf(good, 'silent'))!;
    assert.ok(Number(line.get('oll')) > 0);
    assert.is(line.get('obl'), '16384');
    assert.ok(Number(line.get('tot-mem')) > waiting(line));
    assert.is(line.get('events'), 'rw');
    assert.ok((await used(good)) - before >= waiting(line));
    assert.ok((await infoOf(good, 'mem_clients_normal')) >= waiting(line));
    assert.ok((await infoOf(good, 'client_recent_max_output_buffer')) >= waiting(line));
    let received = 0;
    socket.on('data', (part: Buffer) => (received += part.length));
    socket.resume();
    const expected = 40 * (MIB + `$${MIB}\r\n\r\n`.length);
    await eventually('everything comes', () => received === expected);
    await eventually('nothing waits', async () => waiting(await lineOf(good, 'silent')) === 0);
    socket.pause();
    socket.write(repeated(encode('GET', 'value'), 40));
    await eventually(
      'the replies wait',
      async () => waiting(await lineOf(good, 'silent')) > 20 * MIB,
    );
    socket.destroy();
    await eventually('they are gone', async () => (await used(good)) - before < MIB);
  }));

test('B14: unfinished input and MULTI are shown', () =>
  withServer([], async (server) => {
    const good = await server.client();
    const socket = await silent(server, 'slow');
    socket.write(Buffer.concat([encode('MULTI'), encode('SET', 'a', 'b')]));
    socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n${'x'.repeat(50_000)}`);
    const shown = async (name: string): Promise<number> =>
      Number((await lineOf(good, 'slow'))?.get(name));
    await eventually('it has come', async () => (await shown('qbuf')) >= 50_000);
    assert.ok((await shown('argv-mem')) >= 100_000);
    assert.ok((await shown('multi-mem')) > 0);
    assert.ok((await shown('tot-mem')) >= 100_000);
    socket.destroy();
  }));

test('A12, B14: a client of a Unix socket with a relative path is local, and shown as one', () =>
  withServer(['--unixsocket', './x.sock'], async (server) => {
    const client = await RespClient.open(join(server.dir, 'x.sock'));
    const own = fieldsOf(String(await client.call('CLIENT', 'INFO')).trim());
    assert.is(own.get('flags'), 'U');
    assert.is(own.get('addr'), './x.sock:0');
    assert.is(own.get('qbuf'), '26');
    assert.is(own.get('argv-mem'), '10');
    assert.is(await client.call('DEBUG', 'SLEEP', '0'), 'OK');
    client.close();
  }));

test('A9: client-output-buffer-limit closes a client that never reads, or with too long a reply', () =>
  withServer(['--client-output-buffer-limit', 'normal 4mb 0 0'], async (server) => {
    const good = await server.client();
    await good.call('SET', 'value', 'v'.repeat(100_000));
    const socket = await silent(server, 'greedy');
    socket.write(repeated(encode('GET', 'value'), 4000));
    await eventually('it is cut off', async () => (await lineOf(good, 'greedy')) === undefined);
    await closed(socket);
    const reason = 'scheduled to be closed ASAP for overcoming of output buffer limits';
    assert.match(server.output, new RegExp(`name=greedy .*omem=\\d+ .*${reason}`));
    assert.is(await infoOf(good, 'client_limit_disconnections'), 1);
    await good.call('SET', 'long', 'v'.repeat(5 * MIB));
    const other = await silent(server, 'other');
    const parts: Buffer[] = [];
    other.on('data', (part: Buffer) => parts.push(part));
    other.write(encode('GET', 'long'));
    await closed(other);
    assert.is(Buffer.concat(parts).length, 0, 'no byte of the reply');
    // A client that reads gets any number of replies below the limit.
    const replies = await good.pipeline(Array.from({ length: 200 }, () => ['STRLEN', 'long']));
    assert.ok(replies.every((reply) => reply === 5 * MIB));
    const values = await good.pipeline(Array.from({ length: 30 }, () => ['GET', 'value']));
    assert.ok(values.every((value) => String(value).length === 100_000));
  }));

test('A9: a soft limit closes a client that has been over it for longer than its seconds', () =>
  withServer(['--client-output-buffer-limit', 'normal 0 1mb 1'], async (server) => {
    const good = await server.client();
    await good.call('SET', 'value', 'v'.repeat(MIB));
    const socket = await silent(server, 'soft');
    socket.write(repeated(encode('GET', 'value'), 20));
    await eventually('it waits', async () => waiting(await lineOf(good, 'soft')) > 2 * MIB);
    await eventually('it is cut off', async () => (await lineOf(good, 'soft')) === undefined);
    assert.match(server.output, /name=soft .*overcoming of output buffer limits/);
    socket.destroy();
  }));

test('A9: maxmemory-clients closes the largest clients, but not those with NO-EVICT', () =>
  withServer(['--maxmemory-clients', '60mb'], async (server) => {
    const good = await server.client();
    await good.call('SET', 'value', 'v'.repeat(MIB));
    const spared = await silent(server, 'spared');
    spared.resume();
    spared.write(encode('CLIENT', 'NO-EVICT', 'ON'));
    await once(spared, 'data');
    spared.pause();
    spared.write(repeated(encode('GET', 'value'), 30));
    await eventually('it waits', async () => waiting(await lineOf(good, 'spared')) > 15 * MIB);
    const small = await silent(server, 'small');
    small.write(repeated(encode('GET', 'value'), 12)); // far less than `large` has when all are too much
    const large = await silent(server, 'large');
    large.write(repeated(encode('GET', 'value'), 90));
    await closed(large);
    assert.ok((await lineOf(good, 'small')) !== undefined);
    assert.ok((await lineOf(good, 'spared')) !== undefined);
    assert.ok((await infoOf(good, 'evicted_clients')) >= 1);
    assert.match(server.output, /Evicting client: .*name=large/);
    const rest = waiting(await lineOf(good, 'spared')) + MIB;
    await good.call('CONFIG', 'SET', 'maxmemory-clients', rest);
    await closed(small);
    assert.ok((await lineOf(good, 'spared')) !== undefined);
    for (const socket of [spared, small]) socket.destroy();
  }));

test('A9: maxmemory-clients is 128 KiB at least, as in Redis, so that a client can still raise it', () =>
  withServer(['--maxmemory-clients', '1'], async (server) => {
    const client = await server.client();
    assert.is(await client.call('SET', 'value', 'v'.repeat(20_000)), 'OK');
    for (const [maxmemory, share] of [
      [0, '1'],
      ['10kb', '1%'],
      [0, '100'],
    ] as const) {
      const both = ['maxmemory', maxmemory, 'maxmemory-clients', share];
      assert.is(await client.call('CONFIG', 'SET', ...both), 'OK');
      assert.is(await client.call('PING'), 'PONG');
    }
    const large = await silent(server, 'large');
    large.write(repeated(encode('GET', 'value'), 500));
    // It reads nothing until the server has given it up: a client that reads fast enough is never over the
    // limit.
    while (/ name=large /.test(String(await client.call('CLIENT', 'LIST'))));
    await closed(large);
    assert.is(await client.call('PING'), 'PONG');
  }));

test('A9: an unauthenticated client is closed when more than a kilobyte waits behind its first buffer', () =>
  withServer(['--requirepass', 'secret'], async (server) => {
    const socket = await server.socket();
    const end = closed(socket);
    socket.write(repeated(encode('PING'), 1000)); // 35 bytes each
    await end;
    const polite = await server.client();
    for (let i = 0; i < 1000; i++) assert.instance(await polite.call('PING'), Error);
    assert.is(await polite.call('AUTH', 'secret'), 'OK');
    const replies = await polite.pipeline(Array.from({ length: 50_000 }, () => ['PING']));
    assert.ok(replies.every((reply) => reply === 'PONG'));
  }));

test('A9: unixsocketperm sets the permissions of the socket', () =>
  withServer(['--unixsocket', './private.sock', '--unixsocketperm', '700'], async (server) => {
    assert.is(statSync(join(server.dir, 'private.sock')).mode & 0o777, 0o700);
    const client = await RespClient.open(join(server.dir, 'private.sock'));
    assert.is(await client.call('PING'), 'PONG');
    const [, shown] = (await client.call('CONFIG', 'GET', 'unixsocketperm')) as Buffer[];
    assert.is(String(shown), '700');
    client.close();
  }));

test('A10: maxclients is lowered to what the process may open; saving works with all connected', async () => {
  const script = 'ulimit -n 200; exec "$0" "$@"';
  const small = ['--memory', '64mb', '--save', '', '--port', '0'];
  const server = ServerProcess.run(small, { through: ['/bin/sh', '-c', script] });
  try {
    await server.ready();
    assert.match(server.output, /maxclients has been reduced to \d+ to compensate for low ulimit/);
    const good = await server.client();
    const [, most] = (await good.call('CONFIG', 'GET', 'maxclients')) as Buffer[];
    assert.ok(Number(most) < 200 - 64);
    assert.match(
      String(await good.call('CONFIG', 'SET', 'maxclients', 10_000)),
      new RegExp(`not able to handle the specified number of clients, try with ${String(most)}`),
    );
    const sockets = await Promise.all(Array.from({ length: 250 }, () => server.socket()));
    sockets.forEach((socket) => socket.resume());
    await eventually(
      'the rest is refused',
      async () => (await infoOf(good, 'rejected_connections')) > 0,
    );
    await good.call('SET', 'a', 'b');
    assert.is(await good.call('SAVE'), 'OK');
    await good.call('BGSAVE');
    await eventually(
      'the save succeeds',
      async () => (await infoOf(good, 'rdb_bgsave_in_progress')) === 0,
    );
    assert.match(String(await good.call('INFO')), /rdb_last_bgsave_status:ok/);
    sockets.forEach((socket) => socket.destroy());
  } finally {
    await server.stop();
  }
});

test('A11: unauthenticated clients cannot fill a small VM', () =>
  withServer(['--memory', '64mb', '--requirepass', 'secret'], async (server) => {
    const good = await server.client();
    assert.is(await good.call('AUTH', 'secret'), 'OK');
    const before = await used(good);
    const argument = `$16384\r\n${'x'.repeat(16384)}\r\n`;
    const strangers = await server.sockets(600);
    for (const stranger of strangers) stranger.write('*10\r\n' + argument.repeat(3));
    // An unauthenticated client with half an AUTH is not closed.
    const slow = await server.socket();
    slow.write('*2\r\n$4\r\nAUTH\r\n$6\r\nsec');
    await eventually('most are closed', async () => (await infoOf(good, 'connected_clients')) < 60);
    assert.ok((await used(good)) - before < 4 * MIB);
    for (let i = 0; i < 100; i++)
      assert.is(await good.call('SET', `k${i}`, 'v'.repeat(10 * KIB)), 'OK');
    slow.write('ret\r\n');
    const [answer] = (await once(slow, 'data')) as [Buffer];
    assert.is(String(answer), '+OK\r\n');
    [...strangers, slow].forEach((socket) => socket.destroy());
  }));

test('A16: CLIENT KILL closes as many clients as it says', () =>
  withServer([], async (server) => {
    const killer = await server.client();
    const victims = await server.sockets(1500);
    assert.is(await infoOf(killer, 'connected_clients'), 1501);
    const ends = victims.map(closed);
    assert.is(await killer.call('CLIENT', 'KILL', 'TYPE', 'normal'), 1500);
    await Promise.all(ends);
    assert.is(await infoOf(killer, 'connected_clients'), 1);
  }));

test.run();
