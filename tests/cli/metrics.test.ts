// The endpoint for Prometheus: of `ringzero serve`, and what a store gives for one.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { parseExposition } from '../exposition.ts';
import { freshLocation } from '../level/stores.ts';
import { ServerProcess, withServer } from '../redis/server-process.ts';

const METRICS = /Metrics at (http:\/\/\S+)/;

const metrics = suite('metrics');

metrics('serve --metrics-port: the numbers move with what clients do', () =>
  withServer(['--metrics-port', '0'], async (server) => {
    const url = METRICS.exec(server.output)![1]!;
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const scrape = async (): Promise<(name: string) => number> => {
      const response = await fetch(url);
      assert.is(response.status, 200);
      assert.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      const samples = parseExposition(await response.text());
      return (name) => {
        assert.ok(samples.has(name), name);
        return samples.get(name)!.value;
      };
    };
    const before = await scrape();
    assert.is(before('ringzero_connections'), 0);
    const client = await server.client();
    for (let i = 0; i < 50; i++) await client.call('SET', `key ${i}`, 'x'.repeat(4096));
    await client.call('BGSAVE');
    await server.said(/Background saving terminated with success/);
    for (let i = 0; i < 50; i++) await client.call('SET', `key ${i}`, 'y'.repeat(4096));
    const after = await scrape();
    assert.is(after('ringzero_connections'), 1);
    assert.is(after('ringzero_snapshots_total') - before('ringzero_snapshots_total'), 1);
    assert.is(after('ringzero_epoch') - before('ringzero_epoch'), 1);
    assert.ok(after('ringzero_write_faults_total') - before('ringzero_write_faults_total') >= 50);
    assert.ok(after('ringzero_system_calls_total') > before('ringzero_system_calls_total'));
    assert.is(after('ringzero_vcpus'), 2, 'the server and its saver');
  }),
);

metrics('E5: the server’s metrics say what its INFO says', () =>
  withServer(['--metrics-port', '0'], async (server) => {
    const client = await server.client();
    for (let i = 0; i < 30; i++) await client.call('SET', `key ${i}`, 'x');
    await client.call('SELECT', '1');
    await client.call('SET', 'other', 'x', 'PX', '1');
    await client.call('SET', 'third', 'x');
    for (const key of ['third', 'third', 'missing']) await client.call('GET', key);
    await client.call('NOSUCH');
    await client.call('CONFIG', 'SET', 'maxmemory', '12345678');
    await client.call('SAVE');
    await client.call('SET', 'third', 'y');
    const url = METRICS.exec(server.output)![1]!;
    const samples = parseExposition(await (await fetch(url)).text());
    const info = String(await client.call('INFO', 'everything'));
    const said = (name: string): number =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1]);
    for (const [metric, name] of [
      ['keyspace_hits_total', 'keyspace_hits'],
      ['keyspace_misses_total', 'keyspace_misses'],
      ['saves_total', 'rdb_saves'],
      ['unsaved_changes', 'rdb_changes_since_last_save'],
      ['expired_keys_total', 'expired_keys'],
      ['evicted_keys_total', 'evicted_keys'],
      ['error_replies_total', 'total_error_replies'],
      ['connections_received_total', 'total_connections_received'],
      ['maxmemory_bytes', 'maxmemory'],
      ['connections', 'connected_clients'],
    ] as const)
      assert.is(samples.get(`ringzero_${metric}`)!.value, said(name), metric);
    const keys = [...info.matchAll(/^db\d+:keys=(\d+)/gm)].map(([, count]) => Number(count));
    assert.is(
      samples.get('ringzero_keys')!.value,
      keys.reduce((sum, count) => sum + count, 0),
    );
    const commands = samples.get('ringzero_commands_total')!.value;
    assert.is(commands, said('total_commands_processed') - 1, 'INFO counts itself');
    const bytes = samples.get('ringzero_used_memory_bytes')!.value;
    assert.ok(Math.abs(bytes - said('used_memory')) < 65536, `${bytes} bytes`);
    assert.ok(samples.get('ringzero_received_bytes_total')!.value > 500);
    assert.ok(samples.get('ringzero_sent_bytes_total')!.value > 100);
  }),
);

metrics('the endpoint answers GET and HEAD of /metrics and nothing else', () =>
  withServer(['--metrics-port', '0'], async (server) => {
    const url = METRICS.exec(server.output)![1]!;
    assert.is((await fetch(new URL('/', url))).status, 404);
    assert.is((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
    const head = await fetch(url, { method: 'HEAD' });
    assert.is(head.status, 200);
    assert.is(await head.text(), '');
    assert.is((await fetch(`${url}?name=value`)).status, 200);
  }),
);

metrics('an ill-chosen port ends the server with the reason', async () => {
  const wrong = ServerProcess.run(['--port', '0', '--memory', '64mb', '--metrics-port', '70000']);
  assert.is((await wrong.ended).code, 1);
  assert.match(wrong.output, /metrics-port 70000[^]*between 0 and 65535/);
  await withServer(['--metrics-port', '0'], async (server) => {
    const { port } = new URL(METRICS.exec(server.output)![1]!);
    const taken = ServerProcess.run(['--port', '0', '--memory', '64mb', '--metrics-port', port]);
    assert.is((await taken.ended).code, 1);
    assert.match(taken.output, /Could not serve metrics at 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });
});

metrics('a server that shuts down does not wait for a monitor that keeps its connection', () =>
  withServer(['--metrics-port', '0'], async (server) => {
    await (await fetch(METRICS.exec(server.output)![1]!)).text();
    assert.is((await server.signal('SIGTERM')).code, 0);
  }),
);

metrics("a store's metrics: its own numbers, the VM's and the pool's", async () => {
  const db = new RingzeroLevel(freshLocation(), { poolSize: 65536, durable: false });
  await db.open();
  for (let i = 0; i < 2000; i++) db.putSync(`key ${i}`, 'v'.repeat(100));
  for (let i = 0; i < 2000; i += 7) assert.is(db.getSync(`key ${i}`), 'v'.repeat(100));
  const samples = parseExposition(db.metrics());
  const value = (name: string): number => samples.get(name)!.value;
  const stats = db.stats();
  assert.is(value('ringzero_store_entries'), 2000);
  assert.is(value('ringzero_store_pages'), stats.pages);
  assert.is(value('ringzero_pool_frames'), 16);
  assert.is(value('ringzero_pool_evictions_total'), stats.evictions);
  assert.is(
    value('ringzero_pool_faults_total') + value('ringzero_pool_read_ahead_total'),
    stats.pagesRead,
  );
  assert.ok(stats.pagesRead > 0 && stats.evictions > 0);
  await db.close();
  assert.throws(() => db.metrics(), /not open/);
});

metrics.run();
