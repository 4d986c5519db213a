// `ringzero serve` as a process: its options, what it prints, how it saves and ends.
//
// Method: each test starts its own processes and checks output, exit codes and files. Not covered: long runs.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { type RedisError } from './resp.ts';
import { RespClient } from './real-redis.ts';
import { MAIN, ServerProcess, withServer } from './server-process.ts';

const test = suite('redis/server-process');

const dirs: string[] = [];
function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ringzero-options-'));
  dirs.push(dir);
  return dir;
}
test.after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function ringzero(...words: string[]) {
  return spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: 20_000 });
}

test('the command prints its version and its help, and knows no other commands', () => {
  assert.match(ringzero('--version').stdout, /^ringzero \d+\.\d+\.\d+\n$/);
  assert.match(ringzero('--help').stdout, /serve +run the Redis-compatible server/);
  assert.match(ringzero('serve', '--help').stdout, /--maxmemory-policy/);
  const wrong = ringzero('sreve');
  assert.is(wrong.status, 2);
  assert.match(wrong.stderr, /no command 'sreve'/);
});

test('it logs as Redis does: pid, role, time, level, where it listens, and that it is ready', () =>
  withServer([], async (server) => {
    const line = /^(\d+):M \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} ([*#]) (.*)$/;
    const lines = server.output
      .trimEnd()
      .split('\n')
      .map((text) => line.exec(text)!);
    for (const [, pid] of lines) assert.is(Number(pid), server.pid);
    const said = lines.slice(-4).map(([, , level, text]) => `${level} ${text}`);
    assert.match(said[0]!, /^\* Listening at 127\.0\.0\.1:\d+$/);
    assert.match(said[1]!, /^\* Running mode=standalone, port=\d+\.$/);
    assert.equal(said.slice(2), ['# Server initialized', '* Ready to accept connections']);
    assert.not.match(server.output, /\r/, 'no progress line where nobody looks');
  }));

test('options come from a file with quotes, comments and includes, and the command line wins', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'more.conf'), 'maxclients 77\nTIMEOUT 5\n');
  const main = [
    '# a comment',
    '',
    'port 0',
    'memory 128mb',
    `include ${join(dir, 'more.conf')}`,
    'requirepass "two words \\x41\\n"',
    "dbfilename 'it''s.rdb'".replace("''", ''),
    'save 900 1',
    'save 60 1000',
    'maxmemory 100mb',
    'databases 3',
    'timeout 9',
  ].join('\n');
  writeFileSync(join(dir, 'main.conf'), main);
  const server = ServerProcess.run(
    ['main.conf', '--timeout', '33', '--maxmemory-policy', 'allkeys-lru'],
    { dir },
  );
  await server.ready();
  const client = await server.client();
  assert.is(await client.call('AUTH', 'two words A\n'), 'OK');
  const option = async (name: string) =>
    String(((await client.call('CONFIG', 'GET', name)) as Buffer[])[1]);
  assert.is(await option('maxclients'), '77');
  assert.is(await option('timeout'), '33');
  assert.is(await option('save'), '900 1 60 1000');
  assert.is(await option('maxmemory'), String(100 * 2 ** 20));
  assert.is(await option('maxmemory-policy'), 'allkeys-lru');
  assert.is(await option('databases'), '3');
  assert.is(await option('dbfilename'), 'its.rdb');
  assert.is(String(await client.call('SELECT', '3')), 'Error: ERR DB index is out of range');
  await server.stop();
});

test('options come from standard input, too', async () => {
  const server = ServerProcess.run(['-', '--save', ''], {
    input: 'port 0\nmemory 64mb\nmaxclients 12\n',
  });
  await server.ready();
  const client = await server.client();
  assert.is(String(((await client.call('CONFIG', 'GET', 'maxclients')) as Buffer[])[1]), '12');
  assert.is(String(((await client.call('CONFIG', 'GET', 'save')) as Buffer[])[1]), '');
  await server.stop();
});

test('an error names the wrong option and its place, and the exit code is 1', async () => {
  const dir = newDir();
  const wrong: [words: string[], file: string, said: RegExp][] = [
    [
      ['--no-such-option', '1'],
      '',
      /--no-such-option 1'\nunknown option --no-such-option; see ringzero serve --help/,
    ],
    [['--port'], '', /'--port' needs a value/],
    [['--maxmemory', 'much'], '', /--maxmemory much'\nargument must be a memory value/],
    [['--databases', '0'], '', /databases/],
    [['--memory', '1kb'], '', /'memory' is '1kb'; allowed: 32mb to 4gb/],
    [['--port', '70000'], '', /--port 70000'\nargument must be between 0 and 65535 inclusive/],
    [['--dir', join(dir, 'nowhere')], '', /Directory .*nowhere does not exist/],
    [['absent.conf'], '', /absent\.conf/],
    [
      ['wrong.conf'],
      'port 0\nrequirepass "open',
      /at line 2\n>>> 'requirepass "open'\nUnbalanced quotes/,
    ],
    [
      ['wrong.conf'],
      'port 0\n\nbogus yes',
      /at line 3\n>>> 'bogus yes'\nBad directive or wrong number of arguments/,
    ],
    [['wrong.conf'], 'port', /at line 1\n>>> 'port'\nBad directive or wrong number of arguments/],
    [['wrong.conf'], 'include wrong.conf', /includes nest too deep/],
  ];
  for (const [words, file, said] of wrong) {
    writeFileSync(join(dir, 'wrong.conf'), file);
    const server = ServerProcess.run(words, { dir });
    const { code } = await server.ended;
    assert.is(code, 1, `${words.join(' ')}: ${server.output}`);
    assert.match(server.output, /FATAL/);
    assert.match(server.output, said);
    assert.not.match(server.output, /\n {4}at /, 'no stack trace');
  }
});

test('a port in use is an error that names it, and the exit code is 1', () =>
  withServer([], async (first) => {
    const second = ServerProcess.run(['--memory', '32mb', '--port', String(first.port)]);
    assert.equal(await second.ended, { code: 1, signal: null });
    assert.match(second.output, new RegExp(`127\\.0\\.0\\.1:${first.port}.*EADDRINUSE`));
    await second.stop();
  }));

test('it listens on several addresses, of which some may be missing', async () => {
  const addresses = ['127.0.0.1', '127.0.0.2', '-2001:db8::1'];
  const server = await ServerProcess.start(['--bind', ...addresses]);
  assert.match(server.output, /Listening at 127\.0\.0\.1:\d+/);
  const port = Number(/Listening at 127\.0\.0\.2:(\d+)/.exec(server.output)![1]);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.2', port }, () => resolve(void socket.destroy()));
    socket.once('error', reject);
  });
  await server.stop();
  const missing = ServerProcess.run(['--memory', '32mb', '--port', '0', '--bind', '2001:db8::1']);
  assert.is((await missing.ended).code, 1);
  assert.match(missing.output, /2001:db8::1/);
  await missing.stop();
});

test('a Unix socket in a missing directory is refused by its name', async () => {
  const path = join(newDir(), 'missing', 'own.sock');
  const server = ServerProcess.run(['--memory', '32mb', '--port', '0', '--unixsocket', path]);
  assert.is((await server.ended).code, 1);
  assert.match(server.output, /the directory \S+missing does not exist/);
  await server.stop();
});

test('it listens on a Unix socket, alone where the port is 0, and removes it', async () => {
  const path = join(newDir(), 'own.sock');
  const server = await ServerProcess.start(['--unixsocket', path]);
  assert.is(server.port, 0);
  const client = await RespClient.open(path);
  assert.is(await client.call('PING'), 'PONG');
  assert.match(String(await client.call('CLIENT', 'INFO')), new RegExp(` addr=${path}:0 `));
  assert.equal(await server.signal('SIGTERM'), { code: 0, signal: null });
  assert.not.ok(existsSync(path));
  await server.stop();
});

test('SIGTERM and SIGINT save where save points are set, and end with code 0', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const dir = newDir();
    const first = await ServerProcess.start(['--save', '3600 1'], { dir });
    const client = await first.client();
    await client.call('SET', 'key', signal);
    assert.equal(await first.signal(signal), { code: 0, signal: null });
    assert.match(first.output, new RegExp(`Received ${signal} scheduling shutdown`));
    assert.match(first.output, /DB saved on disk/);
    assert.match(first.output, /bye bye/);
    const second = await ServerProcess.start([], { dir });
    assert.is(String(await (await second.client()).call('GET', 'key')), signal);
    assert.match(second.output, /DB loaded from disk|keys loaded/);
    await (await second.client()).call('SET', 'key', 'unsaved');
    assert.equal(await second.signal(signal), { code: 0, signal: null });
    const third = await ServerProcess.start([], { dir });
    assert.is(
      String(await (await third.client()).call('GET', 'key')),
      signal,
      'no save points, no save',
    );
    await third.stop();
  }
});

test('a save that fails at a signal leaves the server running, as with Redis', async () => {
  const server = await ServerProcess.start(['--save', '3600 1']);
  const client = await server.client();
  await client.call('SET', 'key', 'value');
  const dump = join(server.dir, 'dump.rdb');
  spawnSync('mkdir', ['-p', join(dump, 'in the way')]);
  void server.signal('SIGTERM');
  await server.said(/error saving DB on disk/);
  assert.is(await client.call('PING'), 'PONG');
  await server.stop();
});

test('SHUTDOWN ends the process, saving or not', async () => {
  for (const [word, kept] of [
    ['SAVE', true],
    ['NOSAVE', false],
  ] as const) {
    const dir = newDir();
    const server = await ServerProcess.start([], { dir });
    const client = await server.client();
    await client.call('SET', 'key', 'value');
    await client.call('SHUTDOWN', word).catch(() => {});
    assert.equal(await server.ended, { code: 0, signal: null });
    assert.is(existsSync(join(dir, 'dump.rdb')), kept);
  }
});

test('it listens before it has loaded; SHUTDOWN during loading saves no partial data', async () => {
  const dir = newDir();
  const options = ['--enable-debug-command', 'local', '--save', '3600 1', '--rdbcompression', 'no'];
  const filler = await ServerProcess.start(options, { dir });
  const client = await filler.client();
  await client.call('DEBUG', 'POPULATE', '60000', 'key', '1000');
  assert.is(await client.call('SAVE'), 'OK');
  await filler.stop();

  const words = ['--memory', '256mb', '--port', '0', ...options];
  const waiting = ServerProcess.run(words, { dir });
  await waiting.listening();
  const early = await waiting.client();
  assert.match(String(await early.call('INFO', 'persistence')), /^loading:[01]\r$/m);
  for (;;) {
    const answer = await early.call('DBSIZE');
    if (answer === 60000) break;
    assert.is((answer as RedisError).message, 'LOADING Redis is loading the dataset in memory');
  }
  await waiting.ready();
  assert.match(waiting.output, /Listening at [^]*DB loaded from disk[^]*Ready to accept/);
  await waiting.stop();

  const ending = ServerProcess.run(words, { dir });
  await ending.listening();
  const last = await ending.client();
  last.call('SHUTDOWN').catch(() => {}); // the connection ends
  assert.equal(await ending.ended, { code: 0, signal: null });
  const again = await ServerProcess.start(options, { dir });
  const reader = await again.client();
  assert.is(await reader.call('DBSIZE'), 60000, 'not a part of them');
  await again.stop();
});

test('SHUTDOWN by a client who comes before all is up ends the process', async () => {
  for (const signal of [undefined, 'SIGTERM'] as const) {
    const server = ServerProcess.run([
      '--memory',
      '64mb',
      '--port',
      '0',
      '--metrics-port',
      '0',
      '--save',
      '',
    ]);
    await server.listening();
    if (signal === undefined) (await server.client()).call('SHUTDOWN').catch(() => {});
    else void server.signal(signal);
    assert.equal(await server.ended, { code: 0, signal: null }, server.output);
  }
});

test('a file that cannot be loaded stops the start, with the reason', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'dump.rdb'), 'REDIS0010 and then nonsense');
  const server = ServerProcess.run(['--memory', '32mb', '--port', '0'], { dir });
  assert.is((await server.ended).code, 1);
  assert.match(server.output, /loading the DB/);
});

test('CONFIG SET of the level changes the log; the directory is shown whole', () =>
  withServer(['--dir', '.'], async (server) => {
    const client = await server.client();
    const [, dir] = (await client.call('CONFIG', 'GET', 'dir')) as Buffer[];
    assert.is(String(dir), realpathSync(server.dir));
    assert.is(await client.call('SAVE'), 'OK');
    await server.said(/DB saved on disk/);
    assert.is(await client.call('CONFIG', 'SET', 'tcp-keepalive', '17'), 'OK');
    assert.is(await client.call('CONFIG', 'SET', 'loglevel', 'verbose'), 'OK');
    await server.client();
    await server.said(/- Accepted 127\.0\.0\.1:\d+\n/);
    assert.is(await client.call('CONFIG', 'SET', 'loglevel', 'warning'), 'OK');
    const before = server.output.length;
    assert.is(await client.call('SAVE'), 'OK');
    assert.is(await client.call('PING'), 'PONG');
    assert.is(server.output.length, before, 'notices are below the level');
  }));

test.run();
