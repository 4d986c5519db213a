// Synchronous loading, for glue without a hook: output of `wasm-pack --target nodejs`, in the main thread and
// in workers.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError } from '../../host/index.ts';
import { intercept } from '../../host/intercept.ts';
import { loadSync, prepare, type Program } from '../../host/sync.ts';
import { assemble } from './guests.ts';

const test = suite('loadSync');
const options = { memory: 2 ** 24 };

/** Makes texts upper case in place, called like a Rust crate. */
const PARSER = assemble(`(module
  (import "__wbindgen_placeholder__" "__wbindgen_throw" (func $throw (param i32 i32)))
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (data (i32.const 1024) "an empty text")
  (func (export "__wbindgen_malloc") (param $bytes i32) (param $align i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get $bytes)))
    (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.const 4)))))
    (local.get $at))
  (func (export "used") (result i32) (i32.sub (global.get $top) (i32.const 65536)))
  (func (export "upper") (param $at i32) (param $bytes i32)
    (local $end i32)
    (if (i32.eqz (local.get $bytes)) (then (call $throw (i32.const 1024) (i32.const 13))))
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (loop $next
      (i32.store8 (local.get $at) (i32.and (i32.load8_u (local.get $at)) (i32.const 0xdf)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))))`);

/** wasm-pack's output for Node; MAKE is the line that makes the instance. */
const GLUE = `
const imports = {};
imports['__wbindgen_placeholder__'] = module.exports;
let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
  if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0)
    cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
  return cachedUint8ArrayMemory0;
}
const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();
module.exports.__wbindgen_throw = (at, bytes) => {
  throw new Error(decoder.decode(getUint8ArrayMemory0().subarray(at, at + bytes)));
};
module.exports.upper = (text) => {
  const at = wasm.__wbindgen_malloc(text.length * 3, 1) >>> 0;
  const { written } = encoder.encodeInto(text, getUint8ArrayMemory0().subarray(at, at + text.length * 3));
  wasm.upper(at, written);
  return decoder.decode(getUint8ArrayMemory0().subarray(at, at + written));
};
const bytes = require('fs').readFileSync(require('path').join(__dirname, 'parser_bg.wasm'));
MAKE
const wasm = exports.__wasm = wasmInstance.exports;
`;
const STOCK = `const wasmModule = new WebAssembly.Module(bytes);
const wasmInstance = new WebAssembly.Instance(wasmModule, imports);`;
/** The one line that differs. */
const MENDED = `const wasmInstance = exports.__program = globalThis.loadSync(bytes, imports, { memory: 2 ** 24 });`;

const folder = mkdtempSync(join(tmpdir(), 'ringzero-sync-'));
writeFileSync(join(folder, 'parser_bg.wasm'), PARSER);
writeFileSync(join(folder, 'stock.cjs'), GLUE.replace('MAKE', STOCK));
writeFileSync(join(folder, 'mended.cjs'), GLUE.replace('MAKE', MENDED));
const require = createRequire(join(folder, 'index.js'));
test.after(() => rmSync(folder, { recursive: true }));

interface Parser {
  upper(text: string): string;
  __program?: Program;
}

test('C10: wasm-pack’s glue runs on a synchronously loaded program, and is forked', async () => {
  Object.assign(globalThis, { loadSync });
  const parser = require('./mended.cjs') as Parser;
  const program = parser.__program!;
  assert.ok(program instanceof WebAssembly.Instance);
  assert.is(parser.upper('hello'), 'HELLO');
  assert.throws(() => parser.upper(''), /an empty text/);
  const snapshot = program.snapshot();
  assert.is(parser.upper('x'.repeat(100_000)), 'X'.repeat(100_000));
  assert.is(await snapshot.run('used'), 15);
  assert.is((program.exports['used'] as () => number)(), 300_015);
  await snapshot.release();
  await program.close();
});

test('C10: a package without a hook makes its instance on the machine', async () => {
  const isParser = (module: object): boolean =>
    WebAssembly.Module.exports(module as WebAssembly.Module).some(({ name }) => name === 'upper');
  const programs = intercept({ ...options, filter: isParser });
  const parser = require('./stock.cjs') as Parser;
  programs.restore();
  assert.is(parser.upper('world'), 'WORLD');
  const [program] = programs;
  const snapshot = program!.snapshot();
  parser.upper('more');
  assert.is(await snapshot.run('used'), 15);
  await program!.close();
});

test('C10: in a worker', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../host/sync.js', import.meta.url).href)}).then(async ({ loadSync }) => {
      globalThis.loadSync = loadSync;
      const parser = require(${JSON.stringify(join(folder, 'mended.cjs'))});
      parentPort.postMessage(parser.upper('in a worker'));
      await parser.__program.close();
    });`;
  const worker = new Worker(code, { eval: true });
  const said = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  assert.is(said, 'IN\0A\0WORKER');
  await worker.terminate();
});

test('C10: programs with WASI; what load() refuses; options with an asynchronous start', async () => {
  const hello = assemble(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))`);
  const program = loadSync(hello, {}, options);
  assert.is(program.start(), 7);
  await program.close();
  const codeOf = (act: () => unknown): unknown => {
    try {
      act();
      return 'nothing was thrown';
    } catch (error) {
      return error instanceof RingzeroError ? error.code : error;
    }
  };
  assert.is(
    codeOf(() => loadSync(new Uint8Array([1, 2, 3]))),
    'RZ_MODULE_MALFORMED',
  );
  assert.is(
    codeOf(() => loadSync('text' as never)),
    'RZ_OPTION',
  );
  assert.is(
    codeOf(() => loadSync(hello, null as never)),
    'RZ_OPTION',
  );
  assert.is(
    codeOf(() => loadSync(hello, {}, { memry: 1 } as never)),
    'RZ_OPTION',
  );
  const trap = assemble('(module (memory 1) (func $f unreachable) (start $f))');
  assert.is(
    codeOf(() => loadSync(trap, {}, options)),
    'RZ_GUEST_TRAP',
  );
  for (const refused of [{ rings: true }, { timer: true }, { preopen: folder }])
    assert.is(
      codeOf(() => loadSync(hello, {}, { ...options, ...refused })),
      'RZ_OPTION',
    );
});

test('C10: both ways share one kernel, and prepare() is harmless', async () => {
  await prepare();
  const both = [loadSync(PARSER, {}, options), await MicroVM.load(PARSER, {}, options)];
  const [a, b] = both.map(({ vm }) => vm.handle.machine.kernel);
  assert.is(a, b);
  for (const program of both) await program.close();
});

test.run();
