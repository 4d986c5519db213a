// The example of docs/io.md: built and run as its README says, killed, and run again.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const example = suite('example: log writer');

example('goes on behind what it has reported, killed or not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-orders-'));
  cpSync(join(ROOT, 'examples/log-writer'), directory, { recursive: true });
  mkdirSync(join(directory, 'node_modules')); // what `npm install` would have put there
  symlinkSync(ROOT, join(directory, 'node_modules/ringzero'));
  symlinkSync(
    join(ROOT, 'node_modules/assemblyscript'),
    join(directory, 'node_modules/assemblyscript'),
  );
  const options = { cwd: directory, encoding: 'utf8' } as const;
  const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    scripts: { build: string; start: string };
  };
  const [asc, ...args] = scripts.build.split(' ');
  assert.is(asc, 'asc');
  assert.is(scripts.start, 'npm run build && node main.js');
  execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', ...args], options);

  const text = execFileSync(process.execPath, ['main.js'], options);
  const readme = readFileSync(join(directory, 'README.md'), 'utf8');
  const said = /^```text\n([^]*?)^```/m.exec(readme)![1]!.split('\n');
  const lines = text.split('\n');
  assert.equal(lines.slice(0, 2), said.slice(0, 2));
  assert.is(lines.at(-3), said.at(-3));
  assert.match(lines.at(-2)!, /^2000 orders with \d+ flushes$/);

  const child = spawn(process.execPath, ['main.js', '1000000'], { cwd: directory });
  let reported = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    for (const [, orders] of chunk.matchAll(/^(\d+) orders more$/gm)) reported = Number(orders);
    if (reported >= 300) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  const again = execFileSync(process.execPath, ['main.js', '1'], options);
  const found = Number(/^the log has (\d+) orders/.exec(again)![1]);
  assert.ok(found >= 2000 + reported, `${found} after ${reported} were reported`);
  rmSync(directory, { recursive: true });
});

example.run();
