// Functions of users in the Redis-compatible server, over a socket: UDF.LOAD, the commands it makes, and what
// goes wrong in them.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plain, type Plain } from '../redis/plain.ts';
import type { RespClient } from '../redis/real-redis.ts';
import { ServerProcess } from '../redis/server-process.ts';
import { HASH, LOOP, UPPER, udf } from './modules.ts';

const test = suite('user-defined functions: Redis');

let server: ServerProcess;
let client: RespClient;

test.before(async () => {
  server = await ServerProcess.start(['--udf', 'yes']);
  client = await server.client();
});
test.after(() => server.stop());

async function run(...words: (string | Uint8Array)[]): Promise<Plain> {
  const parts = words.map((word) => (typeof word === 'string' ? word : Buffer.from(word)));
  return plain(await client.call(...parts));
}

async function error(...words: (string | Uint8Array)[]): Promise<string> {
  const reply = await run(...words);
  assert.ok(reply !== null && typeof reply === 'object' && 'error' in reply, JSON.stringify(reply));
  return (reply as { error: string }).error;
}

test('a loaded function is a command in any case: an integer, bytes, a float, nothing', async () => {
  assert.is(await run('udf.load', 'Hash.FNV-1', HASH), 'OK');
  await run('set', 'row', 'hello');
  assert.is(await run('hash.fnv-1', 'row'), 0x4f9f2cab | 0);
  assert.is(await run('HASH.FNV-1', 'row'), 0x4f9f2cab | 0);
  await run('set', 'number', '12345');
  assert.is(await run('udf.load', 'upper', UPPER), 'OK');
  assert.is(await run('upper', 'row'), 'HELLO');
  assert.is(await run('upper', 'number'), '12345', 'an integer is given as its text');
  assert.is(await run('get', 'row'), 'hello');
  const half = udf({
    result: 'f64',
    call: '(f64.div (f64.convert_i32_u (local.get $bytes)) (f64.const 2))',
  });
  assert.is(await run('udf.load', 'half', half), 'OK');
  assert.is(await run('half', 'row'), '2.5');
  await run('set', 'even', 'ab');
  assert.is(await run('half', 'even'), 1);
  const infinite = udf({ result: 'f64', call: '(f64.const -inf)' });
  await run('udf.load', 'infinite', infinite);
  assert.is(await run('infinite', 'row'), '-inf');
  assert.is(await run('upper', 'missing'), null);
  await run('set', 'empty', '');
  assert.is(await run('upper', 'empty'), '');
  await run('hset', 'hash', 'a', 'b');
  assert.match(await error('upper', 'hash'), /^WRONGTYPE/);
  assert.match(await error('upper'), /wrong number of arguments for 'upper'/);
  assert.match(await error('upper', 'row', 'row'), /wrong number of arguments/);
});

test('rows and answers larger than one part come through whole', async () => {
  const memory = '(memory (export "memory") 32)';
  const echo = udf({
    memory,
    result: 'i64',
    call: `(i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
      (i64.extend_i32_u (local.get $bytes)))`,
  });
  assert.is(await run('udf.load', 'echo2', echo), 'OK');
  for (const length of [1, 65535, 65536, 65537, 131072, 700_001]) {
    const value = Buffer.from(Uint8Array.from({ length }, (_, i) => 32 + ((i * 7 + length) % 90)));
    await run('set', 'large', value);
    assert.ok((await run('echo2', 'large')) === value.toString(), `${length} bytes`);
  }
  await run('set', 'large', Buffer.alloc(3_000_000, 'x'));
  assert.match(await error('echo2', 'large'), /^ERR RZ_UDF_RESULT/);
});

test('transactions and pipelines hold functions, and a reload is a new function', async () => {
  await run('multi');
  assert.is(await run('upper', 'row'), 'QUEUED');
  assert.match(await error('udf.load', 'other', HASH), /transaction/);
  assert.match(await error('exec'), /EXECABORT/);
  await run('multi');
  await run('set', 'word', 'abc');
  await run('upper', 'word');
  assert.equal(await run('exec'), ['OK', 'ABC']);
  const replies = await client.pipeline([
    ['set', 'word', 'xyz'],
    ['upper', 'word'],
    ['strlen', 'word'],
    ['upper', 'word'],
  ]);
  assert.equal(replies.map(plain), ['OK', 'XYZ', 3, 'XYZ']);
  assert.is(await run('udf.load', 'reloaded', udf({ call: '(i32.const 1)' })), 'OK');
  assert.is(await run('reloaded', 'word'), 1);
  assert.is(await run('udf.load', 'RELOADED', udf({ call: '(i32.const 2)' })), 'OK');
  assert.is(await run('reloaded', 'word'), 2);
  assert.match(await error('udf.load', 'reloaded', 'no module'), /RZ_MODULE_MALFORMED/);
  assert.is(await run('reloaded', 'word'), 2, 'the one before stays');
});

test('a function is in COMMAND as others are', async () => {
  const [info] = (await run('command', 'info', 'upper')) as Plain[][];
  assert.equal(info!.slice(0, 2), ['upper', 2]);
  assert.equal(info!.slice(3, 6), [1, 1, 1]);
  assert.equal(await run('command', 'getkeys', 'upper', 'row'), ['row']);
  assert.ok(((await run('command', 'list')) as Plain[]).includes('upper'));
  const names = (await run('command', 'list')) as string[];
  assert.is(await run('command', 'count'), names.filter((name) => !name.includes('|')).length);
  await run('command', 'docs', 'upper', 'udf.load');
  assert.match(String(await run('info', 'commandstats')), /cmdstat_upper:calls=\d+/);
});

test('a function that fails is an error reply, and the server goes on', async () => {
  const outside = udf({ result: 'i64', call: '(i64.const -1)' });
  for (const [name, module, code] of [
    ['loop', LOOP, /^ERR RZ_UDF_LIMIT/],
    ['trap', udf({ call: '(unreachable)' }), /^ERR RZ_UDF_TRAP/],
    ['outside', outside, /^ERR RZ_UDF_RESULT/],
  ] as const) {
    assert.is(await run('udf.load', name, module), 'OK');
    for (let i = 0; i < 3; i++) {
      assert.match(await error(name, 'row'), code);
      assert.is(await run('upper', 'row'), 'HELLO');
    }
  }
  const endless = udf({ fields: '(func $start (loop $again (br $again))) (start $start)' });
  assert.match(await error('udf.load', 'endless', endless), /^ERR RZ_UDF_LIMIT/);
  assert.match(await error('endless', 'row'), /unknown command/);
  const importing = udf({ fields: '(import "libdbos" "syscall" (func (param i32)))' });
  assert.match(await error('udf.load', 'importing', importing), /^ERR RZ_UDF_REFUSED.*libdbos/);
});

test('names and sizes that cannot be are refused', async () => {
  for (const name of ['', 'a|b', 'a b', 'config|get', 'under_score', 'x'.repeat(33), 'a\r\nb', 'é'])
    assert.match(await error('udf.load', name, HASH), /a function has a name/);
  for (const name of ['get', 'GET', 'udf.load', 'config'])
    assert.match(await error('udf.load', name, HASH), /there is a command of that name/);
  assert.match(await error('udf.load', 'big', Buffer.alloc(1_048_577)), /at most 1 MiB/);
  assert.match(await error('udf.load', 'few'), /wrong number of arguments/);
  let loaded = 0;
  let refusal: Plain = null;
  for (let i = 0; i < 40 && refusal === null; i++) {
    const reply = await run('udf.load', `many-${i}`, HASH);
    if (reply === 'OK') loaded++;
    else refusal = reply;
  }
  assert.equal(refusal, { error: 'ERR too many functions' });
  assert.is(await run(`many-${loaded - 1}`, 'row'), 0x4f9f2cab | 0);
  assert.is(await run('udf.load', 'many-0', UPPER), 'OK', 'one that is there can be replaced');
  assert.is(await run('many-0', 'row'), 'HELLO');
});

test('without --udf yes there is no such command', async () => {
  const plainServer = await ServerProcess.start();
  const other = await plainServer.client();
  const reply = await other.call('udf.load', 'hash', Buffer.from(HASH));
  assert.match((plain(reply) as { error: string }).error, /unknown command 'udf.load'/);
  await plainServer.stop();
  const wrong = ServerProcess.run(['--udf', 'maybe']);
  assert.is((await wrong.ended).code, 1);
  assert.match(wrong.output, /'yes' or 'no'/);
  await wrong.stop();
});

test.run();
