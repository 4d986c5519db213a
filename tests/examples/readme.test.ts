// The code of README.md, docs/migration.md and docs/errors.md as written.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ServerProcess } from '../redis/server-process.ts';
import { blocks, install, project, ROOT } from './project.ts';
import { block, lend, runCode } from './snippets.ts';

const tests = suite('README, migration and errors as written');
const { directory, remove } = project();
install(directory);
writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
const run = (code: string): string => runCode(directory, code);

tests('README.md: a store', () => {
  assert.is(run(block('README.md', 'js', 'RingzeroLevel')), 'ada 1815\n');
});

tests('README.md: a program and its snapshot', () => {
  assert.is(run(block('README.md', 'js', 'program.snapshot')), '');
});

/** A reply as redis-cli shows it. */
const shown = (reply: unknown): string =>
  typeof reply === 'number' ? `(integer) ${reply}` : String(reply);

tests('README.md: a session with the server', async () => {
  const session = block('README.md', 'console', 'redis-cli').split('$ redis-cli')[1]!;
  const exchanges = [...session.matchAll(/^[\d.:]+> (.+)\n(.+)$/gm)];
  assert.is(exchanges.length, 3);
  const server = await ServerProcess.start();
  const client = await server.client();
  for (const [, command, reply] of exchanges)
    assert.is(shown(await client.call(...command!.split(' '))), reply, command);
  await server.stop();
});

tests('README.md: what a new engine prints is what docs/guest.md says', () => {
  assert.equal(blocks('README.md', 'text'), blocks('docs/guest.md', 'text'));
});

tests('README.md: the scripts of a clone exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: object;
  };
  for (const [, name] of readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(
    /(?:^|`)npm run ([a-z:]+)/gm,
  ))
    assert.ok(Object.hasOwn(scripts, name!), name);
});

tests('docs/errors.md: an error and its cause', () => {
  const [first, why] = run(block('docs/errors.md', 'js', 'createIfMissing')).split('\n');
  assert.is(first, 'LEVEL_DATABASE_NOT_OPEN');
  assert.match(why!, /^(LEVEL|RZ)_[A-Z_]+ .*missing/);
});

tests('docs/migration.md: entries from classic-level', () => {
  lend(directory, 'classic-level');
  const fill = `import { ClassicLevel } from 'classic-level';
    const db = new ClassicLevel('./people', { valueEncoding: 'json' });
    await db.put('ada', { born: 1815 }); await db.put('alan', { born: 1912 }); await db.close();`;
  const look = `import { RingzeroLevel } from 'ringzero/level';
    const db = new RingzeroLevel('./people-rz', { valueEncoding: 'json' });
    for await (const [key, { born }] of db.iterator()) console.log(key, born);`;
  run(fill);
  run(block('docs/migration.md', 'js', 'ClassicLevel'));
  assert.is(run(look), 'ada 1815\nalan 1912\n');
});

tests('docs/migration.md: entries from lmdb', () => {
  lend(directory, 'lmdb');
  run(`import { open } from 'lmdb';
    const db = open({ path: './cities' }); await db.put('Paris', { river: 'Seine' }); await db.close();`);
  run(block('docs/migration.md', 'js', "from 'lmdb'"));
  const look = `import { RingzeroLevel } from 'ringzero/level';
    const db = new RingzeroLevel('./cities-rz', { valueEncoding: 'json' });
    console.log((await db.get('Paris')).river);`;
  assert.is(run(look), 'Seine\n');
});

tests('docs/migration.md: a server for tests', () => {
  lend(directory, 'ioredis');
  mkdirSync(join(directory, 'node_modules/.bin'));
  symlinkSync(join(ROOT, 'dist/node/host/main.js'), join(directory, 'node_modules/.bin/ringzero'));
  writeFileSync(join(directory, 'test-redis.js'), block('docs/migration.md', 'js', 'spawn('));
  assert.is(run(block('docs/migration.md', 'js', 'ioredis')), 'hello\n');
});

tests.after(remove);
tests.run();
