// Stores for tests: directories that are removed automatically, and threads and processes that use a store.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moduleCommand } from '../runtime.ts';

const roots: string[] = [];
process.on('exit', () => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

function freshRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'ringzero-level-'));
  roots.push(root);
  return root;
}

/** Path of a store that does not exist yet. */
export function freshLocation(): string {
  return join(freshRoot(), 'store');
}

/** The code of open()'s failure, below abstract-level's own error. */
export async function codeOf(failing: Promise<unknown>): Promise<string> {
  try {
    await failing;
    return 'no error';
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: { code?: string } };
    return code === 'LEVEL_DATABASE_NOT_OPEN' && cause?.code !== undefined ? cause.code : code!;
  }
}

export const moduleUrl = new URL('../../host/level/index.js', import.meta.url).href;

/** Runs a module's text in another process, with `db` as an open store; its output, and how it ended. */
export function inProcess(
  location: string,
  body: string,
  shell = '',
  options: object = {},
): { output: string; status: number | null } {
  const text = `
    import { RingzeroLevel } from ${JSON.stringify(moduleUrl)};
    const db = new RingzeroLevel(${JSON.stringify(location)}, ${JSON.stringify({ poolSize: 1 << 20, ...options })});
    ${body}`;
  const program = join(freshRoot(), 'program.mjs');
  writeFileSync(program, text);
  const command = moduleCommand(program);
  const how = { encoding: 'utf8', timeout: 60_000 } as const;
  const { stdout, stderr, status } =
    shell === ''
      ? spawnSync(command[0]!, command.slice(1), how)
      : spawnSync('sh', ['-c', `${shell}; exec "$0" "$@"`, ...command], how);
  return { output: `${stdout}${stderr}`, status };
}
