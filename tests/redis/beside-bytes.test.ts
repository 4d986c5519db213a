// Hostile bytes, compared with redis-server 7.0.15: the replies, whether the connection stays open, and the
// client's state.
//
// Method: each case is one connection, before or after authentication, that gets commands in both protocols,
// some of them damaged: bits, lengths, line ends, pieces omitted or doubled. The guest gets the bytes in
// random chunks, redis-server in one piece. RZ_BYTES is the number of cases. Not covered: sockets
// (server-*.test.ts), requests beyond 64 KiB.

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { Pair } from './beside.ts';
import type { Client } from './harness.ts';

const test = suite('redis/beside-bytes');

const CASES = Number(process.env['RZ_BYTES'] ?? 1500);
const PASSWORD = 'secret';
/** redis-server reads this much in a turn of its event loop. */
const READ_BYTES = 16384;

let pair: Pair | undefined;
test.before(async () => void (pair = await Pair.start()));
test.after(() => pair?.stop());

const COMMANDS: readonly string[][] = [
  ...['PING', 'PING x', 'ECHO a', 'SET k v', 'GET k', 'GET none', 'DEL k', 'INCR n', 'APPEND k x'],
  ...['MGET k none'],
  ...[
    'HSET h f v',
    'HGET h f',
    'HLEN h',
    'EXISTS k',
    'TYPE h',
    'STRLEN k',
    'SETRANGE k 3 x',
    'HGET k f',
  ],
  ...[
    'MULTI',
    'EXEC',
    'DISCARD',
    'WATCH k',
    'UNWATCH',
    'MULTI',
    'SELECT 1',
    'SELECT 99',
    'RESET',
    'QUIT',
  ],
  ...['CLIENT SETNAME me', 'CLIENT GETNAME', 'CLIENT REPLY SKIP', 'CLIENT REPLY ON'],
  ...['CLIENT KILL x:1', 'CLIENT NO-EVICT on'],
  ...['HELLO', 'HELLO 2', 'HELLO 3', 'HELLO 4', 'HELLO x', 'AUTH wrong', 'AUTH secret'],
  ...['AUTH default secret', 'AUTH a b c'],
  ...['HELLO 3 AUTH default secret', 'HELLO 2 AUTH default wrong', 'ACL WHOAMI', 'OBJECT FOO k'],
  ...['NOSUCH', 'NOSUCH a b', 'GET', 'GET a b', 'COPY k k', 'FLUSHALL', 'DBSIZE', 'READONLY'],
  ...[
    'POST /',
    'Host: x',
    'host:',
    'SUBSTR k 0 1',
    'LCS k none LEN',
    'GETEX k',
    'CLIENT UNBLOCK 0',
  ],
].map((line) => line.split(' '));

const NUMBERS = [
  ...[
    '',
    '-',
    '-0',
    '-1',
    '-2',
    '0',
    '00',
    '01',
    '+1',
    ' 1',
    '1 ',
    '1\t',
    '1.0',
    '1e3',
    '0x1',
    '2',
  ],
  ...['3', '9', '10', '11', '12', '1023', '1024', '1025'],
  ...['16384', '16385', '1048576', '1048577', '2147483647', '2147483648', '-2147483648'],
  ...['-2147483649', '4294967295', '4294967296'],
  ...['536870912', '40000', '536870913', '9223372036854775807', '9223372036854775808'],
  ...['-9223372036854775808', '18446744073709551616', '99999999999999999999999', '\r1', '1\0'],
];
const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\n\r',
  '\r\r\n',
  '\n\n',
  '\0',
  '$',
  '*',
  '*1',
  '*0\r\n',
  '*-1\r\n',
  '$-1\r\n',
  '"',
  "'",
  '\\',
  ' ',
  '\t',
  '\v',
  '\f',
  '\xff',
  '+',
  ':1\r\n',
  '-x\r\n',
  '>1\r\n',
  '%1\r\n',
  '"\\x4',
  '"\\x41"',
  '"a"b',
  "'a\\'b'",
];

function written(random: Random, hasLarge: boolean): string {
  const words = [...random.pick(COMMANDS)];
  if (hasLarge && random.chance(0.01))
    words.splice(1, 2, 'k', 'x'.repeat(32760 + random.below(16)));
  if (random.chance(0.1)) words[0] = words[0]!.toLowerCase();
  if (random.chance(0.1)) words.push(random.pick(PIECES));
  if (random.chance(0.3))
    return (
      words.map((word) => quoted(random, word)).join(random.pick([' ', ' ', '  ', '\t', '\v'])) +
      random.pick(['\r\n', '\n'])
    );
  const count = random.chance(0.05) ? random.pick(NUMBERS) : words.length;
  const length = (word: string): string | number =>
    random.chance(0.03) ? random.pick(NUMBERS) : word.length;
  return `*${count}\r\n${words.map((word) => `$${length(word)}\r\n${word}\r\n`).join('')}`;
}

function quoted(random: Random, word: string): string {
  if (random.chance(0.8)) return word;
  if (random.chance(0.5)) return `'${word}'`;
  const escaped = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return `"${[...word].map((c) => (random.chance(0.3) ? escaped(c) : c)).join('')}"`;
}

function damaged(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random.below(7)) {
    case 0:
      return before + random.pick(PIECES) + after;
    case 1:
      return before + after.slice(1 + random.below(4));
    case 2:
      return before + after.slice(0, 1 + random.below(12)) + after;
    case 3:
      return before;
    case 4:
      return before + String.fromCharCode(random.below(256)) + after.slice(1);
    case 5:
      return text.replaceAll(/\d+/g, (digits) =>
        random.chance(0.15) ? random.pick(NUMBERS) : digits,
      );
    default:
      return after + before;
  }
}

/** `hasLarge`: some arguments are large enough for their own blocks. */
function bytesOf(random: Random, hasLarge: boolean): string {
  let text = '';
  for (let left = 1 + random.below(12); left > 0; left--) text += written(random, hasLarge);
  if (random.chance(0.05))
    for (let left = random.below(60); left > 0; left--)
      text += String.fromCharCode(random.below(256));
  if (random.chance(0.7))
    for (let times = 1 + random.below(3); times > 0; times--) text = damaged(random, text);
  return text;
}

/** Commands that damage can produce, although the server lacks them or has its own replies. */
const NOT_HERE = /scard|client\W+id|\bscan\b/i;

/** The outcome of a connection. */
interface Outcome {
  replies: string;
  /** Of CLIENT LIST; empty when the server has closed it. */
  state: string;
}

/** Fields of CLIENT LIST that do not depend on the server. */
function stateOf(list: string): string {
  return (list.match(/(?<![\w-])(name|flags|db|sub|multi|resp|user)=\S*/g) ?? []).join(' ');
}

/** Names, versions and numbers that differ between servers. */
function common(replies: string): string {
  return replies.replaceAll(/(\$2\r\nid\r\n:)\d+/g, '$1N');
}

async function ofRedis({ real }: Pair, bytes: string): Promise<Outcome> {
  const socket = connect(join(real.dir, 'real.sock'));
  let replies = '';
  socket.setEncoding('latin1').on('data', (text: string) => (replies += text));
  const end = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}); // it may close before all is written
  await once(socket, 'connect');
  // It has been accepted when this is answered, and the newest has the highest number.
  await real.call('PING');
  const lines = String(await real.call('CLIENT', 'LIST'))
    .trim()
    .split('\n');
  const id = Math.max(...lines.map((line) => Number(/^id=(\d+)/.exec(line)![1])));
  await new Promise<void>((resolve) => socket.write(bytes, 'latin1', () => resolve()));
  for (let read = 0; read <= bytes.length; read += READ_BYTES) await real.call('PING');
  const state = stateOf(String(await real.call('CLIENT', 'LIST', 'ID', id)));
  // It may have stopped reading, and would not see the end.
  await real.call('CLIENT', 'KILL', 'ID', id);
  await end;
  return { replies: common(replies), state };
}

function ofGuest(control: Client, { guest }: Pair, bytes: string, random: Random): Outcome {
  guest.now = Date.now();
  const client = guest.connect('./x:0', true);
  const id = Math.max(
    ...String(control.command('CLIENT', 'LIST'))
      .trim()
      .split('\n')
      .map((line) => Number(/^id=(\d+)/.exec(line)![1])),
  );
  const chunk = random.chance(0.7) ? 1 + random.below(random.chance(0.4) ? 1 : 40) : 65536;
  const replies = client.raw(bytes, chunk);
  const state = client.isClosed ? '' : stateOf(String(control.command('CLIENT', 'LIST', 'ID', id)));
  client.close();
  return { replies: common(replies), state };
}

/**
 * A line of HTTP closes the connection immediately: only the replies that a server has already sent arrive.
 */
function isTurnedAway(a: Outcome, b: Outcome): boolean {
  if (a.state !== '' || b.state !== '') return false;
  if (/Protocol error/.test(a.replies + b.replies)) return false;
  return a.replies.startsWith(b.replies) || b.replies.startsWith(a.replies);
}

test('arbitrary bytes get the same replies, ends and states', async () => {
  if (!pair) return;
  const random = Random.forTest('beside bytes');
  const control = pair.guest.connect();
  const configure = async (password: string): Promise<void> => {
    await pair!.real.call('CONFIG', 'SET', 'requirepass', password);
    control.command('CONFIG', 'SET', 'requirepass', password);
  };
  for (let i = 0; i < CASES; i++) {
    const isOpen = i % 200 < 100; // strangers are held to less than redis-server holds them to
    if (i % 100 === 0) await configure(isOpen ? '' : PASSWORD);
    const bytes = bytesOf(random, isOpen);
    if (NOT_HERE.test(bytes)) continue;
    const redis = await ofRedis(pair, bytes);
    const guest = ofGuest(control, pair, bytes, random);
    // Replies are off: redis-server has nothing to send, and keeps a connection that it no longer reads.
    if (/flags=\w*c/.test(redis.state) && guest.state === '') redis.state = '';
    if (isTurnedAway(redis, guest)) continue;
    assert.equal(guest, redis, `case ${i}: ${JSON.stringify(bytes)}`);
  }
});

test.run();
