// The connection and server commands, against a real redis-server: the same replies, or replies of the same
// shape.
//
// Method: each command goes to both and the replies are compared whole; where they must differ (ids, times,
// sizes), numbers count as equal. Not covered: effects of sockets, and commands that Redis has and this
// server has not.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { RedisGuest } from './harness.ts';
import { plain, words, type Plain } from './plain.ts';
import { startRedis, type RealRedis } from './real-redis.ts';

const test = suite('redis/server-commands');

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

/** Sends each line to both servers; the replies are equal. */
async function compare(lines: string): Promise<void> {
  for (const line of lines.trim().split('\n')) {
    const mine = run(line.trim());
    if (redis === undefined) continue;
    assert.equal(mine, plain(await redis.call(...words(line.trim()))), line);
  }
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

test('CONF-1: CONFIG SET accepts and refuses values as Redis does', () =>
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
    config set client-output-buffer-limit "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60"
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

test('CONF-2: CONFIG SET of several options changes all of them or none', () => {
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
    (
      'port bind dir unixsocket save enable-debug-command loglevel logfile databases pidfile ' +
      'latency-tracking'
    ).split(' '),
  );
  const table = (reply: Plain) => {
    const flat = reply as string[];
    return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!] as const] : [])));
  };
  const mine = table(run('config get *'));
  const theirs = table(plain(await redis.call('config', 'get', '*')));
  let shared = 0;
  for (const [name, value] of mine) {
    if (name === 'rdb-skip-unknown-types') continue; // ours
    assert.ok(theirs.has(name), `${name} is not an option of Redis 7.0`);
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
  const names = run('command list') as string[];
  assert.is(run('command count'), names.filter((name) => !name.includes('|')).length);
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
  `));

test('INFO, LOLWUT and DEBUG answer as Redis does, errors included', () =>
  compare(`
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

test.run();
