// `ringzero top`: what a frame says, and the command with a server.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { frame, readScrape, type Scrape } from '../../host/cli/top-frame.ts';
import { MAIN, withServer } from '../redis/server-process.ts';

const TERMINAL = spawnSync('script', ['--version']).status === 0;

function scrapeOf(values: Record<string, number>, atMs: number): Scrape {
  const lines = Object.entries(values).map(([name, value]) => `# HELP x\n${name} ${value}\n`);
  return readScrape(lines.join(''), atMs)!;
}

/** Cells of the line with this label, without its spaces. */
function cells(lines: readonly string[], label: string): string[] {
  const line = lines.find((text) => text.startsWith(`${label} `));
  assert.ok(line !== undefined, `no line ${label}`);
  return line
    .slice(label.length)
    .trim()
    .split(/\s{2,}/);
}

const top = suite('ringzero top');

top('counters by the second, gauges as they are', () => {
  const before = scrapeOf({ ringzero_write_faults_total: 1000, ringzero_epoch: 4 }, 10_000);
  const now = scrapeOf(
    {
      ringzero_write_faults_total: 4000,
      ringzero_new_total: 7,
      ringzero_epoch: 5,
      ringzero_guest_bytes: 3 << 20,
      ringzero_frames_used: 25,
      ringzero_frames_free: 75,
    },
    12_000,
  );
  const lines = frame(before, now);
  assert.equal(cells(lines, 'write faults'), ['1,500', '4,000']);
  assert.equal(cells(lines, 'new'), ['0', '7'], 'nothing is known of before');
  assert.equal(cells(lines, 'epoch'), ['5']);
  assert.equal(cells(lines, 'guest'), ['3 MiB']);
  assert.match(cells(lines, 'frames in use')[0]!, /^25 %$/);
});

top('E5: a server’s commands, hit rate, keys, memory, clients and saves come first', () => {
  const before = { commands_total: 100, keyspace_hits_total: 50, keyspace_misses_total: 10 };
  const now = { commands_total: 2100, keyspace_hits_total: 350, keyspace_misses_total: 110 };
  const gauges = {
    keys: 12345,
    used_memory_bytes: 5 << 20,
    connections: 3,
    saves_total: 2,
    epoch: 1,
  };
  const named = (values: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`ringzero_${name}`, value]));
  const lines = frame(scrapeOf(named(before), 0), scrapeOf(named({ ...now, ...gauges }), 1000));
  const summary = lines.slice(0, lines.indexOf(''));
  const shown = summary.map((line) => line.split(/\s{2,}/));
  assert.equal(shown, [
    ['commands per second', '2,000'],
    ['hit rate', '75.0 %'],
    ['keys', '12,345'],
    ['used memory', '5 MiB'],
    ['clients', '3'],
    ['saves', '2'],
  ]);
  assert.ok(lines.some((line) => /^counter\s{3,}per second\s{3,}total$/.test(line)));
  const idle = frame(scrapeOf(named(now), 0), scrapeOf(named(now), 1000));
  assert.equal(cells(idle, 'hit rate'), ['no look-ups']);
  const store = frame(scrapeOf({ ringzero_keys: 1 }, 0), scrapeOf({ ringzero_keys: 1 }, 1000));
  assert.not.ok(
    store.some((line) => line.startsWith('hit rate')),
    'of a server alone',
  );
});

top('a VM that began anew counts from zero, not backwards', () => {
  const before = scrapeOf({ ringzero_system_calls_total: 5000 }, 0);
  const now = scrapeOf({ ringzero_system_calls_total: 10 }, 1000);
  assert.equal(cells(frame(before, now), 'system calls'), ['10', '10']);
});

top('text that is not of ringzero is none', () => {
  assert.is(readScrape('<html>', 0), undefined);
  assert.is(readScrape('process_cpu_total 1\n', 0), undefined);
  assert.is(readScrape('ringzero_x NaN\n', 0), undefined);
});

function run(...words: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, 'top', ...words]);
}

async function outputOf(child: ChildProcess): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout!.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

top('--once shows what a server has done meanwhile', () =>
  withServer(['--metrics-port', '0'], async (server) => {
    const url = /Metrics at (\S+)/.exec(server.output)![1]!;
    const client = await server.client();
    const child = run('--url', url, '--interval=1', '--once');
    const ended = outputOf(child);
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver) await client.call('SAVE'); // system calls, the whole time
    const { code, out } = await ended;
    assert.is(code, 0);
    assert.not.match(out, /\x1b/);
    const lines = out.split('\n');
    assert.is(lines[0], url);
    const [perSecond, total] = cells(lines, 'system calls');
    assert.ok(Number(perSecond!.replaceAll(',', '')) > 0);
    assert.ok(Number(total!.replaceAll(',', '')) > 0);
    const [commands] = cells(lines, 'commands per second');
    assert.ok(Number(commands!.replaceAll(',', '')) > 0, 'E5: the commands of its clients');
    assert.equal(cells(lines, 'clients'), ['1']);
  }),
);

/** An endpoint that counts the times it was asked, by tens, and answers 503 at the third. */
async function endpoint(): Promise<{
  url: string;
  /** Resolves at the next time. */
  wasAsked(): Promise<unknown>;
  close(): void;
}> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.statusCode = asked === 3 ? 503 : 200;
    response.end(`ringzero_asked_total ${asked * 10}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  return {
    url,
    wasAsked: () => once(server, 'request'),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

top('it goes on after an answer that failed, and ends at a signal, at once', async () => {
  const { url, wasAsked, close } = await endpoint();
  const child = run('--url', url, '--interval', '0.1');
  const ended = outputOf(child);
  let seen = '';
  await new Promise<void>((resolve) => {
    child.stdout!.on('data', (text: Buffer) => {
      seen += text.toString();
      if (/answers 503[^]*asked/.test(seen)) resolve();
    });
  });
  child.kill('SIGINT');
  assert.is((await ended).code, 0);
  const slow = run('--url', url, '--interval', '3600');
  const over = outputOf(slow);
  await wasAsked(); // it has nothing to do for an hour now
  slow.kill('SIGTERM');
  assert.is((await over).code, 0);
  close();
});

if (TERMINAL) {
  top('in a terminal it draws on the other screen, and q gives the first one back', async () => {
    const { url, close } = await endpoint();
    const command = `stty rows 30 cols 100; ${process.execPath} ${MAIN} top --url ${url} --interval 0.1`;
    const child = spawn('script', ['-qec', command, '/dev/null']);
    const ended = outputOf(child);
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('asked')) child.stdin.write('q');
    });
    const { code, out } = await ended;
    assert.is(code, 0, out);
    assert.match(out, /^[^]*\x1b\[\?1049h[^]*asked[^]*\x1b\[\?1049l/);
    close();
  });
}

top('wrong use and dead endpoints are said', async () => {
  const { url, close } = await endpoint();
  close();
  const dead = await outputOf(run('--url', url, '--once'));
  assert.is(dead.code, 1);
  assert.match(dead.err, /does not answer: .*ECONNREFUSED/);
  for (const words of [
    ['--url', 'file:///etc/passwd'],
    ['--interval', '0'],
    ['--what'],
    ['--url'],
  ]) {
    const { code, err } = await outputOf(run(...words));
    assert.is(code, 2);
    assert.match(err, /^ringzero top: /);
  }
});

top.run();
