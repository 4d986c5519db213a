// The example of docs/programs.md, run as it is documented; SQLite's own command checks the backup.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasPeer } from '../peers.ts';

const test = suite('example: fork SQLite');

test('forks see whole transactions only, and their backup is a database that sqlite3 accepts', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-sqlite-'));
  const file = join(scratch, 'backup.db');
  const args = ['examples/fork-sqlite/main.js', file, '3'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  assert.match(stdout, /every sum right/);
  const backups = [...stdout.matchAll(/(\d+) rows backed up/g)];
  assert.ok(backups.length > 0, stdout);
  if (hasPeer('sqlite3', 'the check of the backup')) {
    const ask = (sql: string): string => execFileSync('sqlite3', [file, sql], { encoding: 'utf8' });
    assert.is(ask('PRAGMA integrity_check'), 'ok\n');
    assert.is(Number(ask('SELECT sum(amount) FROM payment')), Number(backups.at(-1)![1]));
  }
  rmSync(scratch, { recursive: true });
});

test.run();
