// Clients that behave badly: random bytes, absurd lengths, slow, silent and vanishing ones, those that never
// read.
//
// Method: bare sockets against the server as a process; after each, a good client must be answered at once,
// and the process must have grown by no more than a bound. Not covered: thousands of clients for hours.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { RespClient } from './real-redis.ts';
import { eventually, ServerProcess, withServer } from './server-process.ts';

const test = suite('redis/server-clients');

const MIB = 2 ** 20;

/** Everything that the server sends until it closes. */
function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

/** Waits until `isSo`, at most ten seconds. */
async function info(client: RespClient, field: string): Promise<number> {
  const text = String(await client.call('INFO'));
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(text)![1]);
}

test('random bytes get errors or a closed connection, and the server stays usable', () =>
  withServer([], async (server) => {
    const random = Random.forTest('redis/server-clients');
    const good = await server.client();
    const pieces = [
      '*',
      '$',
      '\r\n',
      '-1',
      '*1\r\n',
      '$3\r\nGET\r\n',
      'SET',
      ' ',
      '"',
      '\0',
      '9'.repeat(20),
      'HELLO 3\r\n',
      '*2\r\n$3\r\nGET\r\n$1\r\na\r\n',
    ];
    for (let round = 0; round < 150; round++) {
      const socket = await server.socket();
      socket.resume();
      const count = random.below(60);
      for (let i = 0; i < count && !socket.destroyed; i++) {
        if (random.chance(0.7)) socket.write(random.pick(pieces));
        else
          socket.write(
            Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))),
          );
      }
      if (random.chance(0.5)) socket.destroy();
      else if (random.chance(0.5)) socket.resetAndDestroy();
      else socket.end();
      if (round % 10 === 0) assert.is(await good.call('PING'), 'PONG');
    }
    await eventually(
      'only the good client is left',
      async () => (await info(good, 'connected_clients')) === 1,
    );
  }));

test('absurd lengths get the errors of Redis and close the connection', () =>
  withServer([], async (server) => {
    const cases: [sent: string, got: string][] = [
      ['*1\r\n$1000000000000\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
      ['*1\r\n$-5\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
      ['*99999999999\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
      ['*1\r\nPING\r\n', "-ERR Protocol error: expected '$', got 'P'\r\n"],
      [`*1\r\n$${'1'.repeat(70_000)}`, '-ERR Protocol error: too big bulk count string\r\n'],
      ['x'.repeat(70_000), '-ERR Protocol error: too big inline request\r\n'],
    ];
    for (const [sent, got] of cases) {
      const socket = await server.socket();
      const text = untilClosed(socket);
      socket.write(sent);
      assert.is(await text, got);
    }
    const before = server.residentBytes();
    const sockets = await Promise.all(Array.from({ length: 40 }, () => server.socket()));
    for (const socket of sockets) socket.write('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\nabc');
    const good = await server.client();
    assert.is(await good.call('SET', 'key', 'value'), 'OK');
    assert.ok(server.residentBytes() - before < 64 * MIB, 'announced bytes take no memory');
    sockets.forEach((socket) => socket.destroy());
  }));

test('a request may come byte by byte, and its end in a half-closed connection is answered', () =>
  withServer([], async (server) => {
    const slow = await server.socket();
    const text = untilClosed(slow);
    for (const byte of '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$2\r\nab\r\nGET key\r\n') {
      slow.write(byte);
      await sleep(1); // so that bytes arrive one by one
    }
    slow.end('PING\r\n');
    assert.is(await text, '+OK\r\n$2\r\nab\r\n+PONG\r\n');
  }));

test('replies come in the order of the commands, whatever their size', () =>
  withServer([], async (server) => {
    const client = await server.client();
    const big = Buffer.alloc(3 * MIB, 'b');
    assert.is(await client.call('SET', 'big', big), 'OK');
    const commands = Array.from({ length: 300 }, (_, i) =>
      i % 29 === 0 ? ['GET', 'big'] : ['ECHO', String(i)],
    );
    const replies = await client.pipeline(commands);
    for (const [i, reply] of replies.entries()) {
      if (i % 29 === 0) assert.ok(big.equals(reply as Buffer));
      else assert.is(String(reply), String(i));
    }
  }));

test('replies to many slow readers never mix', () =>
  withServer([], async (server) => {
    const random = Random.forTest('redis/server-clients');
    const good = await server.client();
    const texts = Array.from({ length: 40 }, (_, k) => `<${k}>`.repeat(random.below(20_000)));
    await good.pipeline(texts.map((text, k) => ['SET', `k${k}`, text]));
    const readers = await Promise.all(Array.from({ length: 8 }, () => server.socket()));
    const expected = readers.map(() => '');
    readers.forEach((reader) => reader.pause());
    // One by one, and more than a pipe of the machine holds: sending stops in the middle of some reply.
    for (let i = 0; i < 400; i++) {
      for (const [r, reader] of readers.entries()) {
        const k = random.below(texts.length);
        reader.write(`GET k${k}\r\n`);
        expected[r] += `$${texts[k]!.length}\r\n${texts[k]}\r\n`;
      }
      await sleep(1); // so that the server runs some of them
    }
    const received = readers.map(async (reader, i) => {
      let text = '';
      reader.setEncoding('latin1').on('data', (part: string) => {
        text += part;
        if (!random.chance(0.3)) return;
        reader.pause();
        // It reads at irregular times: that is what is tested.
        setTimeout(() => reader.resume(), random.below(5));
      });
      reader.resume();
      await eventually('everything comes', () => text.length >= expected[i]!.length);
      assert.ok(text === expected[i], `client ${i} got what is not its own`);
      reader.destroy();
    });
    await Promise.all(received);
  }));

test('clients that vanish at any point leave nothing behind', () =>
  withServer([], async (server) => {
    const good = await server.client();
    await good.call('SET', 'big', Buffer.alloc(MIB, 'b'));
    const used = await info(good, 'used_memory');
    for (let round = 0; round < 60; round++) {
      const socket = await server.socket();
      socket.write('MULTI\r\nSET a b\r\nWATCH x\r\nGET big\r\n'.repeat(5));
      socket.write('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$400000\r\n' + 'x'.repeat(1000 * (round % 300)));
      // In some rounds the server has begun to read, in others it has not.
      if (round % 3 === 0) await sleep(2);
      socket.resetAndDestroy();
    }
    await eventually('all are gone', async () => (await info(good, 'connected_clients')) === 1);
    await eventually(
      'their memory is freed',
      async () => (await info(good, 'used_memory')) < used + MIB / 4,
    );
  }));

test('more than maxclients are refused with a reason, and admitted again later', () =>
  withServer(['--maxclients', '3'], async (server) => {
    const clients = [await server.client(), await server.client(), await server.client()];
    assert.is(await clients[0]!.call('PING'), 'PONG');
    for (let i = 0; i < 3; i++) {
      const text = untilClosed(await server.socket());
      assert.is(await text, '-ERR max number of clients reached\r\n');
    }
    assert.is(await info(clients[0]!, 'rejected_connections'), 3);
    clients[2]!.close();
    await eventually('there is room again', async () => {
      const client = await server.client();
      return client.call('PING').then(
        (reply) => reply === 'PONG',
        () => false,
      );
    });
  }));

test('clients that are idle for longer than timeout are closed, busy ones are not', () =>
  withServer(['--timeout', '1'], async (server) => {
    const idle = untilClosed(await server.socket());
    const busy = await server.client();
    let isClosed = false;
    void idle.then(() => (isClosed = true));
    await eventually('the idle one is closed', async () => {
      assert.is(await busy.call('PING'), 'PONG');
      await sleep(100); // a command now and then: busy, but not always
      return isClosed;
    });
    assert.is(await busy.call('PING'), 'PONG');
  }));

test('CLIENT KILL and QUIT close connections of other clients and their own', () =>
  withServer([], async (server) => {
    const killer = await server.client();
    const victim = await server.socket();
    const text = untilClosed(victim);
    victim.write('CLIENT ID\r\n');
    await new Promise((resolve) => victim.once('data', resolve));
    const id = (await killer.call('CLIENT', 'ID')) as number;
    assert.is(await killer.call('CLIENT', 'KILL', 'ID', id + 1), 1);
    assert.is(await text, `:${id + 1}\r\n`);
    const leaving = await server.socket();
    const last = untilClosed(leaving);
    leaving.write('QUIT\r\nPING\r\n');
    assert.is(await last, '+OK\r\n');
  }));

test('a thousand clients at once are each answered', () =>
  withServer([], async (server) => {
    const clients = await server.clients(1000);
    const replies = await Promise.all(clients.map((client, i) => client.call('SET', `k${i}`, i)));
    assert.ok(replies.every((reply) => reply === 'OK'));
    assert.is(await clients[0]!.call('DBSIZE'), 1000);
    assert.is(await info(clients[0]!, 'connected_clients'), 1000);
  }));

test('a closed server leaves no client waiting', async () => {
  const server = await ServerProcess.start();
  const text = untilClosed(await server.socket());
  await server.signal('SIGTERM');
  assert.is(await text, '');
  await server.stop();
});

test.run();
