// E1: Next.js. A route handler uses the package when it is kept external; bundled, the error says what to do.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../free-port.ts';
import { toolProject } from './project.ts';

const test = suite('tools: Next.js');
const project = toolProject('next', { next: '16', react: '19', 'react-dom': '19' }, true);
const READY_MS = 60_000;

project.write('next-env.d.ts', '');
project.write(
  'app/layout.js',
  `import { createElement } from 'react';
  export default ({ children }) => createElement('html', null, createElement('body', null, children));`,
);
project.write('app/page.js', `export default () => 'ringzero';`);
project.write(
  'app/api/people/route.js',
  `import { MicroVM } from 'ringzero';
  import { RingzeroLevel } from 'ringzero/level';
  export const dynamic = 'force-dynamic';
  export async function GET(request) {
    try {
      const guest = Uint8Array.from(atob('AGFzbQEAAAABCwJgAn9/AGABfwF/AwMCAAEFAwEAAQcNAgNwdXQAAANnZXQAAQoTAgkAIAAgATYCAAsHACAAKAIACw=='), (text) => text.charCodeAt(0));
      const vm = await MicroVM.create({ guest, memory: 2 ** 24 });
      const { put, get } = vm.enter().exports;
      put(64, 7);
      const snapshot = vm.snapshot();
      put(64, 8);
      const fork = [await snapshot.run('get', 64), get(64)];
      await vm.close();
      const db = new RingzeroLevel(new URL(request.url).searchParams.get('at'), { valueEncoding: 'json' });
      await db.put('ada', { born: 1815 });
      const ada = await db.get('ada');
      await db.close();
      return Response.json({ ada, fork });
    } catch (error) {
      const { code, message } = error.cause ?? error;
      return Response.json({ code, message });
    }
  }`,
);

/** Serves the project with these settings and asks the route handler. */
async function answer(settings: string): Promise<unknown> {
  project.write('next.config.mjs', `export default ${settings};`);
  const port = await freePort();
  const command = join(project.directory, 'node_modules/next/dist/bin/next');
  const server = spawn(process.execPath, [command, 'dev', '-p', String(port)], {
    cwd: project.directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // it has a child of its own
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'development' },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.stdout.on('data', (text: Buffer) => /Ready/.test(String(text)) && resolve());
      // a deadline
      setTimeout(() => reject(new Error('next dev is not ready')), READY_MS).unref();
    });
    const at = encodeURIComponent(join(project.directory, 'people'));
    return await (await fetch(`http://127.0.0.1:${port}/api/people?at=${at}`)).json();
  } finally {
    process.kill(-server.pid!, 'SIGKILL');
  }
}

test('a route handler, with serverExternalPackages', async () => {
  const expected = { ada: { born: 1815 }, fork: [7, 8] };
  assert.equal(await answer(`{ serverExternalPackages: ['ringzero'] }`), expected);
});

test('a route handler that is bundled says what to do', async () => {
  const { code, message } = (await answer('{}')) as { code: string; message: string };
  assert.is(code, 'RZ_HOST', message);
  assert.match(message, 'serverExternalPackages');
});

test.after(project.remove);
test.run();
