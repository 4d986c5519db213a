// The connection and server commands, against a real redis-server: the same replies, or replies of the same shape.
//
// Method: each command goes to both and the replies are compared whole; where they must differ (ids, times, sizes), numbers
// count as equal. What would be missed: what only shows over a socket, and commands that Redis has and this server has not.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { RedisError, RedisGuest, type Client, type Reply as GuestReply } from './harness.ts';
import { startRedis, type RealRedis, type Reply } from './real-redis.ts';

const test = suite('redis/server-commands');

const guest = new RedisGuest();
const client: Client = guest.connect();
let redis: RealRedis | undefined;

test.before(async () => {
  redis = await startRedis(['--enable-debug-command', 'yes']);
  if (redis === undefined) console.log('SKIPPED in part: redis-server is not installed');
});
test.after(() => redis?.stop());

type Plain = string | number | null | { error: string } | Plain[];

function plain(reply: Reply | GuestReply): Plain {
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (reply instanceof Error || reply instanceof RedisError) return { error: reply.message };
  if (Array.isArray(reply)) return reply.map(plain);
  if (reply instanceof Map) return [...reply].flat().map((part) => plain(part as Reply));
  return typeof reply === 'bigint' || typeof reply === 'boolean' ? String(reply) : reply;
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

function run(line: string): Plain {
  return plain(client.command(...words(line)));
}

/** Sends each line to both servers; the replies are equal. */
async function compare(lines: string): Promise<void> {
  for (const line of lines.trim().split('\n')) {
    const mine = run(line.trim());
    if (redis === undefined) continue;
    assert.equal(mine, plain(await redis.call(...words(line.trim()))), line);
  }
}

function fieldsOf(text: Plain): Map<string, string> {
  const lines = String(text)
    .split('\r\n')
    .filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

test('PING, ECHO, AUTH and HELLO answer as Redis does, errors included', () =>
  compare(`
    ping
    ping a
    ping a b
    echo
    echo x
    auth a
    auth a b
    auth default b
    auth a b c
    hello 4
    hello a
    hello 1
    hello 2 auth a
    hello 2 foo
    hello 2 auth a b
    hello 2 setname "a b"
    reset
    cluster info
    readonly
    readwrite
    asking
  `));

test('CLIENT answers as Redis does, errors included', () =>
  compare(`
    client
    client foo
    client list type foo
    client list type
    client list type replica
    client list id
    client list id a
    client list id 0
    client list foo
    client id a
    client getname
    client setname "a b"
    client setname ab
    client getname
    client setname ""
    client getname
    client kill foo
    client kill 127.0.0.1:1
    client kill id 99999
    client kill id a
    client kill id 0
    client kill type foo
    client kill type master
    client kill foo bar
    client kill user nobody
    client kill user default
    client kill skipme maybe
    client kill skipme
    client kill id 1 skipme
    client kill
    client kill a b c
    client reply foo
    client reply on
    client no-evict foo
    client no-evict on
    client no-evict off
    client tracking off
    client trackinginfo
    client getredir
    client caching yes
    client unblock 99
    client unblock a
    client unblock 1 foo
  `));

test('CONFIG SET takes and refuses values as Redis does', () =>
  compare(`
    config foo
    config set foo 1
    config set maxmemory abc
    config set maxmemory -1
    config set maxmemory 10kk
    config set maxmemory 1.5gb
    config set maxmemory " 5"
    config set maxmemory 5B
    config set maxmemory 1gb
    config get maxmemory
    config set maxmemory ""
    config get maxmemory
    config set maxmemory-policy foo
    config set maxmemory 1 maxmemory 2
    config set maxmemory abc foo 2
    config set maxmemory
    config set a b c
    config set databases 4
    config set unixsocket /tmp/a
    config set dir /tmp
    config set dbfilename a
    config set save "3600 a"
    config set save "3600 1 300 100"
    config get save
    config set save ""
    config get save
    config set loglevel foo
    config set timeout -1
    config set maxclients 0
    config set slowlog-log-slower-than -2
    config set proto-max-bulk-len 10
    config set client-query-buffer-limit 5
    config set client-output-buffer-limit "normal 0 0"
    config set client-output-buffer-limit "foo 0 0 0"
    config set client-output-buffer-limit "normal 1mb 0 0 pubsub 1 2 3"
    config get client-output-buffer-limit
    config set client-output-buffer-limit "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
    config set hash-max-ziplist-entries 99
    config get hash-max-ziplist-entries
    config set HASH-MAX-LISTPACK-ENTRIES 512
    config set maxmemory-clients 5%
    config get maxmemory-clients
    config set maxmemory-clients 0
    config set hz 010
    config set hz +5
    config set hz ""
    config set protected-mode 1
    config set stop-writes-on-bgsave-error maybe
    config set active-defrag-threshold-lower 2000
    config get nosuch*
    config get timeout timeout
    config get
    config resetstat a
    config rewrite
  `));

test('CONFIG SET of several options changes all of them or none', () => {
  run('config set timeout 7 tcp-keepalive 8');
  assert.equal(run('config get timeout'), ['timeout', '7']);
  assert.equal(run('config get tcp-keepalive'), ['tcp-keepalive', '8']);
  assert.ok((run('config set timeout 9 tcp-keepalive x') as { error: string }).error);
  assert.equal(run('config get timeout'), ['timeout', '7']);
  run('config set timeout 0 tcp-keepalive 300');
});

test("CONFIG GET shows Redis's defaults for the options that both have", async () => {
  if (redis === undefined) return;
  const own = new Set(
    'port bind dir unixsocket save enable-debug-command loglevel logfile databases pidfile latency-tracking'.split(
      ' ',
    ),
  );
  const table = (reply: Plain) => {
    const flat = reply as string[];
    return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!] as const] : [])));
  };
  const mine = table(run('config get *'));
  const theirs = table(plain(await redis.call('config', 'get', '*')));
  let shared = 0;
  for (const [name, value] of mine) {
    assert.ok(theirs.has(name), `${name} is no option of Redis 7.0`);
    if (own.has(name)) continue;
    assert.is(value, theirs.get(name), name);
    shared++;
  }
  assert.ok(shared > 120, `${shared} options shared`);
});

test('COMMAND INFO describes the shared commands as Redis does', async () => {
  if (redis === undefined) return;
  const mine = run('command') as Plain[][];
  for (const row of mine) {
    const name = row[0] as string;
    const [theirs] = plain(await redis.call('command', 'info', name)) as (Plain[] | null)[];
    assert.ok(theirs, `${name} is no command of Redis 7.0`);
    compareInfo(row, theirs);
  }
});

function compareInfo(mine: Plain[], theirs: Plain[]): void {
  const tidy = (row: Plain[]) =>
    row
      .slice(0, 9)
      .map((value, i) => (i === 2 || i === 6 ? [...(value as string[])].sort() : value));
  const withoutNotes = (row: Plain[]) =>
    tidy(row).map((value, i) =>
      i !== 8
        ? value
        : (value as Plain[][]).map((spec) => {
            const at = spec.indexOf('notes');
            return at < 0 ? spec : [...spec.slice(0, at), ...spec.slice(at + 2)];
          }),
    );
  assert.equal(withoutNotes(mine), withoutNotes(theirs), String(mine[0]));
  const members = new Map((theirs[9] as Plain[][]).map((row) => [row[0], row]));
  for (const row of mine[9] as Plain[][]) {
    const other = members.get(row[0]!);
    if (other === undefined)
      assert.is(row[0], 'client|setinfo'); // of Redis 7.2; clients send it
    else compareInfo(row, other);
  }
}

test('COMMAND DOCS has a summary, a group and the arguments of Redis for every command', async () => {
  if (redis === undefined) return;
  for (const [name] of run('command') as Plain[][]) {
    const mine = docsOf(run(`command docs ${String(name)}`));
    const theirs = docsOf(plain(await redis.call('command', 'docs', String(name))));
    assert.ok(mine.get('summary'), `${String(name)} has a summary`);
    for (const field of ['since', 'group', 'doc_flags', 'deprecated_since', 'arguments']) {
      assert.equal(mine.get(field), theirs.get(field), `${String(name)}: ${field}`);
    }
  }
});

function docsOf(reply: Plain): Map<string, Plain> {
  const flat = (reply as Plain[])[1] as Plain[];
  return new Map(
    flat.flatMap((key, i) => (i % 2 === 0 ? [[String(key), flat[i + 1]!] as const] : [])),
  );
}

test('COMMAND LIST, COUNT and GETKEYS answer as Redis does', async () => {
  assert.is(run('command count'), (run('command') as Plain[]).length);
  assert.is(run('command count'), (run('command list') as Plain[]).length);
  await compare(`
    command foo
    command count a
    command info foo
    command docs foo
    command getkeys
    command getkeys get
    command getkeys foo a
    command getkeys ping
    command getkeys get a
    command getkeys mset a 1 b 2
    command getkeys object encoding k
    command getkeysandflags set a b
    command getkeysandflags get a
    command getkeysandflags copy a b
    command list filterby foo a
    command list filterby aclcat foo
    command list filterby module foo
    command list foo
  `);
  const clients = run('command list filterby pattern clie*') as string[];
  assert.ok(clients.includes('client') && clients.includes('client|kill'));
  assert.ok(!clients.includes('config'));
  assert.ok((run('command list filterby aclcat hash') as string[]).includes('hset'));
});

test('the other server commands answer as Redis does, errors included', () =>
  compare(`
    time a
    role
    replicaof no one
    replicaof a b
    acl whoami
    acl foo
    acl users
    acl list
    acl cat foo
    acl cat
    save a
    bgsave foo
    shutdown foo
    shutdown abort
    shutdown save nosave
    memory usage
    memory usage nosuch
    memory usage nosuch samples b
    memory usage nosuch foo 1
    memory foo
    memory purge
    latency latest
    latency history a
    latency graph a
    latency reset
    latency foo
    latency histogram nosuch
    slowlog reset
    slowlog get a
    slowlog get -2
    slowlog foo
    lolwut version a
    info nosuch
    debug foo
    debug sleep a
    debug sleep 0
    debug set-active-expire 1
    debug object nosuch
    debug error "FOO bar"
    debug populate a
    debug populate 5
    debug populate -1
    debug reload foo
    debug change-repl-id
    debug protocol foo
    debug protocol string
    debug protocol double
    debug protocol bignum
    debug protocol null
    debug protocol array
    debug protocol set
    debug protocol map
    debug protocol attrib
    debug protocol push
    debug protocol verbatim
    debug protocol true
    debug protocol false
    mget key:0 key:4 key:5
    debug populate 3 p 10
    mget p:0 p:2
    flushall
  `));

test("CLIENT LIST has Redis's fields, in its order", async () => {
  const names = (text: Plain) =>
    String(text)
      .split('\n')[0]!
      .split(' ')
      .map((field) => field.slice(0, field.indexOf('=')));
  const mine = names(run('client list'));
  assert.equal(mine.slice(-2), ['lib-name', 'lib-ver']);
  if (redis === undefined) return;
  assert.equal(mine.slice(0, -2), names(plain(await redis.call('client', 'list'))));
  assert.equal(names(run('client info')), mine);
});

test('INFO has the fields that monitors read, and they are true', async () => {
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
    'redis_version redis_mode tcp_port uptime_in_seconds connected_clients blocked_clients maxclients used_memory used_memory_human used_memory_rss used_memory_peak used_memory_overhead used_memory_dataset maxmemory maxmemory_policy mem_fragmentation_ratio mem_allocator loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves rdb_last_cow_size current_cow_size current_save_keys_total aof_enabled total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes expired_keys evicted_keys keyspace_hits keyspace_misses latest_fork_usec total_forks role connected_slaves used_cpu_sys used_cpu_user cluster_enabled';
  for (const name of read.split(' ')) {
    assert.ok(theirs.has(name), `${name} is a field of Redis`);
    assert.ok(all.has(name), `${name} is missing`);
  }
});

test('INFO gives the sections asked for, in one order', () => {
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

test('HELP lists every subcommand with its syntax', () => {
  for (const name of [
    'client',
    'command',
    'config',
    'memory',
    'latency',
    'slowlog',
    'acl',
    'debug',
  ]) {
    const lines = run(`${name} help`) as string[];
    assert.match(lines[0]!, new RegExp(`^${name.toUpperCase()} <subcommand>`));
    assert.ok(lines.includes('HELP'), name);
  }
  assert.ok(
    (run('config help') as string[]).some((line) => line.startsWith('SET <parameter> <value>')),
  );
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

test('CLIENT KILL closes the connections that every filter fits', () => {
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

test('a change of an option that the host acts on is told to it', () => {
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
  assert.is(client.raw('SHUTDOWN NOSAVE\r\n'), '');
  assert.equal(guest.events, [2 << 24]);
});

test('RESP3 gives texts as verbatim strings, options as maps, flags as sets', () => {
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
