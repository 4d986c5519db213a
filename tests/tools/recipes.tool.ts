// docs/recipes.md with the real packages: each recipe is started, branched and compared with a fresh start.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { block } from '../examples/snippets.ts';
import { toolProject } from './project.ts';

const test = suite('tools: recipes');

interface Recipe {
  /** Its module in the document. */
  readonly file: string;
  readonly packages: Record<string, string>;
  /** Code for the parent, with `started`: changes that a branch has, and one that no branch has. */
  readonly before: string;
  readonly after: string;
  /** The argument of branch(). */
  readonly argument?: string;
  /** Asked in each branch, in this order, with the answers. */
  readonly lines: readonly (readonly [line: string, answer: unknown])[];
}

const RECIPES: readonly Recipe[] = [
  {
    file: 'quickjs.js',
    packages: {
      'quickjs-emscripten-core': '0.32.0',
      '@jitl/quickjs-wasmfile-release-sync': '0.32.0',
    },
    before: `started.context.evalCode('let count = 40; const next = () => ++count')`,
    after: `started.context.evalCode('count = 0')`,
    argument: '{ context: started.context.ctx.value, runtime: started.context.rt.value }',
    lines: [
      ['next() + 1', 42],
      ['[next(), typeof next, Math.random() < 1]', [42, 'function', true]],
    ],
  },
  {
    file: 'ruby.js',
    packages: {
      '@ruby/wasm-wasi': '2.10.1',
      '@ruby/3.4-wasm-wasi': '2.10.1',
      '@bjorn3/browser_wasi_shim': '0.4.2',
    },
    before: `started.ruby.eval('require "json"; $count = 40; def following = $count += 1')`,
    after: `started.ruby.eval('$count = 0')`,
    lines: [
      ['following + 1', '42'],
      ['JSON.generate([following, "é".upcase, rand < 1])', '[42,"É",true]'],
    ],
  },
  {
    file: 'php.js',
    packages: { '@php-wasm/universal': '3.1.56', '@php-wasm/node-8-4': '3.1.56' },
    before: `await started.php.run({ code: '<?php echo str_repeat("x", 1000000);' })`,
    after: `await started.php.run({ code: '<?php echo 1;' })`,
    lines: [
      ['<?php echo 6 * 7;', '42'],
      [
        '<?php echo json_encode([array_sum(range(1, 1000)), preg_match("/b+/", "abb")]);',
        '[500500,1]',
      ],
    ],
  },
  {
    file: 'python.js',
    packages: { pyodide: '314.0.8' },
    before: `started.pyodide.runPython('import json\\ncount = [40]')`,
    after: `started.pyodide.runPython('count[0] = 0')`,
    lines: [
      ['count[0] + 2', '42'],
      ['json.dumps([count.append(7), count, sum(range(1000))])', '[null, [40, 7], 499500]'],
    ],
  },
  {
    file: 'duckdb.js',
    packages: { '@duckdb/duckdb-wasm': '1.32.0' },
    before: `started.connection.query('CREATE TABLE t AS SELECT i::INT AS i FROM range(100000) r(i)')`,
    after: `started.connection.query('DELETE FROM t')`,
    argument: 'started.connection._conn',
    lines: [
      [
        'SELECT count(*)::INT AS c, sum(i)::DOUBLE AS s FROM t',
        '[\n  {"c": 100000, "s": 4999950000}\n]',
      ],
      ['DELETE FROM t WHERE i < 10', '[\n  {"Count": 10}\n]'],
    ],
  },
];
const BRANCHES = 10;

/** Starts it as shipped and on the machine, and takes branches with a thread that waits. */
const program = ({ file, before, after, argument, lines }: Recipe): string => `
  import { deepEqual } from 'node:assert/strict';
  import { acceptSharedViews } from 'ringzero';
  import { start } from './${file}';
  acceptSharedViews();
  const now = () => performance.now();
  let begun = now();
  await start({ memory: 2 ** 24, filter: () => false, memoryOf: undefined });
  const shipped = now() - begun;
  begun = now();
  const started = await start({ memory: 2 ** 31 });
  const onMachine = now() - begun;
  const { program } = started;
  ${before};
  const url = new URL('./${file}', import.meta.url);
  const take = () => program.branch(url, ${argument ?? 'undefined'}, { warm: 1 });
  const first = await take();
  await program.warmBranches(url, { warm: 1 });
  const times = [];
  for (let i = 0; i < ${BRANCHES}; i++) {
    const taken = now();
    const branch = await take();
    const answers = [];
    for (const [line] of ${JSON.stringify(lines)}) {
      answers.push(await branch.call('evaluate', line));
      if (answers.length === 1) times.push(now() - taken);
    }
    deepEqual(answers, ${JSON.stringify(lines.map(([, answer]) => answer))});
    await branch.close();
  }
  ${after};
  deepEqual(await first.call('evaluate', ${JSON.stringify(lines[0]![0])}), ${JSON.stringify(lines[0]![1])});
  await program.close();
  const [fresh] = times;
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  console.log([shipped, onMachine, fresh, median].map((ms) => ms.toFixed(1)).join(' '));
  process.exit();`;

for (const recipe of RECIPES)
  test(`${recipe.file}: started, branched, evaluated`, () => {
    const project = toolProject(`recipe-${recipe.file}`, recipe.packages);
    project.write(recipe.file, block('docs/recipes.md', 'js', `// ${recipe.file}\n`));
    project.write('program.mjs', program(recipe));
    project.write('package.json', '{ "type": "module" }');
    const { status, said } = project.node('program.mjs');
    assert.is(status, 0, said);
    const [shipped, onMachine, fresh, branch] = said.trim().split('\n').at(-1)!.split(' ');
    console.log(
      `${recipe.file}: start ${shipped} ms, on the machine ${onMachine} ms, branch to the first line ${fresh} ms, in a thread used before ${branch} ms`,
    );
    if (recipe.file === 'ruby.js') {
      project.write('main.js', block('docs/recipes.md', 'js', '// main.js\n'));
      assert.match(project.node('main.js').said, /^42$/m);
    }
    project.remove();
  });

test.run();
