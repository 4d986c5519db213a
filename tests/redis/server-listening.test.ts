// CONFIG SET port and bind on a running server: it listens there, and only there; a failure changes nothing.

import { createServer, type AddressInfo, type Server } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { hasPeer } from '../peers.ts';
import { RespClient, startRedis, type Reply } from './real-redis.ts';
import { type Argument } from './resp.ts';
import { ServerProcess, withServer } from './server-process.ts';

const test = suite('redis/server-listening');

/** A port on which another program listens. */
async function takenPort(): Promise<[Server, number]> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return [server, (server.address() as AddressInfo).port];
}

async function freePort(): Promise<number> {
  const [server, port] = await takenPort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether a new connection to the port is answered. */
async function answers(port: number): Promise<boolean> {
  try {
    const client = await RespClient.open(port);
    const reply = await client.call('PING');
    client.close();
    return reply === 'PONG';
  } catch {
    return false;
  }
}

const text = (reply: Reply): string =>
  Array.isArray(reply)
    ? reply.map(text).join(' ')
    : reply instanceof Error
      ? `-${reply.message}`
      : String(reply);

test('B15: the server moves to another port, and connections stay', () =>
  withServer([], async (server) => {
    const client = await server.client();
    const [old, port] = [server.port, await freePort()];
    assert.is(await client.call('CONFIG', 'SET', 'port', port), 'OK');
    assert.ok(await answers(port));
    assert.not.ok(await answers(old));
    assert.is(text(await client.call('CONFIG', 'GET', 'port')), `port ${port}`);
    assert.match(text(await client.call('INFO', 'server')), new RegExp(`tcp_port:${port}\r`));
    assert.is(await client.call('CONFIG', 'SET', 'port', old), 'OK');
    assert.ok(await answers(old));
    assert.is(await client.call('CONFIG', 'SET', 'port', 0), 'OK');
    assert.not.ok(await answers(old));
    assert.is(await client.call('CONFIG', 'SET', 'port', port, 'bind', '127.0.0.1 -::1'), 'OK');
    assert.ok(await answers(port));
    client.close();
  }));

test('B15: a port in use is refused in the order of the replies, and the old one stays', () =>
  withServer([], async (server) => {
    const client = await server.client();
    const [other, taken] = await takenPort();
    const error =
      "-ERR CONFIG SET failed (possibly related to argument 'port') - " +
      'Unable to listen on this port. Check server logs.';
    const replies = await client.pipeline([
      ['SET', 'a', 1],
      ['CONFIG', 'SET', 'port', taken],
      ['GET', 'a'],
      ['MULTI'],
      ['CONFIG', 'SET', 'maxmemory', 0],
      ['GET', 'a'],
      ['EXEC'],
    ]);
    assert.equal(replies.map(text), ['OK', error, '1', 'OK', 'QUEUED', 'QUEUED', 'OK 1']);
    const transaction = await client.pipeline([
      ['MULTI'],
      ['GET', 'a'],
      ['CONFIG', 'SET', 'port', taken],
      ['CONFIG', 'SET', 'maxmemory', 0],
      ['EXEC'],
    ]);
    assert.is(text(transaction.at(-1)!), `1 ${error} OK`);
    assert.ok(await answers(server.port));
    assert.is(text(await client.call('CONFIG', 'GET', 'port')), 'port 0', 'as it was given');
    assert.match(server.output, new RegExp(`Could not listen at 127.0.0.1:${taken}`));
    // Without replies, and from a client that leaves.
    await client.pipeline([]);
    const silent = await server.socket();
    silent.end(`CLIENT REPLY OFF\r\nCONFIG SET port ${taken}\r\nSET silent 1\r\n`);
    await new Promise((resolve) => silent.once('close', resolve).resume());
    assert.is(text(await client.call('GET', 'silent')), '1');
    assert.ok(await answers(server.port));
    other.close();
    client.close();
  }));

test('B15: concurrent changes are made one after the other, and a QUIT after one gets its reply', () =>
  withServer([], async (server) => {
    const [a, b] = [await server.client(), await server.client()];
    const ports = [await freePort(), await freePort()];
    const both = [
      a.call('CONFIG', 'SET', 'port', ports[0]!),
      b.call('CONFIG', 'SET', 'port', ports[1]!),
    ];
    assert.equal(await Promise.all(both), ['OK', 'OK']);
    const now = Number(text(await a.call('CONFIG', 'GET', 'port')).split(' ')[1]);
    assert.ok(await answers(now));
    assert.not.ok(await answers(ports.find((port) => port !== now)!));
    const replies = await a.pipeline([['CONFIG', 'SET', 'bind', '127.0.0.1'], ['QUIT']]);
    assert.equal(replies, ['OK', 'OK']);
    b.close();
  }));

test('B15: errors are those of redis-server', async () => {
  if (!hasPeer('redis-server', 'redis/server-listening')) return;
  const [other, taken] = await takenPort();
  const port = String(await freePort());
  const real = (await startRedis(['--port', port, '--bind', '127.0.0.1']))!;
  const ours = await ServerProcess.start(['--port', String(await freePort())]);
  const client = await ours.client();
  const cases: Argument[][] = [
    ['bind', '192.0.2.1'],
    ['bind', '127.0.0.1 192.0.2.1'],
    ['port', taken],
    ['port', 'x'],
    ['port', 65536],
    ['port', -1],
    ['port'],
    ['port', taken, 'port', taken],
    ['bind', '127.0.0.1 -192.0.2.1'],
  ];
  for (const words of cases) {
    const [theirs, own] = [
      await real.call('CONFIG', 'SET', ...words),
      await client.call('CONFIG', 'SET', ...words),
    ];
    assert.is(text(own), text(theirs), words.join(' '));
    assert.is(
      text(await client.call('CONFIG', 'GET', 'bind')),
      text(await real.call('CONFIG', 'GET', 'bind')),
    );
  }
  client.close();
  await ours.stop();
  real.stop();
  other.close();
});

test('bind without an address listens nowhere; a server that listens nowhere does not start', async () => {
  await withServer([], async (server) => {
    const client = await server.client();
    assert.is(await client.call('CONFIG', 'SET', 'bind', ''), 'OK');
    assert.not.ok(await answers(server.port));
    client.close();
  });
  const refused = await ServerProcess.start(['--bind', '']).catch((error: Error) => error);
  assert.instance(refused, Error);
  assert.match((refused as Error).message, /Configured to not listen anywhere/);
});

test.run();
