// Effects and reports of the server commands: INFO, logs, passwords, kills, its end.
//
// Method: commands against a guest without a VM; fields and shapes are those of a real redis-server where one
// is installed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { RedisGuest } from './harness.ts';
import { plain, words, type Plain } from './plain.ts';
import { startRedis, type RealRedis } from './real-redis.ts';

const test = suite('redis/server-state');

const guest = new RedisGuest();
const client = guest.connect();
let redis: RealRedis | undefined;

test.before(async () => {
  redis = await startRedis(['--enable-debug-command', 'yes']);
});
test.after(() => redis?.stop());

function run(line: string): Plain {
  return plain(client.command(...words(line)));
}

function fieldsOf(text: Plain): Map<string, string> {
  const lines = String(text)
    .split('\r\n')
    .filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

test('INFO has the fields that monitors read, with true values', async () => {
  run('flushall');
  run('config resetstat');
  run('set a 1');
  run('get a');
  run('get nosuch');
  run('nosuchcommand');
  const all = fieldsOf(run('info everything'));
  assert.is(all.get('keyspace_hits'), '1');
  assert.is(all.get('keyspace_misses'), '1');
  assert.is(all.get('db0'), 'keys=1,expires=0,avg_ttl=0');
  assert.match(
    all.get('cmdstat_get')!,
    /^calls=2,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=0$/,
  );
  assert.is(all.get('errorstat_ERR'), 'count=1');
  assert.is(all.get('total_error_replies'), '1');
  assert.is(all.get('total_commands_processed'), '4');
  assert.is(all.get('role'), 'master');
  assert.is(all.get('loading'), '0');
  assert.ok(Number(all.get('used_memory')) > Number(all.get('used_memory_startup')));
  for (const name of 'epoch snapshots_taken snapshots_active frames_free write_faults break'.split(
    ' ',
  )) {
    assert.match(all.get(name) ?? '', /^\d+$/, name);
  }
  if (redis === undefined) return;
  const theirs = fieldsOf(plain(await redis.call('info')));
  const read =
    'redis_version redis_mode tcp_port uptime_in_seconds connected_clients blocked_clients ' +
    'maxclients used_memory used_memory_human used_memory_rss used_memory_peak ' +
    'used_memory_overhead used_memory_dataset maxmemory maxmemory_policy ' +
    'mem_fragmentation_ratio mem_allocator loading rdb_changes_since_last_save ' +
    'rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status ' +
    'rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves rdb_last_cow_size ' +
    'current_cow_size current_cow_peak current_fork_perc current_save_keys_processed ' +
    'current_save_keys_total aof_enabled total_connections_received total_commands_processed ' +
    'instantaneous_ops_per_sec total_net_input_bytes expired_keys evicted_keys keyspace_hits ' +
    'keyspace_misses latest_fork_usec total_forks role connected_slaves used_cpu_sys ' +
    'used_cpu_user cluster_enabled';
  for (const name of read.split(' ')) {
    assert.ok(theirs.has(name), `${name} is a field of Redis`);
    assert.ok(all.has(name), `${name} is missing`);
  }
});

test('INFO returns the requested sections, in a fixed order', () => {
  const titles = (line: string): string[] => String(run(line)).match(/^# \w+/gm) ?? [];
  assert.equal(titles('info keyspace server'), ['# Server', '# Keyspace']);
  assert.equal(titles('info nosuch'), []);
  assert.ok(!titles('info').includes('# Commandstats'));
  assert.ok(titles('info all').includes('# Commandstats'));
  assert.ok(titles('info default').includes('# Ringzero'));
});

test('the slow log keeps the newest slow commands, their arguments cut', () => {
  run('config set slowlog-log-slower-than 0 slowlog-max-len 3');
  run('slowlog reset');
  for (let i = 0; i < 5; i++) run(`echo ${'x'.repeat(i === 4 ? 200 : i + 1)}`);
  const entries = run('slowlog get') as Plain[][];
  assert.is(entries.length, 3);
  const [id, time, us, words, address, name] = entries[0]!;
  for (const number of [id, time, us]) assert.type(number, 'number');
  assert.equal(words, ['echo', `${'x'.repeat(128)}... (72 more bytes)`]);
  assert.ok(String(address).length > 0);
  assert.is(name, '');
  run('config set slowlog-log-slower-than 10000 slowlog-max-len 128');
  assert.is(run('slowlog reset'), 'OK');
  assert.is(run('slowlog len'), 0);
});

test('the latency monitor keeps commands that were slower than its threshold', () => {
  run('config set latency-monitor-threshold 1');
  run('debug sleep 0.005');
  const [event] = run('latency latest') as Plain[][];
  assert.is(event![0], 'command');
  assert.ok(Number(event![2]) >= 5 && Number(event![3]) >= 5);
  assert.is((run('latency history command') as Plain[]).length, 1);
  assert.match(
    String(run('latency graph command')),
    /^command - high \d+ ms, all time high \d+ ms\n#/,
  );
  assert.is(run('latency reset command'), 1);
  assert.equal(run('latency latest'), []);
  run('config set latency-monitor-threshold 0');
});

test('LOLWUT draws something and tells the version', () => {
  assert.match(String(run('lolwut')), /Redis ver\. 7\.0\.15/);
  assert.ok(String(run('lolwut 3')).length < String(run('lolwut 20')).length);
});

test('MEMORY USAGE and MEMORY STATS count bytes', async () => {
  run('flushall');
  run(`set big ${'v'.repeat(5000)}`);
  assert.ok(Number(run('memory usage big')) >= 5000);
  const mine = (run('memory stats') as Plain[]).filter((_, i) => i % 2 === 0);
  run('flushall');
  if (redis === undefined) return;
  await redis.call('flushall');
  await redis.call('set', 'big', 'v');
  const theirs = (plain(await redis.call('memory', 'stats')) as Plain[]).filter(
    (_, i) => i % 2 === 0,
  );
  assert.equal(mine, theirs);
});

test('a client must authenticate when there is a password, and RESET forgets that it did', () => {
  run('config set requirepass secret');
  const other = guest.connect();
  const answer = (line: string) => plain(other.command(...words(line)));
  const noAuth = { error: 'NOAUTH Authentication required.' };
  assert.equal(answer('get a'), noAuth);
  assert.match((answer('hello 3') as { error: string }).error, /^NOAUTH HELLO must be called/);
  assert.match((answer('auth wrong') as { error: string }).error, /^WRONGPASS /);
  assert.equal(answer('get a'), noAuth);
  assert.is(answer('auth secret'), 'OK');
  assert.is(answer('get a'), null);
  assert.is(answer('reset'), 'RESET');
  assert.equal(answer('get a'), noAuth);
  assert.type(answer('hello 3 auth default secret setname me'), 'object');
  assert.is(answer('client getname'), 'me');
  assert.match((answer('auth Default secret') as { error: string }).error, /^WRONGPASS /);
  other.close();
  run('config set requirepass ""');
});

test('CLIENT KILL closes the connections that match every filter', () => {
  const [first, second] = [guest.connect(), guest.connect()];
  const id = first.command('client', 'id');
  assert.is(run(`client kill id ${String(id)} type normal addr 127.0.0.1:1`), 0);
  guest.events.length = 0;
  assert.is(run(`client kill id ${String(id)} type normal`), 1);
  assert.equal(guest.events, [(1 << 24) | first.slot]);
  first.close();
  assert.is(
    plain(
      second.command(
        'client',
        'kill',
        'id',
        String(second.command('client', 'id')),
        'skipme',
        'no',
      ),
    ),
    1,
  );
  assert.ok(second.isClosed, 'the own connection closes after the reply');
});

test('the host is notified of options that concern it', () => {
  guest.events.length = 0;
  run('config set loglevel debug timeout 5');
  assert.is(guest.events.length, 1);
  assert.is(guest.events[0]! >> 24, 3);
  run('config set loglevel notice timeout 0');
});

test('SHUTDOWN saves if it must, stays when that fails, and tells the host', () => {
  guest.events.length = 0;
  const failure = { error: 'ERR Errors trying to SHUTDOWN. Check logs.' };
  assert.equal(
    run('shutdown save'),
    failure,
    'nothing can be saved: the guest of this test has no files',
  );
  assert.equal(guest.events, []);
  assert.is(guest.connect().raw('SHUTDOWN NOSAVE\r\n'), ''); // ends that client
  assert.equal(guest.events, [2 << 24]);
});

test('RESP3 returns texts as verbatim strings, options as maps, flags as sets', () => {
  const other = guest.connect();
  assert.match(other.raw('HELLO 3\r\n'), /^%7\r\n/);
  assert.match(other.raw('INFO server\r\n'), /^=\d+\r\ntxt:# Server\r\n/);
  assert.match(other.raw('CLIENT LIST\r\n'), /^=\d+\r\ntxt:id=/);
  assert.match(other.raw('LOLWUT\r\n'), /^=\d+\r\ntxt:/);
  assert.is(other.raw('CONFIG GET hz\r\n'), '%1\r\n$2\r\nhz\r\n$2\r\n10\r\n');
  assert.match(
    other.raw('COMMAND INFO get\r\n'),
    /^\*1\r\n\*10\r\n\$3\r\nget\r\n:2\r\n~2\r\n\+readonly\r\n/,
  );
  assert.match(other.raw('MEMORY STATS\r\n'), /,\d+\.\d+\r\n/);
  assert.is(other.raw('DEBUG PROTOCOL push\r\n').slice(0, 4), '>2\r\n');
  other.close();
});

test('absurd arguments are refused', () => {
  const huge = 'x'.repeat(70000);
  for (const line of [
    'config get',
    'config set',
    'client kill id',
    'client setname',
    'command info',
    'command docs',
  ]) {
    run(`${line} ${huge}`);
    run(`${line} ${huge} ${huge}`);
  }
  run(`info ${huge}`);
  run(`debug object ${huge}`);
  run(`debug populate 1 ${huge}`);
  run(`debug sleep ${'9'.repeat(400)}x`);
  run('debug populate 1 p 99999999999999999999');
  run(`lolwut ${'9'.repeat(18)}`);
  run('slowlog get 9223372036854775807');
  assert.is(run('ping'), 'PONG');
});

test.run();
