// MONITOR, and with it output for clients that are not running.
//
// Goal: monitors are shown what redis-server shows, in the same order; never a password; and a monitor that
// does not read is limited like any other client. Method: the same scripts over Unix sockets to both servers,
// without times; in the guest alone, events that are not taken. Not covered: clocks that run backwards.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { EVENT_CLOSE, EVENT_OUTPUT } from '../../guest/redis/abi.ts';
import { hasPeer } from '../peers.ts';
import { RedisGuest } from './harness.ts';
import { encode } from './resp.ts';
import { startRedis } from './real-redis.ts';
import { withServer } from './server-process.ts';

const test = suite('redis/monitor');

/** A connection whose input is collected until it has a given text. */
class Line {
  text = '';
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (part: string) => (this.text += part));
    socket.on('error', () => {});
  }
  static async open(path: string): Promise<Line> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new Line(socket);
  }
  async until(what: RegExp): Promise<string> {
    while (!what.test(this.text)) {
      const ended = once(this.socket, 'close').then(() => 'closed');
      const next = await Promise.race([once(this.socket, 'data'), ended]);
      if (next === 'closed' && !what.test(this.text))
        throw new Error(`closed without ${what}: ${this.text}`);
    }
    return this.text;
  }
}

/** Times and the socket's path cut out. */
function plain(text: string): string {
  return text.replace(/^\+\d{9,}\.\d{6} \[(\d+) unix:[^\]]+\]/gm, '+TIME [$1]');
}

const OTHERS =
  [
    'multi',
    'monitor',
    'ping',
    'exec',
    'wrong',
    'get',
    'incr a',
    'exec',
    'multi',
    'bad',
    'exec',
    'watch a',
    'SET a "1 \\x01\\n\\"\\\\\\xff\\t"',
    'multi',
    'get a',
    'exec',
    'lastsave',
    'slowlog get',
    'config get port',
    'client list',
    'multi',
    'incr a',
    'discard',
    'expire x 100',
    'hello 3 auth default bar setname x',
    'auth a b',
    'select 5',
    'swapdb 1 2',
    'flushall',
    'multi',
    'select 7',
    'set z 1',
    'exec',
    'auth secret',
    'ping last',
  ].join('\r\n') + '\r\n';

const OWN =
  [
    ...['MONITOR', 'PING', 'SELECT 2', 'MONITOR', 'PING', 'GET a', 'MULTI', 'PING', 'EXEC'],
    ...['MULTI', 'GET a', 'EXEC', 'CLIENT REPLY SKIP', 'PING', 'PING', 'CLIENT REPLY OFF', 'PING'],
    ...['CLIENT REPLY ON', 'PING', 'RESET', 'ECHO end'],
  ].join('\r\n') + '\r\n';

/** What a monitor is shown of others, and what a monitor gets that sends commands itself. */
async function watchBoth(path: string): Promise<[string, string]> {
  const monitor = await Line.open(path);
  monitor.socket.write('MONITOR\r\n');
  await monitor.until(/^\+OK\r\n/);
  const other = await Line.open(path);
  other.socket.write(OTHERS);
  await monitor.until(/"ping" "last"\r\n/);
  const own = await Line.open(path);
  own.socket.write(OWN);
  await own.until(/\$3\r\nend\r\n/);
  await monitor.until(/"ECHO" "end"\r\n/);
  for (const { socket } of [monitor, other, own]) socket.destroy();
  return [plain(monitor.text), plain(own.text)];
}

test('PENDING-1: a monitor is shown what redis-server shows, in the same order', async () => {
  if (!hasPeer('redis-server', 'MONITOR compared with redis-server')) return;
  const real = (await startRedis())!;
  try {
    await withServer(['--unixsocket', 'monitor.sock'], async (server) => {
      const ours = await watchBoth(join(server.dir, 'monitor.sock'));
      const theirs = await watchBoth(join(real.dir, 'real.sock'));
      assert.equal(ours[0], theirs[0]);
      assert.equal(ours[1], theirs[1]);
    });
  } finally {
    real.stop();
  }
});

test('a line has the time, the database and the address of the client', () =>
  withServer([], async (server) => {
    const monitor = new Line(await server.socket());
    monitor.socket.write('MONITOR\r\n');
    await monitor.until(/^\+OK\r\n/);
    const other = await server.socket();
    const before = Date.now() / 1000 - 1;
    other.write('SELECT 9\r\n');
    const [, time, rest] = /OK\r\n\+(\d+\.\d{6}) (.*)\r\n/.exec(
      await monitor.until(/"SELECT" "9"\r\n/),
    )!;
    assert.is(rest, `[9 127.0.0.1:${other.localPort}] "SELECT" "9"`);
    assert.ok(Number(time) > before && Number(time) < Date.now() / 1000 + 1, time!);
  }));

test('passwords are redacted', () => {
  const guest = new RedisGuest();
  const monitor = guest.connect();
  monitor.line('monitor');
  const other = guest.connect();
  other.line('auth secret1');
  other.line('auth default secret2');
  other.line('hello 2 auth default secret3');
  other.line('config set requirepass secret4');
  const seen = guest.output(monitor.slot);
  assert.not.match(seen, /secret/);
  assert.match(seen, /"hello" "2" "auth" "\(redacted\)" "\(redacted\)"\r\n$/);
});

test('output that is not taken counts as memory, up to the limit of the client; then it is closed', () => {
  const guest = new RedisGuest();
  guest.setOption('client-output-buffer-limit', 'normal 100kb 0 0');
  const monitor = guest.connect();
  monitor.line('monitor');
  const other = guest.connect();
  const used = (): number =>
    Number(/used_memory:(\d+)/.exec(String(other.command('info', 'memory')))![1]);
  const big = encode('ECHO', 'x'.repeat(50000));
  other.send(big); // buffers that the server keeps have their size from now on
  guest.output(monitor.slot);
  const before = used();
  guest.output(monitor.slot);
  other.send(big);
  assert.ok(used() > before + 50000, `${before} bytes before, ${used()} behind`);
  assert.ok(guest.events.includes((EVENT_OUTPUT << 24) | monitor.slot));
  assert.not(guest.events.includes((EVENT_CLOSE << 24) | monitor.slot));
  other.send(big);
  other.send(big);
  assert.ok(guest.events.includes((EVENT_CLOSE << 24) | monitor.slot));
  monitor.close();
  assert.ok(used() < before + 20000, `${before} bytes before, ${used()} behind`);
});

test('ending monitors leave the others in place', () => {
  const guest = new RedisGuest();
  const monitors = [1, 2, 3, 4].map(() => guest.connect());
  for (const monitor of monitors) monitor.line('monitor');
  monitors[1]!.close();
  monitors[3]!.line('reset');
  const other = guest.connect();
  for (const monitor of monitors) if (!monitor.isClosed) guest.output(monitor.slot);
  other.line('ping');
  assert.match(guest.output(monitors[0]!.slot), /"ping"\r\n$/);
  assert.match(guest.output(monitors[2]!.slot), /"ping"\r\n$/);
  assert.is(guest.output(monitors[3]!.slot), '');
  monitors[0]!.close();
  monitors[2]!.close();
  assert.is(other.line('ping'), 'PONG');
});

test('a monitor that does not read is closed, and the server stays usable', () =>
  withServer(['--client-output-buffer-limit', 'normal 1mb 0 0'], async (server) => {
    const monitor = await server.socket();
    monitor.write('MONITOR\r\n');
    await once(monitor, 'readable');
    monitor.pause();
    const closed = once(monitor, 'close');
    const client = await server.client();
    const text = 'x'.repeat(30000);
    for (let i = 0; i < 400; i++) {
      await client.call('ECHO', text);
      if (/overcoming of output buffer limits/.test(server.output)) break;
    }
    assert.match(server.output, /overcoming of output buffer limits/);
    monitor.resume();
    await closed;
    assert.is(String(await client.call('PING')), 'PONG');
    assert.not.match(String(await client.call('CLIENT', 'LIST')), /flags=O/);
  }));

test.run();
