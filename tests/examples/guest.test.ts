// docs/guest.md as written: its pieces are the example, the example is what `ringzero new` makes, and it
// builds and runs.

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { blocks, install, project, ROOT } from './project.ts';

const CLI = join(ROOT, 'dist/node/host/main.js');

function buildAndRun(directory: string): string {
  const options = { cwd: directory, encoding: 'utf8' } as const;
  const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    scripts: { build: string };
  };
  const [command, ...args] = scripts.build.split(' ');
  assert.is(command, 'asc');
  execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', ...args], options);
  return execFileSync(process.execPath, ['main.js'], options);
}

const tests = suite('a guest of your own');

tests('the tutorial, typed off', () => {
  const { directory, remove } = project();
  install(directory);
  const guest = blocks('docs/guest.md', 'ts').join('\n');
  assert.ok(guest.split('\n').length < 100, 'under a hundred lines');
  writeFileSync(join(directory, 'guest.ts'), guest);
  writeFileSync(join(directory, 'main.js'), blocks('docs/guest.md', 'js')[0]!);
  writeFileSync(join(directory, 'asconfig.json'), blocks('docs/guest.md', 'json')[0]!);
  cpSync(join(ROOT, 'examples/pager/package.json'), join(directory, 'package.json'));
  assert.is(buildAndRun(directory), blocks('docs/guest.md', 'text')[0]);
  assert.is(guest, readFileSync(join(ROOT, 'examples/pager/guest.ts'), 'utf8'));
  assert.equal(blocks('examples/pager/README.md', 'text'), blocks('docs/guest.md', 'text'));
  remove();
});

tests('ringzero new makes it', () => {
  const { directory, remove } = project();
  const made = join(directory, 'my-guest');
  execFileSync(process.execPath, [CLI, 'new', made]);
  install(made);
  assert.is(buildAndRun(made), blocks('docs/guest.md', 'text')[0]);
  const { name } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8')) as { name: string };
  assert.is(name, 'my-guest');
  for (const [args, says] of [
    [[made], /is not empty/],
    [[join(directory, 'Not a name')], /not a valid package name/],
    [[], /give one directory/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'new', ...args], {
      encoding: 'utf8',
    });
    assert.ok(status !== 0);
    assert.match(stderr, says);
  }
  remove();
});

tests('a timer, as documented', async () => {
  const { directory, remove } = project();
  install(directory);
  writeFileSync(join(directory, 'guest.ts'), blocks('docs/guest.md', 'typescript')[0]!);
  const args = ['guest.ts', '-o', 'guest.wasm', '--runtime', 'stub', '-O'];
  execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', ...args], {
    cwd: directory,
  });
  const guest = new Uint8Array(readFileSync(join(directory, 'guest.wasm')));
  const vm = await MicroVM.create({ guest, memory: 2 ** 24, timer: true });
  assert.ok(vm.enter().exports['countFor']!(20)! > 20n);
  await vm.close();
  remove();
});

tests('pages over HTTP', () => {
  const { directory, remove } = project();
  cpSync(join(ROOT, 'examples/http-pages'), directory, { recursive: true });
  install(directory);
  assert.is(buildAndRun(directory), blocks('examples/http-pages/README.md', 'text')[0]);
  remove();
});

tests.run();
