// The home page: what ringzero does, shown in the visitor's own tab, and four ways in.

import { forkDemo } from '../../bench/browser/fork-demo-markup.ts';
import { FOOTER, head, header, NAME } from './frame.ts';
import type { Colour } from './page.ts';

const DESCRIPTION =
  'ringzero gives WebAssembly page tables, write faults and fork(). An ordered store, ' +
  'forks of running programs and a Redis-compatible server, in stock Node, Deno, Bun ' +
  'and Chromium.';

interface Door {
  title: string;
  text: string;
  language: string;
  code: string;
  link: string;
  label: string;
}

const DOORS: readonly Door[] = [
  {
    title: 'Keep data in an ordered store',
    text:
      'An embedded key-value store in one file, without a native addon. It implements ' +
      'abstract-level, adds synchronous calls, serves several threads, and survives ' +
      'crashes.',
    language: 'js',
    code: `import { RingzeroLevel } from 'ringzero/level';

const db = new RingzeroLevel('./people', {
  valueEncoding: 'json',
});
await db.put('ada', { born: 1815 });
db.getSync('ada'); // { born: 1815 }
await db.close();`,
    link: 'level.html',
    label: 'The store',
  },
  {
    title: 'Fork a running program',
    text:
      'Load any WebAssembly module, from npm or from your compiler, and fork it while it ' +
      'runs: a consistent copy for backups, analysis or speculative work, in another ' +
      'thread.',
    language: 'js',
    code: `import { readFile } from 'node:fs/promises';
import { MicroVM } from 'ringzero';

const guest = await readFile('guest.wasm');
const vm = await MicroVM.create({ guest });
const { exports } = vm.enter();
exports.put(1, 100);
const snapshot = vm.snapshot(); // microseconds
exports.put(1, 200);
await snapshot.run('get', 1); // 100, in a thread`,
    link: 'programs.html',
    label: 'Forks of programs',
  },
  {
    title: 'Run a Redis-compatible server',
    text:
      'Strings, hashes, expiry, transactions and RDB files. BGSAVE runs on a snapshot, in ' +
      'another thread, and the server keeps answering.',
    language: 'sh',
    code: `npx ringzero serve --port 7777
redis-cli -p 7777 SET greeting hello
redis-cli -p 7777 BGSAVE`,
    link: 'redis.html',
    label: 'The server',
  },
  {
    title: 'Build a storage engine',
    text:
      'Write a guest in AssemblyScript, with page tables, page-fault handlers, a buffer ' +
      'pool, I/O rings and calls between vCPUs. The template is a pager in under a hundred ' +
      'lines.',
    language: 'sh',
    code: `npx ringzero new my-engine
cd my-engine && npm install && npm start`,
    link: 'guest.html',
    label: 'Engines',
  },
];

const FACTS: readonly (readonly [string, string])[] = [
  [
    'A snapshot is one increment',
    'It adds 1 to an epoch. Nothing is copied, protected or counted, so its time does not ' +
      'depend on the size of the memory.',
  ],
  [
    'A page is copied when it changes',
    'A translator puts a check before each store. The first store to a page after a ' +
      'snapshot saves the old page for the snapshot, and goes on.',
  ],
  [
    'Nothing native, no flags',
    'One shared WebAssembly.Memory, and a host in TypeScript. It runs where WebAssembly ' +
      'threads run: Node 20 and newer, Deno, Bun, Chromium.',
  ],
  [
    'What it costs',
    'Translated programs take about 1.1 times as long, one VM has at most 4 GiB, and the ' +
      'server answers fewer small requests a second than redis-server.',
  ],
];

function door({ title, text, language, code, link, label }: Door, colour: Colour): string {
  return `<article>
<h3>${title}</h3>
<p>${text}</p>
<div class="code"><pre tabindex="0"><code>${colour(code, language)}</code></pre></div>
<p><a href="${link}">${label} →</a></p>
</article>`;
}

export function homePage(colour: Colour): string {
  const opening = head({
    page: 'index.html',
    title: NAME,
    description: DESCRIPTION,
    styles: ['code.css', 'home.css', 'bench/demo.css'],
    scripts: ['bench/home.js'],
  });
  return `${opening}
<body>
${header('index.html')}
<main class="home" id="main">
<div class="hero">
<div>
<h1>Fork a running WebAssembly program in microseconds</h1>
<p class="lede">ringzero gives WebAssembly page tables, write faults and <code>fork()</code>.
A fork takes microseconds, whatever the size of the memory, and the program goes on writing.</p>
</div>
${forkDemo()}
<div class="start">
<div class="install"><code>npm install ringzero</code>
<button type="button" data-copy="npm install ringzero" hidden>Copy</button></div>
<p class="actions"><a class="button main" href="overview.html">Get started</a>
<a class="button" href="bench/index.html">More benchmarks in this tab</a></p>
<p class="hush runs">Node 20+, Deno, Bun and Chromium. No native code, no flags. Apache-2.0.</p>
</div>
</div>
<section aria-labelledby="doors">
<h2 id="doors">Four ways in</h2>
<div class="doors">
${DOORS.map((entry) => door(entry, colour)).join('\n')}
</div>
</section>
<section aria-labelledby="how">
<h2 id="how">How it works</h2>
<dl class="facts">
${FACTS.map(([title, text]) => `<div><dt>${title}</dt><dd>${text}</dd></div>`).join('\n')}
</dl>
<p class="more"><a href="snappy.html">How snapshots work →</a></p>
</section>
</main>
${FOOTER}
</body>
</html>
`;
}
