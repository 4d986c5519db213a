// LATENCY HISTOGRAM and INFO latencystats, compared with redis-server 7.0.15: form, names, calls and bounds,
// not durations.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Pair, type Twin } from './beside.ts';
import { type Reply } from './harness.ts';
import { ReplyReader, textOf } from './resp.ts';

const test = suite('redis/beside-latency');

let pair: Pair | undefined;
test.before(async () => void (pair = await Pair.start()));
test.after(() => pair?.stop());

/** Bounds in microseconds that redis-server shows. */
const BOUNDS = [
  ...[1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266],
  ...[270532, 541065, 1082130],
];

const parsed = (text: string): Reply => new ReplyReader(Buffer.from(text, 'latin1'), textOf).next();

/** Calls by command; the counts of a histogram rise up to them. */
function callsOf(reply: Reply): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of reply as Map<string, Reply>) {
    const { calls, histogram_usec } = Object.fromEntries(value as Map<string, Reply>);
    const counts = [...(histogram_usec as Map<string, number>)];
    let before = 0;
    for (const [bound, count] of counts) {
      assert.ok(BOUNDS.includes(Number(bound)), `bound ${bound}`);
      assert.ok(count > before, `${name}: ${count} behind ${before}`);
      before = count;
    }
    assert.is(before, calls, name);
    found[name] = Number(calls);
  }
  return found;
}

async function bothCalls(twin: Twin, ...names: string[]): Promise<Record<string, number>> {
  const { redis, guest } = await twin.one('LATENCY', 'HISTOGRAM', ...names);
  const [theirs, ours] = [callsOf(parsed(redis)), callsOf(parsed(guest))];
  assert.equal(ours, theirs, names.join(' '));
  return ours;
}

async function reset(twin: Twin): Promise<void> {
  await twin.run([['CONFIG', 'RESETSTAT'], ['FLUSHALL']]);
}

test('every call counts once: alone, in a batch, in a transaction, failed and timed', async () => {
  if (!pair) return;
  const twin = await pair.connect();
  await twin.one('HELLO', 3);
  await reset(twin);
  const gets = Array.from({ length: 1000 }, () => ['GET', 'a']);
  await twin.run([['SET', 'a', '1'], ...gets, ['CONFIG', 'GET', 'port'], ['HSET', 'a', 'f', 'v']]);
  await twin.one('SET', 'a', '2');
  await twin.run([['MULTI'], ['INCR', 'a'], ['INCR', 'a'], ['EXEC'], ['DEBUG', 'SLEEP', '0.002']]);
  await twin.run([['GET'], ['NOSUCH']]); // refused, so not called
  const calls = await bothCalls(
    twin,
    'set',
    'get',
    'config',
    'incr',
    'exec',
    'hset',
    'debug',
    'nosuch',
    'del',
  );
  const expected = {
    set: 2,
    get: 1000,
    'config|get': 1,
    'config|resetstat': 1,
    incr: 2,
    exec: 1,
    hset: 1,
    debug: 1,
  };
  assert.equal(calls, expected);
  assert.equal(await bothCalls(twin, 'CONFIG|get'), { 'config|get': 1 });
  assert.is((await bothCalls(twin))['latency|histogram'], 2);
  twin.close();
});

test('latency-tracking no counts nothing, and still shows the earlier counts', async () => {
  if (!pair) return;
  const twin = await pair.connect();
  await twin.one('HELLO', 3);
  await reset(twin);
  await twin.one('SET', 'a', '1');
  await twin.one('CONFIG', 'SET', 'latency-tracking', 'no');
  await twin.one('SET', 'a', '1');
  assert.equal(await bothCalls(twin, 'set'), { set: 1 });
  const { redis, guest } = await twin.one('INFO', 'latencystats');
  assert.is(guest, redis);
  await twin.one('CONFIG', 'SET', 'latency-tracking', 'yes');
  await twin.one('SET', 'a', '1');
  assert.equal(await bothCalls(twin, 'set'), { set: 2 });
  await reset(twin);
  assert.equal(await bothCalls(twin, 'set'), {});
  twin.close();
});

test('INFO latencystats has the percentiles that the option names', async () => {
  if (!pair) return;
  const twin = await pair.connect();
  for (const list of ['50 99 99.9', '', '0', '100 50.0 0.125', '1 x', '101', '-1', '1 100.1']) {
    await twin.run([['CONFIG', 'SET', 'latency-tracking-info-percentiles', '50 99 99.9']]);
    await reset(twin);
    await twin.one('SET', 'a', '1');
    const set = await twin.one('CONFIG', 'SET', 'latency-tracking-info-percentiles', list);
    assert.is(set.guest, set.redis, list);
    if (set.guest.startsWith('-')) continue; // redis-server forgets the list then
    const get = await twin.one('CONFIG', 'GET', 'latency-tracking-info-percentiles');
    assert.is(get.guest, get.redis, list);
    const { redis, guest } = await twin.one('INFO', 'latencystats');
    const line = (text: string): string | undefined =>
      /^latency_percentiles_usec_set:.*$/m.exec(text)?.[0].replaceAll(/=\d+\.\d{3}/g, '=#');
    assert.is(line(guest), line(redis), list);
    assert.ok(line(guest), list);
  }
  twin.close();
});

test('percentiles increase with their rank, and a slow call is above the rest', () => {
  if (!pair) return;
  const client = pair.guest.connect();
  client.command('CONFIG', 'SET', 'latency-tracking-info-percentiles', '0 50 100');
  client.command('CONFIG', 'RESETSTAT');
  for (let i = 0; i < 9; i++) client.command('DEBUG', 'SLEEP', '0');
  client.command('DEBUG', 'SLEEP', '0.02');
  const [, ...found] = /usec_debug:p0=([\d.]+),p50=([\d.]+),p100=([\d.]+)/.exec(
    String(client.command('INFO', 'latencystats')),
  )!;
  const [least, middle, most] = found.map(Number) as [number, number, number];
  assert.ok(least <= middle && middle < most, found.join(' '));
  assert.ok(most >= 20_000, found.join(' '));
  const [, slow] = [...(client.command('LATENCY', 'HISTOGRAM', 'debug') as Reply[])] as [
    string,
    Reply[],
  ];
  const pairs = slow[3] as number[];
  assert.is(pairs.at(-1), 10);
  assert.ok(pairs.at(-2)! >= 20_000, pairs.join(' '));
  client.close();
});

test.run();
