// Options as `ringzero serve` takes them: files, the command line, what is refused and what takes effect.

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { ServerProcess } from './server-process.ts';

const test = suite('redis/server-options');

const newDir = (): string => mkdtempSync(join(tmpdir(), 'ringzero-options-'));
const OWN = ['--memory', '32mb', '--port', '0'];

/** What CONFIG GET says of an option, once the server with these words is ready. */
async function optionOf(words: string[], name: string, dir = newDir()): Promise<string> {
  const server = ServerProcess.run([...words, ...OWN], { dir });
  await server.ready();
  const client = await server.client();
  const [, value] = (await client.call('CONFIG', 'GET', name)) as Buffer[];
  await server.stop();
  return String(value);
}

async function refusal(words: string[], dir = newDir()): Promise<string> {
  const server = ServerProcess.run([...words, ...OWN], { dir });
  assert.is((await server.ended).code, 1, server.output);
  return server.output;
}

test('B16: words of the command line are read as redis-server reads them', async () => {
  assert.is(await optionOf(['--save'], 'save'), '');
  assert.is(await optionOf(['--maxmemory 700mb'], 'maxmemory'), String(700 * 2 ** 20));
  assert.is(await optionOf(['--dbfilename', '--data', '--save', ''], 'dbfilename'), '--data');
  const dir = newDir();
  writeFileSync(join(dir, 'own.conf'), 'save 900 1\nbind 127.0.0.2\nbind 127.0.0.1\n');
  assert.is(await optionOf(['own.conf', '--save', '100', '100'], 'save', dir), '900 1 100 100');
  assert.is(await optionOf(['own.conf', '--save', ''], 'save', dir), '');
  assert.is(await optionOf(['own.conf'], 'bind', dir), '127.0.0.1');
});

test('B16: include accepts patterns, and names a missing file', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'b1.conf'), 'timeout 3\n');
  writeFileSync(join(dir, 'b2.conf'), 'timeout 4\n');
  writeFileSync(join(dir, 'main.conf'), 'include b*.conf\ninclude none*.conf\n');
  assert.is(await optionOf(['main.conf'], 'timeout', dir), '4');
  writeFileSync(join(dir, 'main.conf'), 'include gone.conf\n');
  const said = await refusal(['main.conf'], dir);
  assert.match(said, /Fatal error, can't open config file 'gone\.conf': No such file or directory/);
});

test('B16: include works on the command line, too', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'b1.conf'), 'timeout 3\n');
  assert.is(await optionOf(['--include', 'b*.conf'], 'timeout', dir), '3');
  assert.is(await optionOf(['--include', 'b1.conf', '--timeout', '5'], 'timeout', dir), '5');
  const said = await refusal(['--include', 'gone.conf'], dir);
  assert.match(said, /Fatal error, can't open config file 'gone\.conf': No such file or directory/);
});

test('B16: rename-command gives commands other names, or none', async () => {
  const dir = newDir();
  const lines = ['rename-command FLUSHALL ""', 'rename-command CONFIG hidden', 'save ""'];
  writeFileSync(join(dir, 'main.conf'), lines.join('\n'));
  const server = ServerProcess.run(['main.conf', ...OWN], { dir });
  await server.ready();
  const client = await server.client();
  assert.match(String(await client.call('FLUSHALL')), /unknown command 'FLUSHALL'/);
  assert.match(String(await client.call('CONFIG', 'GET', 'save')), /unknown command 'CONFIG'/);
  assert.is(String(await client.call('Hidden', 'GET', 'save')), 'save,');
  assert.match(String(await client.call('hidden', 'HELP')), /^HIDDEN <subcommand>/);
  assert.match(String(await client.call('COMMAND', 'DOCS', 'hidden')), /config/);
  await server.stop();
  writeFileSync(join(dir, 'main.conf'), 'rename-command nosuch x');
  assert.match(await refusal(['main.conf'], dir), /No such command in rename-command/);
  writeFileSync(join(dir, 'main.conf'), 'rename-command get SET');
  assert.match(await refusal(['main.conf'], dir), /Target command name already exists/);
});

test('E5: options that do not exist, lack a value, or are not supported are reported as such', async () => {
  assert.match(await refusal(['--nope']), /unknown option --nope; see ringzero serve --help/);
  assert.match(await refusal(['--no-such-option', '1']), /unknown option --no-such-option/);
  const dir = newDir();
  writeFileSync(join(dir, 'main.conf'), 'loadmodule x.so\n');
  assert.match(await refusal(['main.conf'], dir), /'loadmodule' is not supported by this server/);
  assert.match(await refusal(['--syslog-enabled', 'yes']), /must be one of the following: no/);
});

test('E5: the log and the number of the process go to their files', async () => {
  const dir = newDir();
  const server = ServerProcess.run(
    ['--logfile', 'own.log', '--pidfile', 'own.pid', '--daemonize', 'yes', ...OWN],
    { dir },
  );
  const log = join(dir, 'own.log');
  // Only the file says that it is ready.
  while (!existsSync(log) || !readFileSync(log, 'utf8').includes('Ready to accept'))
    await sleep(20);
  assert.match(readFileSync(log, 'utf8'), /daemonize yes has no effect/);
  assert.match(readFileSync(join(dir, 'own.pid'), 'utf8'), /^\d+\n$/);
  assert.is(server.output, '');
  assert.is((await server.signal('SIGTERM')).code, 0);
  const said = readFileSync(log, 'utf8');
  const order = [
    'Received SIGTERM scheduling shutdown',
    'User requested shutdown',
    'Saving the final RDB snapshot before exiting',
    'DB saved on disk',
    'bye bye',
  ].map((line) => said.indexOf(line));
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.ok(order[0]! > 0, said);
  assert.not.ok(existsSync(join(dir, 'own.pid')));
  assert.match(await refusal(['--logfile', 'no/such/place.log']), /Can't open the log file/);
});

test('B15: names keep their spelling; numbers are bounded and words combined as in Redis', async () => {
  const server = ServerProcess.run(OWN, { dir: newDir() });
  await server.ready();
  const client = await server.client();
  const call = async (...words: string[]): Promise<string> => String(await client.call(...words));
  assert.is(await call('CONFIG', 'GET', 'MaxMemory', 'timeOUT'), 'MaxMemory,0,timeOUT,0');
  assert.is(await call('CONFIG', 'SET', 'hz', '1000', 'repl-backlog-size', '1'), 'OK');
  assert.is(await call('CONFIG', 'GET', 'hz'), 'hz,500');
  assert.is(await call('CONFIG', 'GET', 'repl-backlog-size'), 'repl-backlog-size,16384');
  assert.is(await call('CONFIG', 'SET', 'shutdown-on-sigterm', 'nosave now'), 'OK');
  assert.is(await call('CONFIG', 'GET', 'shutdown-on-sigterm'), 'shutdown-on-sigterm,nosave now');
  assert.match(
    await call('CONFIG', 'SET', 'shutdown-on-sigterm', 'save nosave'),
    /SAVE and NOSAVE can't be used simultaneously/,
  );
  for (const value of [' ', '900  1', '900 1 ', '900'])
    assert.match(await call('CONFIG', 'SET', 'save', value), /Invalid save parameters/);
  assert.is((await server.signal('SIGTERM')).code, 0);
  assert.not.match(server.output, /DB saved/);
  assert.not.ok(existsSync(join(server.dir, 'dump.rdb')));
});

test.run();
