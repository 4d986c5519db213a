// Folders of pages, served: `npm run site -- --port N` and `npm run bench:page`.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serve } from '../browser/server.ts';

const root = mkdtempSync(join(tmpdir(), 'ringzero-folder-'));
mkdirSync(join(root, 'bench'));
writeFileSync(join(root, 'index.html'), 'front');
writeFileSync(join(root, 'bench/index.html'), 'bench');
writeFileSync(join(root, 'bench/main.js'), '0');
const tests = suite('served folders');

tests('B12: a folder is its index.html, under an address that ends in a slash', async () => {
  const { origin, close } = await serve({ isolated: true, root });
  const get = (path: string): Promise<Response> => fetch(origin + path, { redirect: 'manual' });
  for (const [path, text] of [
    ['/', 'front'],
    ['/index.html', 'front'],
    ['/bench/', 'bench'],
    ['/bench/?machine=1', 'bench'],
    ['/bench/main.js', '0'],
  ]) {
    const response = await get(path!);
    assert.is(response.status, 200, path);
    assert.is(response.headers.get('cross-origin-embedder-policy'), 'require-corp');
    assert.is(await response.text(), text);
  }
  const moved = await get('/bench?machine=1');
  assert.is(moved.status, 301);
  assert.is(moved.headers.get('location'), '/bench/?machine=1');
  for (const path of ['/none', '/none/', '/index.html/', '/%ff', '/%2e%2e%2fetc/passwd'])
    assert.is((await get(path)).status, 404, path);
  await close();
});

/** Runs a program of scripts or bench. */
function run(
  program: string,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const path = fileURLToPath(new URL(`../../${program}`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, ...words],
      { cwd: fileURLToPath(new URL('../../../', import.meta.url)) },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

for (const program of ['scripts/site.js', 'bench/browser-page.js'])
  tests(`B12: ${program} knows --help and refuses what it does not know`, async () => {
    const help = await run(program, '--help');
    assert.is(help.code, 0);
    assert.match(help.out, /^npm run .*--port PORT/);
    for (const words of [['--prot', '1'], ['--port', 'x'], ['--port'], ['--port=65536']]) {
      const { code, out, err } = await run(program, ...words);
      assert.is(code, 1);
      assert.is(out, '');
      assert.match(err, /^(no option --prot|--port )[^\n]*\n$/);
    }
  });

tests('B12: a port in use is a message', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { code, err } = await run('bench/browser-page.js', '--port', String(port));
  assert.is(code, 1);
  assert.match(err, new RegExp(`^Port ${port} is in use`));
  assert.not.match(err, /\n\s+at /);
  taken.close();
});

tests.after(() => rmSync(root, { recursive: true }));
tests.run();
