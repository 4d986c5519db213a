// Saving and loading as events of a running server: failures, save points, clients during a load.
//
// Method: the guest without a VM, on a real directory; system calls fail where a test says so.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { ENOSPC } from '../../assembly/abi/errno.ts';
import { SYS_RENAME, SYS_SYNC, SYS_WRITE } from '../../assembly/abi/syscall.ts';
import { guestsOf } from './guest-files.ts';
import { callOf, contents, type Word } from './rdb-contents.ts';
import { RedisError } from './resp.ts';

const test = suite('redis/rdb-save');

const guestIn = guestsOf(test);

test('a save that fails leaves the old file, and no temporary one', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('SET', 'old', '1');
  assert.is(client.command('SAVE'), 'OK');
  const before = readFileSync(join(mine.dir, 'dump.rdb'));
  client.command('SET', 'new', 'x'.repeat(3000000));
  for (const failing of [SYS_WRITE, SYS_SYNC, SYS_RENAME]) {
    mine.interfere = (number) => (number === failing ? -ENOSPC : undefined);
    assert.instance(client.command('SAVE'), RedisError);
    mine.interfere = undefined;
    assert.equal(readdirSync(mine.dir), ['dump.rdb']);
    assert.equal(readFileSync(join(mine.dir, 'dump.rdb')), before);
  }
});

test('a background save ends in cron; its failure stops writes until one succeeds', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('CONFIG', 'SET', 'save', '1 2');
  client.command('SET', 'a', '1');
  assert.is(client.command('BGSAVE'), 'Background saving started');
  assert.instance(client.command('BGSAVE'), RedisError);
  client.command('SET', 'b', '1');
  mine.guest.cron();
  const info = () => client.command('INFO', 'persistence') as string;
  assert.match(info(), 'rdb_bgsave_in_progress:0');
  assert.match(info(), 'rdb_last_bgsave_status:ok');
  assert.match(
    info(),
    'rdb_changes_since_last_save:1',
    'PERSIST-2: a change after the snapshot counts',
  );

  mine.interfere = (number) => (number === SYS_WRITE ? -ENOSPC : undefined);
  client.command('BGSAVE');
  mine.guest.cron();
  mine.interfere = undefined;
  assert.match(info(), 'rdb_last_bgsave_status:err');
  assert.match(String((client.command('SET', 'c', '1') as RedisError).message), /^MISCONF /);
  assert.is(client.command('GET', 'b'), '1');
  client.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
  assert.is(client.command('SET', 'd', '1'), 'OK');
  client.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes');
  assert.instance(client.command('SET', 'd', '1'), RedisError);
  client.command('BGSAVE');
  mine.guest.cron();
  assert.is(client.command('SET', 'c', '1'), 'OK');
});

test('DEBUG RELOAD during a background save stops that, and succeeds', async () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('CONFIG', 'SET', 'save', '');
  for (let i = 0; i < 100; i++) client.command('SET', `key ${i}`, i);
  const before = await contents(callOf(client));
  client.command('SELECT', 0);
  assert.is(client.command('BGSAVE'), 'Background saving started');
  const path = join(mine.dir, 'dump.rdb');
  const older = readFileSync(path);
  client.command('SET', 'key 1', 'changed');
  client.command('DEL', 'key 2');
  assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
  assert.match(String(client.command('INFO', 'persistence')), 'rdb_bgsave_in_progress:0');
  writeFileSync(path, older); // the child has renamed its file before it stopped
  for (let i = 0; i < 3; i++) mine.guest.cron();
  assert.equal(readdirSync(mine.dir), ['dump.rdb']);
  const after = await contents(callOf(client));
  assert.is(after.size, before.size - 1);
  client.command('SELECT', 0);
  assert.is(client.command('GET', 'key 1'), 'changed');
  assert.is(mine.load('dump.rdb'), 0);
  assert.equal(await contents(callOf(client)), after, 'the file is the one of the reload');
});

test('save points start a background save when enough has changed for long enough', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('CONFIG', 'SET', 'save', '10 2');
  client.command('SET', 'a', '1');
  client.command('SET', 'b', '1');
  mine.guest.cron();
  assert.not(existsSync(join(mine.dir, 'dump.rdb')));
  mine.guest.now += 11000;
  mine.guest.cron();
  assert.ok(existsSync(join(mine.dir, 'dump.rdb')));
  mine.guest.cron();
  client.command('FLUSHALL');
  mine.guest.cron();
  assert.is(mine.load('dump.rdb'), 0);
  assert.is(client.command('DBSIZE'), 0, 'FLUSHALL has saved the empty databases');
});

test('while a file is being loaded, clients can run commands without keys, and disturb nothing', async () => {
  const writer = guestIn();
  writer.guest.setOption('rdbcompression', 'no');
  const client = writer.guest.connect();
  for (let i = 0; i < 1200; i++) {
    client.command('SELECT', i & 3);
    client.command('SET', `key ${i}`, `${i} `.repeat(200));
    if (i % 50 === 0) client.command('HSET', `hash ${i}`, 'field', i);
  }
  assert.is(client.command('SAVE'), 'OK');
  const before = await contents(callOf(client));

  const reader = guestIn(writer.dir);
  reader.guest.setOption('maxmemory', '1');
  reader.guest.setOption('maxmemory-policy', 'allkeys-random');
  const other = reader.guest.connect();
  const refused = (...words: Word[]): void => {
    const reply = other.command(...words);
    assert.ok(reply instanceof RedisError, words.join(' '));
    assert.is(reply.message, 'LOADING Redis is loading the dataset in memory');
  };
  const figure = (name: string): number =>
    Number(
      new RegExp(`^${name}:(\\S+)\r$`, 'm').exec(String(other.command('INFO', 'persistence')))?.[1],
    );
  assert.is(reader.startLoad(), 1);
  let parts = 0;
  let loaded = -1;
  while (reader.loadMore(8192) === 1) {
    parts++;
    assert.is(other.command('SELECT', parts & 7), 'OK');
    refused('GET', 'key 1');
    refused('SET', 'key 1', 'no');
    refused('PING');
    refused('BGSAVE');
    refused('FLUSHALL');
    refused('DEBUG', 'RELOAD');
    assert.is(other.command('MULTI'), 'OK');
    refused('DEL', 'key 1');
    assert.match((other.command('EXEC') as RedisError).message, /^EXECABORT/);
    assert.is(figure('loading'), 1);
    assert.is(figure('loading_total_bytes'), readFileSync(join(writer.dir, 'dump.rdb')).length);
    assert.ok(figure('loading_loaded_bytes') > loaded && figure('loading_loaded_perc') <= 100);
    loaded = figure('loading_loaded_bytes');
    assert.ok(figure('loading_eta_seconds') >= 0);
  }
  assert.ok(parts > 10, `${parts} parts`);
  assert.is(figure('loading'), 0);
  assert.match(String(other.command('INFO', 'stats')), /^evicted_keys:0\r$/m);
  reader.guest.setOption('maxmemory', '0');
  assert.is(other.command('PING'), 'PONG');
  assert.equal(await contents(callOf(other)), before);
});

test('SAVE-1: every span that is given up has been written, and nothing else is', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  for (let i = 0; i < 20000; i++) client.command('SET', `key:${i}`, 'v'.repeat(i % 300));
  client.command('SET', 'large', 'x'.repeat(1000000));
  client.command('SAVE');
  let last = 0;
  for (const [address, bytes] of mine.forgotten) {
    assert.is(address % 65536, 0);
    assert.ok(address >= last, 'spans are given up in the order of their addresses, once');
    last = address + bytes - (bytes % 65536);
  }
  assert.ok(mine.forgotten.length > 40);
});

test.run();
