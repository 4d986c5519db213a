// Past deviations from redis-server 7.0.15, one by one: the same commands to both must return the same bytes.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Pair, type Words } from './beside.ts';

const test = suite('redis/beside');

let pair: Pair | undefined;
test.before(async () => void (pair = await Pair.start()));
test.after(() => pair?.stop());

/** Each line is a command; words with blanks or other bytes come as arrays. */
async function same(lines: readonly (string | Words)[], protocol = 2): Promise<void> {
  if (!pair) return;
  const twin = await pair.connect();
  await twin.one('HELLO', protocol);
  await twin.run([['FLUSHALL'], ['CONFIG', 'SET', 'maxmemory', '0']]);
  for (const line of lines) {
    const words = typeof line === 'string' ? line.split(' ') : line;
    const { redis, guest } = await twin.one(...words);
    assert.is(guest, redis, JSON.stringify(words));
  }
  twin.close();
}

test('B7: a full memory refuses commands of a transaction, and EXEC is an EXECABORT', () =>
  same([
    'SET a 1',
    'CONFIG SET maxmemory 1',
    'MULTI',
    'GET a',
    'DEL a',
    'PING',
    'EXEC',
    'EXEC',
    'MULTI',
    'DISCARD',
    'GET a',
    'CONFIG SET maxmemory 0',
    'MULTI',
    'SET b 1',
    'EXEC',
  ]));

test('B7: EXEC with an argument leaves MULTI with the reason', () =>
  same(['MULTI', 'EXEC x', 'EXEC', 'EXEC x', 'WATCH a', 'MULTI', 'SET a 1', 'EXEC x y', 'EXEC']));

test('B6: min-replicas-to-write refuses writes without replicas', () =>
  same([
    'CONFIG SET min-replicas-to-write 1',
    'SET a 1',
    'GET a',
    'PING',
    'MULTI',
    'SET a 1',
    'EXEC',
    'CONFIG SET min-replicas-max-lag 0',
    'SET a 1',
    'CONFIG SET min-replicas-max-lag 10',
    'SET a 1',
    'CONFIG SET min-replicas-to-write 0',
    'SET a 1',
  ]));

test('B10: SWAPDB aborts no WATCH of a key that exists in neither database, or only expired', async () => {
  if (!pair) return;
  const [watcher, other] = [await pair.connect(), await pair.connect()];
  await other.run([
    ['DEBUG', 'SET-ACTIVE-EXPIRE', 0],
    ['FLUSHALL'],
    ['SELECT', 1],
    ['SET', 'k', 'v', 'PX', 1],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20)); // until it has expired on both
  for (const from of [0, 1]) {
    const replies = [
      ...(await watcher.run([['SELECT', from], ['WATCH', 'k'], ['MULTI'], ['PING']])),
      await other.one('SWAPDB', 0, 1),
      await watcher.one('EXEC'),
    ];
    for (const { words, redis, guest } of replies) assert.is(guest, redis, words.join(' '));
  }
  await other.one('DEBUG', 'SET-ACTIVE-EXPIRE', 1);
});

test('B12: an expiry at the end of time, and references to integers that are not shared', () =>
  same([
    'SET k v PXAT 9223372036854775807',
    'EXPIRETIME k',
    'PEXPIRETIME k',
    'SET n 5',
    'OBJECT REFCOUNT n',
    'CONFIG SET maxmemory 1gb maxmemory-policy allkeys-lru',
    'SET n 5',
    'OBJECT REFCOUNT n',
    'CONFIG SET maxmemory-policy volatile-ttl',
    'SET n 5',
    'OBJECT REFCOUNT n',
    'CONFIG SET maxmemory 0 maxmemory-policy noeviction',
  ]));

const B13 = [
  'COMMAND INFO nosuch',
  'COMMAND INFO get',
  'COMMAND INFO config|get nosuch',
  'COMMAND LIST FILTERBY PATTERN HSTR*',
  'COMMAND LIST FILTERBY PATTERN config|RESETstat',
  'COMMAND GETKEYS OBJECT FOO x',
  'COMMAND GETKEYS OBJECT ENCODING x',
  'COMMAND GETKEYS get',
  'COMMAND GETKEYS ping',
  'COMMAND GETKEYS MSET a 1 b 2',
  'COMMAND GETKEYSANDFLAGS SET a b GET',
  'COMMAND GETKEYSANDFLAGS SET a b',
  'COMMAND GETKEYSANDFLAGS RENAME a b',
];
test('B13: COMMAND', () => same(B13));
test('B13: COMMAND in RESP3', () => same(B13, 3));

test('B17: extra arguments, other bytes in texts, patterns without a text', () =>
  same([
    'CLIENT UNBLOCK 1 TIMEOUT extra',
    'SLOWLOG GET 1 2',
    'ACL CAT read x',
    'MEMORY USAGE a b',
    'DEBUG OBJECT a b',
    ['DEBUG', 'ERROR', 'a\0b\rc'],
    ['SET', '', ''],
    'KEYS **',
    'KEYS *',
    'SCAN 0 MATCH **',
    ['HSET', 'h', '', '1'],
    'HSCAN h 0 MATCH **',
    'HSCAN h 0 MATCH *',
    'HSCAN nosuch x',
  ]));

test('B17: setting an existing field converts a hash over a lowered limit into a table', () =>
  same([
    'HSET big a 1 b 2 c 3',
    'CONFIG SET hash-max-listpack-entries 2',
    'OBJECT ENCODING big',
    'HSET big a 2',
    'OBJECT ENCODING big',
    'HGETALL nosuch',
    'CONFIG SET hash-max-listpack-entries 512',
  ]));

test('B17: other blanks in inline commands, and a protocol error while replies are off', async () => {
  if (!pair) return;
  for (const bytes of [
    'ECHO a\vb\r\nQUIT\r\n',
    '\v ECHO \fa\f\r\nQUIT\r\n',
    'ECHO "a"\vb\r\nQUIT\r\n',
    'ECHO "a"b\r\n',
    "ECHO 'a\\'b' \"\\x41\\n\"\r\nQUIT\r\n",
    'CLIENT REPLY SKIP\r\nPING\r\n*1\r\nx\r\n',
    '*1\r\n$-5\r\n',
  ]) {
    const { redis, guest } = await (await pair.connect()).last(bytes);
    assert.is(guest, redis, JSON.stringify(bytes));
  }
  // Redis keeps such a connection open without ever reading from it again; here it is closed.
  const silent = pair.guest.connect();
  assert.is(silent.raw('CLIENT REPLY OFF\r\n*x\r\n'), '');
  assert.ok(silent.isClosed);
});

/** The same commands with up to four more arguments. */
const CLUSTER = (
  'addslots addslotsrange bumpepoch count-failure-reports countkeysinslot delslots ' +
  'delslotsrange failover flushslots forget getkeysinslot help info keyslot links meet myid ' +
  'nodes replicas replicate reset saveconfig set-config-epoch setslot shards slaves slots foo'
).split(' ');
test('CLUSTER: its own errors for wrong names and arguments; for the rest, that it is disabled', async () => {
  const names = [
    ['CLUSTER'],
    ...CLUSTER.map((name) => ['CLUSTER', name]),
    ['ASKING'],
    ['READONLY'],
  ];
  const lines = [...names, ['READWRITE'], ['CLUSTER', 'INFO|x'], ['CLUSTER', 'a\r\nb']].flatMap(
    (words) => [0, 1, 2, 3, 4].map((more) => [...words, ...Array<string>(more).fill('1')]),
  );
  await same(lines);
  await same(lines, 3);
  await same(CLUSTER.map((name) => ['COMMAND', 'INFO', `cluster|${name}`]));
});

test('DEBUG DIGEST and DEBUG DIGEST-VALUE are the numbers of redis-server', () =>
  same([
    'DEBUG SET-ACTIVE-EXPIRE 0',
    'DEBUG DIGEST',
    'SET a 1',
    ['SET', '', ''],
    ['SET', 'b', '\0\xff'.repeat(1000)],
    'SET c 9223372036854775807 PXAT 4102444800000',
    ...Array.from({ length: 130 }, (_, i): Words => ['SET', `length ${i}`, 'x'.repeat(i)]),
    'HSET h a 1 b two',
    'EXPIREAT h 4102444800',
    ['HSET', 'table', 'f', 'v'.repeat(65), 'g', '-1'],
    'DEBUG DIGEST',
    ['DEBUG', 'DIGEST-VALUE', 'a', '', 'b', 'c', 'h', 'table', 'nosuch', 'length 55', 'length 64'],
    'SELECT 3',
    'SET a 1',
    'SET gone 1 PXAT 1',
    'DEBUG DIGEST-VALUE a gone',
    'DEBUG DIGEST',
    'DEBUG DIGEST x',
    'DEBUG DIGEST-VALUE',
    'DEBUG SET-ACTIVE-EXPIRE 1',
  ]));

test.run();
