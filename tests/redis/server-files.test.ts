// The database file and those beside it: what the server must not start with, must not destroy and must not leave behind.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('B2: a file with types that the server lacks is not started with, and stays as it is', () =>
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

test('B2: with the option it starts, and what was left out is kept when the server saves', () =>
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
        // While it runs nothing may be left out.
        writeFileSync(join(dir, 'dump.rdb'), withList);
        assert.instance(await client.call('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH'), Error);
      }
      await server.stop();
    }
    assert.ok(withList.equals(readFileSync(join(dir, kept()[0]!))));
    assert.ok(existsSync(join(dir, 'dump.rdb')));
  }));

test.run();
