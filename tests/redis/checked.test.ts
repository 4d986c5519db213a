// The checked build of the guest: a broken rule stops it and is named in the log; the release build has no
// trace of the checks.
//
// Method: a rule is broken on purpose in a few separately compiled functions, once with assertions and once
// without.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { probe } from './probe.ts';

const test = suite('redis/checked');

/**
 * What breaks a rule: a frame popped that was not pushed, output of the host below zero, a key entry with no
 * type.
 */
const SOURCE = `
  import * as args from './wire/args.ts';
  import * as heap from './bytes/heap.ts';
  import * as type from './keyspace/type.ts';
  export function pop(): void { args.pop(); }
  export function count(): void { heap.countOutside(-1); }
  export function ask(): u32 { return type.nameOf(3).length; }
  export function good(): void { args.push(8, 1); args.pop(); heap.countOutside(1); heap.countOutside(-1); }
`;

async function build(constants: readonly string[]) {
  let said = '';
  const made = await probe(
    SOURCE,
    256,
    {
      libdbos: {
        syscall: (_number, _level, address, bytes) => {
          said += Buffer.from(made.bytes.slice(address, address! + bytes!)).toString('latin1');
          return 0;
        },
      },
    },
    constants,
  );
  return { call: made.call, said: () => said };
}

test('a broken rule stops the guest and is named in the log', async () => {
  for (const [name, rule] of [
    ['pop', /^ARGS: /],
    ['count', /^OUTPUT-1: /],
    ['ask', /^TYPE-1: /],
  ] as const) {
    const { call, said } = await build(['RZ_CHECKED=1']);
    call['good']!();
    assert.is(said(), '');
    assert.throws(() => call[name]!(), /unreachable/);
    assert.match(said(), rule);
  }
});

test('without assertions nothing is checked', async () => {
  const { call, said } = await build([]);
  call['count']!();
  call['pop']!();
  assert.is(said(), '');
});

test('a reply is one whole value, which pushes and attributes may precede', async () => {
  const { bytes, call } = await probe(`
    import * as check from './wire/reply-check.ts';
    export function isOne(at: u32, end: u32, loan: u32): bool { return check.isOne(at, end, loan); }
  `);
  const AT = 65536;
  const isOne = (text: string, loan = 0): boolean => {
    bytes.set(Buffer.from(text), AT);
    return call['isOne']!(AT, AT + text.length, loan) !== 0;
  };
  for (const text of [
    ...[
      '+OK\r\n',
      '-ERR x\r\n',
      ':1\r\n',
      '$3\r\nabc\r\n',
      '$-1\r\n',
      '*0\r\n',
      '*-1\r\n',
      '_\r\n',
    ],
    ...['*2\r\n:1\r\n*1\r\n$0\r\n\r\n', '%1\r\n+a\r\n:1\r\n', '~1\r\n+a\r\n', '=5\r\ntxt:a\r\n'],
    ...['>1\r\n+a\r\n+b\r\n', '|1\r\n+a\r\n+b\r\n:1\r\n'],
  ])
    assert.ok(isOne(text), text);
  for (const text of [
    ...['', '+OK', '+OK\r\n+OK\r\n', '$3\r\nab\r\n', '$3\r\nabcd\r\n', '*2\r\n:1\r\n', '*1\r\n'],
    ...['%1\r\n+a\r\n', '>1\r\n+a\r\n', '*x\r\n', '$-2\r\n', '*1\r\n:1\r\n:2\r\n'],
  ])
    assert.not(isOne(text), text);
  assert.ok(isOne('*2\r\n:1\r\n$200000\r\n', 200_000), 'the bytes of a loan follow');
  assert.not(isOne('*2\r\n:1\r\n$200000\r\n', 200_001));
  assert.not(isOne('*3\r\n:1\r\n$200000\r\n', 200_000));
});

test.run();
