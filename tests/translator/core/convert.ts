// `wast2json`, and what else it takes to make scripts of what Debian's sources have: binaryen's are of
// several years, and those of wabt's interpreter are modules without commands.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

/**
 * Path of the script as `wast2json` writes it into `directory`, or what it says of a text that it does not
 * read.
 */
export function convert(script: string, directory: string): { path: string } | { unread: string } {
  const path = join(directory, 'script.json');
  if (wast2json(script, path) === undefined && extname(script) === '.wast') return { path };
  const other = join(directory, basename(script));
  const text = readFileSync(script, 'utf8');
  writeFileSync(other, extname(script) === '.wast' ? respelled(text) : text + calls(text));
  const unread = wast2json(other, path);
  return unread === undefined ? { path } : { unread };
}

const FEATURES = ['threads', 'exceptions', 'tail-call', 'extended-const', 'relaxed-simd'].map(
  (feature) => `--enable-${feature}`,
);

/** Its first complaint, if it has any. */
function wast2json(script: string, output: string): string | undefined {
  const { status, stderr, error } = spawnSync('wast2json', [...FEATURES, '-o', output, script], {
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 ? undefined : (/error: (.*)/.exec(stderr)?.[1] ?? `status ${status}`);
}

/** The script as it would be spelled today. */
function respelled(text: string): string {
  return text
    .replace(/\(assert_return_(\w+)_nan (.*)\)/g, (_, kind: string, call: string) => {
      const [type] = /f32|f64/.exec(call)!; // in the name, or of an argument
      return `(assert_return ${call} (${type}.const nan:${kind}))`;
    })
    .replace(/\(assert_trap (\(invoke "[^"]*"(?: \([^()]*\))*\))\)/g, '(assert_trap $1 "")')
    .replace(/\(v128.const i32x4((?:\s+-?\w+)+)\s*\)/g, (_, lanes: string) => {
      const count = lanes.trim().split(/\s+/).length;
      return `(v128.const i${128 / count}x${count}${lanes})`;
    })
    .replace(/(?<=[ +-])infinity\b/g, 'inf')
    .replace(/\((if|block|loop) ([if](?:32|64))\b/g, '($1 (result $2)')
    .replace(/\(shared (\d+ \d+)\)/g, '$1 shared')
    .replace(/\(ref null (func|extern)\)/g, '$1ref')
    .replace(/\(elem \$t \(/g, '(elem (');
}

/** Calls of all functions that the module exports. */
function calls(text: string): string {
  return [...text.matchAll(/\(export ("[^"]+")\)/g)]
    .map(([, name]) => `(invoke ${name})\n`)
    .join('');
}
