// What a user downloads: the runtime's JavaScript, minified, and each guest that is shipped, as it is and
// packed by gzip.
//
//   npm run size
//
// The JavaScript is bundled from what the compiler made, with what it depends on; modules that entries share
// count once. `at start` is what is there before the first call: the translator, WASI and others come when
// they are needed.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { atMost, report, type Row } from './report.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MACHINE = ['index'];
const BOTH = ['index', 'level/index'];
const GUESTS = [
  'libdbos.wasm',
  'kv.wasm',
  'states.wasm',
  'fs.wasm',
  'redis.main.wasm.br',
  'redis.snapshot.wasm',
  'redis-encoder.wasm',
];
const JAVASCRIPT_BYTES_GOAL = 150_000;
export const GUEST_BYTES_GOAL = 100_000;

type Platform = 'node' | 'browser';

interface Size {
  bytes: number;
  gzipBytes: number;
  /** Of the bytes, those that the entries import before anything is called. */
  startBytes?: number;
  /** Of the bytes, those of other packages. */
  foreignBytes?: number;
  /** Of a file that is shipped packed. */
  unpackedBytes?: number;
}

const sizeOf = (files: readonly Uint8Array[]): Size => ({
  bytes: files.reduce((sum, file) => sum + file.length, 0),
  gzipBytes: files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0),
});

/** Bytes of the outputs that the entries reach by import statements. */
function startBytes({ outputs }: Metafile): number {
  const seen = new Set(Object.keys(outputs).filter((name) => isEntry(outputs[name]!.entryPoint)));
  let bytes = 0;
  for (const name of seen) {
    const { imports, bytes: own } = outputs[name]!;
    bytes += own;
    for (const { path, kind } of imports)
      if (kind === 'import-statement' && path in outputs) seen.add(path);
  }
  return bytes;
}

const isEntry = (entry: string | undefined): boolean =>
  entry !== undefined && BOTH.some((name) => entry === `dist/host/${name}.js`);

function foreignBytes({ outputs }: Metafile): number {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs
    .filter(([file]) => file.startsWith('node_modules/'))
    .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
}

/** `ringzero`, or `ringzero` and `ringzero/level`. */
export async function javascriptSize(what: 'machine' | 'both', platform: Platform): Promise<Size> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: (what === 'both' ? BOTH : MACHINE).map((entry) => `dist/host/${entry}.js`),
    outdir: 'out',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform,
    conditions: platform === 'browser' ? ['browser'] : [],
    logLevel: 'warning',
  });
  return {
    ...sizeOf(outputFiles.map(({ contents }) => contents)),
    startBytes: startBytes(metafile),
    foreignBytes: foreignBytes(metafile),
  };
}

function guestSize(name: string): Size {
  const file = `${ROOT}dist/wasm/${name}`;
  const size = sizeOf([readFileSync(file)]);
  const packed = /^(.*)\.br$/.exec(file);
  return packed ? { ...size, unpackedBytes: readFileSync(packed[1]!).length } : size;
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;

function row(figure: string, size: Size, goalBytes: number): Row {
  let value = kilobytes(size.bytes).padStart(9);
  if (size.unpackedBytes === undefined) value += ` ${kilobytes(size.gzipBytes).padStart(9)} gzip`;
  else value += `, ${kilobytes(size.unpackedBytes)} unpacked`;
  if (size.startBytes !== undefined) value += `, ${kilobytes(size.startBytes)} at start`;
  if (size.foreignBytes) value += `, ${kilobytes(size.foreignBytes)} abstract-level and its own`;
  return { figure, value, ...atMost(size.bytes / 1000, goalBytes / 1000, ' KB') };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const javascript: Record<string, Size> = {};
  for (const platform of ['node', 'browser'] as const) {
    javascript[`ringzero, ${platform}`] = await javascriptSize('machine', platform);
    javascript[`ringzero and ringzero/level, ${platform}`] = await javascriptSize('both', platform);
  }
  const guests = Object.fromEntries(GUESTS.map((name) => [name, guestSize(name)]));
  const rows = [
    ...Object.entries(javascript).map(([name, size]) => row(name, size, JAVASCRIPT_BYTES_GOAL)),
    ...Object.entries(guests).map(([name, size]) => row(name, size, GUEST_BYTES_GOAL)),
  ];
  report('size', rows, { javascript, guests });
}
