// Connections of the server, without one: replies that wait for the end of the turn.
//
// Method: a listener whose handler writes to one connection when it is told of the backlog of another, as a
// monitor's output is sent.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { listen, type Connection } from '../../host/platform/sockets.ts';

const test = suite('redis/sockets');

const PART = 100_000;

test('what is written while the outbox is flushed arrives whole, and once', async () => {
  const accepted: Connection[] = [];
  let onAccept: () => void = () => {};
  const listener = await listen({ host: '127.0.0.1', port: 0 }, (connection) => {
    connection.handler = { received: () => {}, queued: () => {}, closed: () => {} };
    accepted.push(connection);
    onAccept();
  });
  const open = async (): Promise<[Socket, Connection]> => {
    const isAccepted = new Promise<void>((resolve) => (onAccept = resolve));
    const socket = connect(listener.port, '127.0.0.1');
    await Promise.all([once(socket, 'connect'), isAccepted]);
    return [socket.on('error', () => {}), accepted.at(-1)!];
  };
  const [slowSocket, slow] = await open();
  const [socket, other] = await open();
  const [thirdSocket, third] = await open();
  slowSocket.pause();
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));

  const parts = ['1', '2', '3', '4'].map((digit) => digit.repeat(PART));
  let isBacklogged = false;
  slow.handler.queued = () => {
    if (isBacklogged) return;
    isBacklogged = true;
    for (const part of parts.slice(0, 3)) other.write(Buffer.from(part));
  };
  const filler = Buffer.alloc(PART, 'x');
  while (!isBacklogged) {
    slow.write(filler);
    slow.write(filler);
    await new Promise((resolve) => setImmediate(resolve));
  }
  third.write(filler);
  other.write(Buffer.from(parts[3]!));
  while (received.length < 4 * PART) await once(socket, 'data');
  assert.ok(received === parts.join(''), 'another order, or bytes of another connection');
  listener.close();
  for (const each of [slowSocket, socket, thirdSocket]) each.destroy();
});

test.run();
