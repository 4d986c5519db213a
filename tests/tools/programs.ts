// Programs for Node that a tool bundles, with the package external.

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ToolProject } from './project.ts';

const STORE = `import { RingzeroLevel } from 'ringzero/level';
const db = new RingzeroLevel(process.argv[2], { valueEncoding: 'json' });
await db.put('ada', { born: 1815 });
console.log(JSON.stringify(await db.get('ada')));
await db.close();
`;
const FORK = `import { MicroVM } from 'ringzero';
const guest = Uint8Array.from(atob('AGFzbQEAAAABCwJgAn9/AGABfwF/AwMCAAEFAwEAAQcNAgNwdXQAAANnZXQAAQoTAgkAIAAgATYCAAsHACAAKAIACw=='), (text) => text.charCodeAt(0));
const vm = await MicroVM.create({ guest, memory: 2 ** 24 });
const { put, get } = vm.enter().exports;
put(64, 7);
const snapshot = vm.snapshot();
put(64, 8);
console.log(String(await snapshot.run('get', 64)) + ' ' + get(64));
await snapshot.release();
await vm.close();
`;
export function writePrograms(project: ToolProject): void {
  project.write('store.mjs', STORE);
  project.write('fork.mjs', FORK);
}

/** What the tool has put into `folder` does what the programs do. */
export function checkPrograms(project: ToolProject, folder: string): void {
  assert.is(project.run(join(folder, 'store.mjs'), join(folder, 'people')), '{"born":1815}\n');
  assert.is(project.run(join(folder, 'fork.mjs')), '7 8\n');
}
