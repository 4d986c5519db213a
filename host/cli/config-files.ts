// The files that `ringzero serve` reads options from.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigFiles } from '../redis/options.ts';

export const configFiles: ConfigFiles = {
  read: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
  match(pattern) {
    let found = [pattern.startsWith('/') ? '/' : ''];
    for (const part of pattern.split('/').filter((name) => name !== ''))
      found = found.flatMap((base) => matchIn(base, part));
    return found;
  },
};

/**
 * Paths in a directory whose names match one part of a pattern, in order; hidden names only for a part that
 * begins with a dot.
 */
function matchIn(base: string, part: string): string[] {
  if (!/[*?[]/.test(part)) return [join(base, part)];
  const test = new RegExp(
    `^${part.replace(/\[[!^]?[^\]]+\]|[\s\S]/g, (piece) => {
      if (piece === '*') return '[^/]*';
      if (piece === '?') return '[^/]';
      if (piece.length === 1) return piece.replace(/[.+^${}()|[\]\\]/, '\\$&');
      return piece.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    })}$`,
  );
  let names: string[];
  try {
    names = readdirSync(base === '' ? '.' : base);
  } catch {
    return [];
  }
  return names
    .filter((name) => test.test(name) && name.startsWith('.') === part.startsWith('.'))
    .sort()
    .map((name) => join(base, name));
}
