// sql.js in a branch, with the program's files mounted where the program has them.

import { ringzeroFS } from '../../host/index.ts';
import type { Branch } from '../../host/vm/branch/branch.ts';
import { audit } from './audit.ts';
import { startGlue } from './sqljs.ts';

export async function main(branch: Branch): Promise<() => object> {
  const { FS, Database } = await startGlue(branch.instantiateWasm as never);
  FS.mkdir('/vm');
  FS.mount(ringzeroFS(branch, FS), { root: '/data' }, '/vm');
  return () => ({
    read: (path: string) => FS.readFile(path),
    write: (path: string, text: string) => FS.writeFile(path, text),
    list: (path: string) => FS.readdir(path).sort(),
    rows: (content: Uint8Array) => new Database(content).exec('SELECT n FROM t')[0]!.values.flat(),
    audit: () => audit(branch.fs),
  });
}
