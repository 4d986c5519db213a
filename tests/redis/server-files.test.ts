// The database file and those next to it: which files stop the start, are never destroyed, and are removed.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import * as rdb from './rdb-file.ts';
import { ServerProcess } from './server-process.ts';

const test = suite('redis/server-files');

const TYPE_STRING = 0;
const TYPE_LIST = 1;

async function inDirectory(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'ringzero-files-'));
  try {
    await body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const withList = rdb.file(
  Buffer.concat([
    rdb.key(TYPE_STRING, 'text', rdb.string('value')),
    rdb.key(TYPE_LIST, 'list', Buffer.concat([rdb.length(2), rdb.string('a'), rdb.string('b')])),
  ]),
);

test('B2: a file with types that the server lacks stops the start, and stays unchanged', () =>
  inDirectory(async (dir) => {
    const path = join(dir, 'dump.rdb');
    writeFileSync(path, withList);
    const server = ServerProcess.run(['--port', '0', '--memory', '64mb', '--save', '1 1'], { dir });
    assert.equal(await server.ended, { code: 1, signal: null });
    assert.match(server.output, /has a list at key 'list', which this server does not have/);
    assert.match(server.output, /Fatal error loading the DB/);
    assert.ok(withList.equals(readFileSync(path)));
    assert.equal(readdirSync(dir), ['dump.rdb']);
  }));

test('B2: with the option it starts, and a save keeps the skipped keys', () =>
  inDirectory(async (dir) => {
    writeFileSync(join(dir, 'dump.rdb'), withList);
    const kept = (): string[] =>
      readdirSync(dir).filter((name) => name.startsWith('dump.rdb.kept-'));
    for (let start = 0; start < 2; start++) {
      const server = await ServerProcess.start(['--rdb-skip-unknown-types', 'yes'], { dir });
      const client = await server.client();
      assert.is(String(await client.call('GET', 'text')), 'value');
      assert.is(await client.call('DBSIZE'), 1);
      assert.is(kept().length, 1, 'one name, however often it is started');
      if (start === 1) {
        assert.is(await client.call('SAVE'), 'OK');
        assert.not.ok(withList.equals(readFileSync(join(dir, 'dump.rdb'))));
        // A running server may not skip keys.
        writeFileSync(join(dir, 'dump.rdb'), withList);
        assert.instance(await client.call('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH'), Error);
      }
      await server.stop();
    }
    assert.ok(withList.equals(readFileSync(join(dir, kept()[0]!))));
    assert.ok(existsSync(join(dir, 'dump.rdb')));
  }));

test('B4: SHUTDOWN and SIGTERM during a background save: exit code 0 and the whole log', async () => {
  for (let round = 0; round < 8; round++) {
    const server = await ServerProcess.start([]);
    const client = await server.client();
    await client.call('DEBUG', 'POPULATE', 20_000 * (1 + (round % 4)), 'key', 100);
    assert.match(String(await client.call('BGSAVE')), /started/);
    if (round % 2 === 0) process.kill(server.pid, 'SIGTERM');
    else client.call('SHUTDOWN', 'NOSAVE').catch(() => {});
    assert.equal(await server.ended, { code: 0, signal: null }, `round ${round}\n${server.output}`);
    assert.match(server.output, /ready to exit, bye bye/);
    assert.equal(
      readdirSync(server.dir).filter((name) => name.startsWith('temp-')),
      [],
    );
    await server.stop();
  }
});

test('A15: saves stopped by FLUSHALL leave no temporary file', async () => {
  const server = await ServerProcess.start([]);
  try {
    const client = await server.client();
    for (let i = 0; i < 100; i++) {
      await client.call('SET', 'key', i);
      await client.call('BGSAVE');
      await client.call('FLUSHALL');
    }
    await client.call('BGSAVE');
    const isSaving = async (): Promise<boolean> =>
      String(await client.call('INFO', 'persistence')).includes('rdb_bgsave_in_progress:1');
    while (await isSaving());
    const temporary = (): string[] =>
      readdirSync(server.dir).filter((name) => name.startsWith('temp-'));
    // A child that was stopped unlinks its file when it ends, and nothing else tells of that.
    for (let i = 0; i < 300 && temporary().length > 0; i++) await sleep(20);
    assert.equal(temporary(), []);
  } finally {
    await server.stop();
  }
});

test('A18: metrics on the loopback interface are refused to pages whose name resolves here', async () => {
  const server = await ServerProcess.start(['--metrics-port', '0']);
  try {
    const port = Number(/Metrics at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output)![1]);
    const ask = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/metrics', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        }).once('error', reject);
      });
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      `localhost:${port}`,
      '[::1]:1',
      '10.0.0.1',
    ])
      assert.is(await ask(host), 200, host);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.nip.io',
    ])
      assert.is(await ask(host), 403, host);
  } finally {
    await server.stop();
  }
});

test('E5: maxmemory beyond the VM causes a warning at the start', async () => {
  const server = await ServerProcess.start(['--memory', '64mb', '--maxmemory', '1gb']);
  assert.match(server.output, /WARNING: maxmemory is 1073741824 bytes, but the VM has 50331648/);
  await server.stop();
});

test('A8: a message about an option does not show a password', async () => {
  const server = ServerProcess.run(['--requirepass', 'hidden'.repeat(1000)]);
  assert.is((await server.ended).code, 1);
  assert.match(server.output, /requirepass \(redacted\)/);
  assert.not.match(server.output, /hidden/);
});

test.run();
