// Emscripten's FS on the files of a VM: with the glue of sql.js, compared with its own MEMFS.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringzeroFS } from '../../host/index.ts';
import { openSqlJs, type FS, type SqlJs } from './sqljs.ts';

const test = suite<{ sql: SqlJs }>('files: Emscripten');

test.before(async (context) => {
  context.sql = await openSqlJs();
  const { program, FS } = context.sql;
  FS.mkdir('/vm');
  FS.mount(ringzeroFS(program, FS), { root: '/data' }, '/vm');
  FS.mkdir('/mem');
});
test.after(({ sql }) => sql.program.close());

/** What happens on one of the two, errors as their numbers. */
function history(FS: FS, root: string): unknown[] {
  const results: unknown[] = [];
  const act = (body: () => unknown): void => {
    try {
      const result = body();
      const isNode = typeof result === 'object' && result !== null && 'node_ops' in result;
      results.push(isNode ? undefined : result);
    } catch (error) {
      results.push({ errno: (error as { errno: number }).errno });
    }
  };
  const bytes = new TextEncoder().encode('0123456789');
  act(() => FS.writeFile(`${root}/a`, 'hello'));
  act(() => FS.readFile(`${root}/a`, { encoding: 'utf8' }));
  act(() => FS.mkdir(`${root}/d`));
  act(() => FS.mkdir(`${root}/d`));
  act(() => FS.rename(`${root}/a`, `${root}/d/b`));
  act(() => FS.readFile(`${root}/a`));
  act(() => FS.readdir(`${root}/d`).sort());
  act(() => FS.rmdir(`${root}/d`));
  act(() => FS.unlink(`${root}/d`));
  act(() => FS.symlink('d/b', `${root}/l`));
  act(() => FS.readlink(`${root}/l`));
  act(() => FS.readlink(`${root}/d`));
  act(() => FS.readlink(`${root}/d/b`));
  act(() => FS.readFile(`${root}/l`, { encoding: 'utf8' }));
  act(() => FS.truncate(`${root}/l`, 3));
  act(() => FS.stat(`${root}/d/b`).size);
  act(() => FS.utime(`${root}/d/b`, 1e12, 1.5e12));
  act(() => FS.stat(`${root}/d/b`).mtime.getTime());
  act(() => {
    const stream = FS.open(`${root}/s`, 'w+');
    const done = [FS.write(stream, bytes, 2, 6), FS.write(stream, bytes, 0, 4, 10)];
    done.push(FS.llseek(stream, 1, 0), FS.llseek(stream, -2, 2));
    const back = new Uint8Array(20);
    done.push(FS.read(stream, back, 1, 19, 0), FS.read(stream, back, 0, 5));
    FS.unlink(`${root}/s`); // and goes on while open
    done.push(FS.write(stream, bytes, 0, 10, 0), FS.read(stream, back, 5, 10, 2));
    FS.close(stream);
    return [done, [...back]];
  });
  act(() => FS.open(`${root}/s`, 'r'));
  act(() => FS.open(`${root}/d`, 'w'));
  act(() => FS.rename(`${root}/d`, `${root}/d/x`));
  act(() => FS.readdir(root).sort());
  return results;
}

test('the same operations give the same results as in MEMFS', ({ sql: { FS } }) => {
  assert.equal(history(FS, '/vm'), history(FS, '/mem'));
});

test('files of program.fs are those of FS, also when a name has another inode', ({ sql }) => {
  const { program, FS } = sql;
  program.fs.writeFileSync('/data/from', 'outside');
  assert.is(FS.readFile('/vm/from', { encoding: 'utf8' }), 'outside');
  program.fs.rmSync('/data/from');
  program.fs.writeFileSync('/data/other', 'takes its inode');
  assert.throws(
    () => FS.readFile('/vm/from'),
    (error: { errno: number }) => error.errno === 44,
  );
  assert.is(FS.readFile('/vm/other', { encoding: 'utf8' }), 'takes its inode');
});

test('a database in files of the VM: a fork has it as it was', async ({ sql }) => {
  const { program, FS, Database } = sql;
  FS.chdir('/vm');
  const database = new Database();
  database.run('CREATE TABLE t (n); INSERT INTO t VALUES (1), (2), (3)');
  const path = `/data/${database.filename}`;
  const snapshot = program.snapshot();
  database.run('DELETE FROM t');
  database.run("INSERT INTO t SELECT value FROM json_each('[7, 8]')");
  const driver = new URL('./drivers.js', import.meta.url);
  const content = (await snapshot.drive(driver, { act: 'bytes', path })) as Uint8Array;
  await snapshot.release();
  const rows = (of: { exec(sql: string): { values: unknown[][] }[] }): unknown =>
    of.exec('SELECT n FROM t')[0]!.values.flat();
  FS.chdir('/'); // where new Database() puts content
  assert.equal(rows(new Database(content)), [1, 2, 3]);
  assert.equal(rows(database), [7, 8]);
  assert.equal(rows(new Database(program.fs.readFileSync(path))), [7, 8]);
});

test('a branch has the files, under stock glue, and changes its own', async ({ sql }) => {
  const { program, FS, Database } = sql;
  FS.chdir('/vm');
  const database = new Database();
  database.run('CREATE TABLE t (n); INSERT INTO t VALUES (5), (6)');
  FS.writeFile('/vm/text', 'parent');
  const module = new URL('./branch-sqljs.js', import.meta.url);
  const branches = await Promise.all(
    [1, 2].map(() => program.branch(module, undefined, { warm: 1 })),
  );
  FS.writeFile('/vm/text', 'later, and longer');
  database.run('DELETE FROM t');
  for (const [i, branch] of branches.entries()) {
    const content = (await branch.call('read', `/vm/${database.filename}`)) as Uint8Array;
    assert.equal(await branch.call('rows', content), [5, 6]);
    await branch.call('write', '/vm/text', `branch ${i}`);
    await branch.call('write', `/vm/new${i}`, 'x'.repeat(100_000));
    await branch.call('audit');
  }
  const [first] = branches;
  assert.ok(!((await first!.call('list', '/vm')) as string[]).includes('new1'));
  assert.is(
    new TextDecoder().decode((await first!.call('read', '/vm/text')) as Uint8Array),
    'branch 0',
  );
  assert.is(FS.readFile('/vm/text', { encoding: 'utf8' }), 'later, and longer');
  for (const branch of branches) await branch.close();
});

test.run();
