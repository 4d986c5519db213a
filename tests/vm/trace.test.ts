// Traces: the file has every event of a vCPU once, correctly nested, and is readable whatever happens.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SYS_CLOCK } from '../../assembly/abi/syscall.ts';
import { VECTOR_USER } from '../../assembly/abi/vector.ts';
import { MicroVM, RingzeroError, type MicroVMOptions } from '../../host/index.ts';
import { RingzeroLevel } from '../../host/level/index.ts';
import { endTrace, startTrace, Tracer } from '../../host/vm/trace.ts';
import { readBuiltModule, startThread } from '../../host/platform/node.ts';
import { freshLocation } from '../level/stores.ts';
import { withServer } from '../redis/server-process.ts';
import { moduleCommand } from '../runtime.ts';
import { runThread } from '../thread.ts';
import { CELLS } from './guests.ts';
import type { TraceJob } from './trace-thread.ts';

const PAGE = 4096;
const HANDLER = 2; // index of the guest's interrupt handler

interface Event {
  name: string;
  ph: string;
  cat?: string;
  pid: number;
  tid?: number;
  ts?: number;
  dur?: number;
  args: Record<string, unknown>;
}

/** Times of an event, in whole nanoseconds. */
interface Span extends Event {
  from: number;
  to: number;
}

const folder = mkdtempSync(join(tmpdir(), 'ringzero-trace-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function freshPath(): string {
  return join(folder, `${files++}.json`);
}

function readTrace(text: string): { events: Event[]; spans: Span[]; dropped: number | undefined } {
  const events = JSON.parse(text) as Event[];
  const spans = events
    .filter(({ ph }) => ph === 'X')
    .map((event) => {
      const from = Math.round(event.ts! * 1000);
      return { ...event, from, to: from + Math.round(event.dur! * 1000) };
    });
  for (const { name, ph, pid, from, to } of spans as Span[]) {
    assert.ok(name !== '' && ph === 'X' && pid === 1);
    assert.ok(from >= 0 && to >= from, `${name} ends before it begins`);
  }
  checkNesting(spans);
  const end = events.find(({ name }) => name === 'process_labels');
  return { events, spans, dropped: end?.args['dropped'] as number | undefined };
}

/** Two events of a thread are nested or disjoint. */
function checkNesting(spans: readonly Span[]): void {
  for (const tid of new Set(spans.map((span) => span.tid))) {
    const own = spans.filter((span) => span.tid === tid);
    own.sort((a, b) => a.from - b.from || b.to - a.to);
    const open: Span[] = [];
    for (const span of own) {
      while (open.length > 0 && open.at(-1)!.to <= span.from) open.pop();
      const outer = open.at(-1);
      assert.ok(outer === undefined || span.to <= outer.to, `${span.name} outlives ${outer?.name}`);
      open.push(span);
    }
  }
}

function ofKind(spans: readonly Span[], category: string, name?: string): Span[] {
  return spans.filter(
    (span) => span.cat === category && (name === undefined || span.name === name),
  );
}

function sum(spans: readonly Span[], argument: string): number {
  return spans.reduce((total, { args }) => total + Number(args[argument]), 0);
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
  throw new Error('nothing was thrown');
}

function create(options: Partial<MicroVMOptions>): Promise<MicroVM> {
  return MicroVM.create({ guest: CELLS, memory: 16 << 20, ...options });
}

/** Runs a program in its own process. */
async function runProgram(text: string): Promise<{ code: number | null; signal: string | null }> {
  const file = join(folder, `${files++}.mjs`);
  writeFileSync(file, text);
  const [command, ...words] = moduleCommand(file);
  const child = spawn(command!, words, { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal };
}

const tests = suite('trace');

tests(
  'system calls, write faults and interrupts of a guest, as many as the kernel counted',
  async () => {
    const trace = freshPath();
    const vm = await create({ trace });
    const { exports, kernel } = vm.enter();
    exports['handle']!(VECTOR_USER, HANDLER);
    for (let page = 0; page <= 5; page++) exports['put']!(page * PAGE, 1);
    const snapshot = vm.snapshot();
    for (let page = 1; page <= 5; page++) exports['put']!(page * PAGE, 2);
    for (let i = 0; i < 3; i++) assert.is(exports['syscall']!(SYS_CLOCK, 9 * PAGE, 0, 0), 0);
    assert.ok(Number(exports['syscall']!(77, 0, 0, 0)) < 0);
    kernel.calls.post(kernel.vcpu, VECTOR_USER);
    kernel.calls.post(kernel.vcpu, VECTOR_USER + 1); // it has no handler
    vm.enter().deliverInterrupts();
    vm.enter().deliverInterrupts(); // none is pending
    assert.is(await snapshot.run('get', 3 * PAGE), 1);
    const stats = vm.stats();
    await snapshot.release();
    await vm.close();

    const { spans, events, dropped } = readTrace(readFileSync(trace, 'utf8'));
    assert.is(dropped, 0);
    const names = events.filter(({ name }) => name === 'thread_name');
    assert.equal([...new Set(names.map(({ args }) => args['name']))].sort(), [
      'vCPU 0 (main)',
      'vCPU 1 (snapshot)',
    ]);
    const calls = ofKind(spans, 'syscall').filter(({ tid }) => tid === 0);
    assert.equal(
      calls.map(({ name }) => name),
      ['clock', 'clock', 'clock', 'system call 77'],
    );
    assert.is(calls.length, stats.syscalls);
    assert.is(calls[0]!.args['result'], 0);
    const faults = ofKind(spans, 'fault', 'write fault');
    assert.is(sum(faults, 'pages'), stats.faults);
    assert.is(sum(faults, 'copied'), stats.copies);
    const ofSnapshot = faults.filter(({ args }) => args['copied'] === 1);
    assert.equal(
      ofSnapshot.map(({ args }) => args['page']),
      [1, 2, 3, 4, 5, 9, 0],
    );
    const [interrupt, ...others] = ofKind(spans, 'interrupt');
    assert.equal(others, []);
    assert.equal(interrupt!.args['vectors'], ['vector 8', 'vector 9']);
    const inHandler = ofSnapshot.at(-1)!;
    assert.ok(
      interrupt!.from <= inHandler.from && inHandler.to <= interrupt!.to,
      'the call contains its store',
    );
    const inCall = ofSnapshot.at(-2)!;
    assert.ok(
      calls[0]!.from <= inCall.from && inCall.to <= calls[0]!.to,
      'interrupts that the host delivers',
    );
    assert.is(ofKind(spans, 'snapshot', 'take snapshot').length, stats.snapshotsTaken);
  },
);

tests('events of a snapshot have the thread of its vCPU', async () => {
  const trace = freshPath();
  const vm = await create({ trace });
  const snapshot = vm.snapshot();
  await snapshot.run('put', 6 * PAGE, 1);
  await snapshot.run('syscall', SYS_CLOCK, 6 * PAGE, 0, 0);
  await snapshot.release();
  await vm.close();
  const { spans } = readTrace(readFileSync(trace, 'utf8'));
  const [copy, ...others] = ofKind(spans, 'fault', 'private copy');
  assert.equal(others, []);
  assert.is(copy!.args['page'], 6);
  assert.is(copy!.tid, 1);
  assert.equal(
    ofKind(spans, 'syscall').map(({ name, tid }) => [name, tid]),
    [['clock', 1]],
  );
});

tests(
  'TRACE-4: page faults of a linked guest, with the handler’s events nested inside',
  async () => {
    const trace = freshPath();
    const guest = readBuiltModule('mmu-test.wasm');
    const onPageFault = (page: number): Uint8Array => {
      const { calls } = vm.enter().kernel;
      calls.syscall(SYS_CLOCK, calls.claimWindow(1), 0, 0, 0, 0);
      return Uint8Array.of(page);
    };
    const vm = await create({ guest, linked: true, trace, handlers: { onPageFault } });
    const { exports } = vm.enter();
    for (const page of [3n, 4n, 3n, 7n]) assert.is(exports['get']!(page << 12n), page);
    await vm.close();
    const { spans } = readTrace(readFileSync(trace, 'utf8'));
    const faults = ofKind(spans, 'fault', 'page fault');
    assert.equal(
      faults.map(({ args }) => args['page']),
      ['3', '4', '7'],
    );
    const calls = ofKind(spans, 'syscall', 'clock');
    assert.is(calls.length, 3);
    for (const [i, { from, to }] of calls.entries())
      assert.ok(faults[i]!.from <= from && to <= faults[i]!.to);
  },
);

tests('TRACE-3: concurrent writers write whole lines, and none is missing', async () => {
  const trace = freshPath();
  const vm = await create({ trace });
  const calls = 5000;
  const url = new URL('./trace-thread.js', import.meta.url);
  const job: TraceJob = { handle: vm.handle, calls };
  const numbers = await Promise.all([0, 1, 2].map(() => runThread(url, job)));
  await vm.close();
  const { spans } = readTrace(readFileSync(trace, 'utf8'));
  const made = ofKind(spans, 'syscall', 'clock');
  assert.is(made.length, 3 * calls);
  for (const number of new Set(numbers)) {
    const expected = calls * numbers.filter((other) => other === number).length;
    assert.is(made.filter(({ tid }) => tid === number).length, expected);
  }
});

tests('a thread that dies in the guest leaves a file that close() completes', async () => {
  const trace = freshPath();
  const vm = await create({ trace });
  let thread: ReturnType<typeof startThread>;
  const number = await new Promise<unknown>((resolve, reject) => {
    const url = new URL('./spinner.js', import.meta.url);
    thread = startThread(url, vm.handle, resolve, (error) =>
      reject(error ?? new Error('it ended')),
    );
    thread.hold(true);
  });
  vm.enter().exports['syscall']!(SYS_CLOCK, 512, 0, 0);
  await thread!.terminate();
  vm.bury(number as number);
  await vm.close();
  assert.is(ofKind(readTrace(readFileSync(trace, 'utf8')).spans, 'syscall').length, 1);
});

tests('a thread that was terminated while it appended does not delay the end', () => {
  const path = freshPath();
  const setup = startTrace(path);
  Atomics.store(new Int32Array(setup.state), 1, 1); // it appends forever
  endTrace(setup);
  assert.is(readTrace(readFileSync(path, 'utf8')).dropped, 0);
});

tests('a process that is killed leaves a file that readers of the format accept', async () => {
  const path = freshPath();
  const url = new URL('../../host/vm/trace.js', import.meta.url).href;
  const code = `
    import { startTrace, Tracer } from '${url}';
    const tracer = new Tracer(startTrace(${JSON.stringify(path)}));
    tracer.name(0, 'main');
    for (let i = 0; i < 3000; i++) tracer.span('syscall', 'x', { i }, () => {});
    process.kill(process.pid, 'SIGKILL');`;
  assert.is((await runProgram(code)).signal, 'SIGKILL');
  const text = readFileSync(path, 'utf8');
  assert.throws(() => JSON.parse(text), 'its end is missing');
  const { spans } = readTrace(`${text}]`);
  assert.ok(spans.length > 100 && spans.length < 3000, String(spans.length));
});

tests('a program that ends without closing its VM still leaves a complete trace', async () => {
  const path = freshPath();
  const code = `
    import { MicroVM } from '${new URL('../../host/index.js', import.meta.url).href}';
    import { CELLS } from '${new URL('./guests.js', import.meta.url).href}';
    const vm = await MicroVM.create({ guest: CELLS, memory: 16 << 20, trace: ${JSON.stringify(path)} });
    vm.enter().exports.syscall(${SYS_CLOCK}, 512, 0, 0);
    process.exit(3);`;
  assert.is((await runProgram(code)).code, 3);
  const { spans, dropped } = readTrace(readFileSync(path, 'utf8'));
  assert.is(dropped, 0);
  assert.is(ofKind(spans, 'syscall', 'clock').length, 1);
});

tests('TRACE-1: events after the end are not written and do no harm', async () => {
  const trace = freshPath();
  const vm = await create({ trace });
  const other = await MicroVM.attach(vm.handle);
  await vm.close();
  other.enter().exports['syscall']!(SYS_CLOCK, 512, 0, 0);
  await other.close();
  assert.is(ofKind(readTrace(readFileSync(trace, 'utf8')).spans, 'syscall').length, 0);
});

tests('events beyond the bound are counted', () => {
  const path = freshPath();
  const setup = startTrace(path, 10);
  const tracer = new Tracer(setup);
  for (let i = 0; i < 25; i++) tracer.span('syscall', 'x', { i }, () => {});
  tracer.close();
  endTrace(setup);
  const { spans, dropped } = readTrace(readFileSync(path, 'utf8'));
  assert.equal(
    spans.map(({ args }) => args['i']),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.is(dropped, 15);
});

tests('a call that traps is an ordinary event', async () => {
  const trace = freshPath();
  const imports = { env: { hook: () => {} } };
  const vm = await create({ trace, imports, guardBytes: PAGE });
  assert.is(await codeOf(async () => vm.enter().exports['put']!(16 << 20, 1)), 'RZ_GUEST_TRAP');
  assert.is(vm.enter().exports['syscall']!(SYS_CLOCK, 2 * PAGE, 0, 0), 0);
  await vm.close();
  assert.is(ofKind(readTrace(readFileSync(trace, 'utf8')).spans, 'syscall').length, 1);
});

tests('a wrong option, and a path that cannot be written, are errors with a code', async () => {
  assert.is(await codeOf(() => create({ trace: '' })), 'RZ_OPTION');
  assert.is(await codeOf(() => create({ trace: 5 as unknown as string })), 'RZ_OPTION');
  assert.is(await codeOf(() => create({ trace: 'a\0b' })), 'RZ_OPTION');
  const nowhere = join(folder, 'no', 'folder.json');
  assert.is(await codeOf(() => create({ trace: nowhere })), 'RZ_IO');
  assert.is(await codeOf(() => create({ trace: folder })), 'RZ_IO');
  assert.not.ok(existsSync(nowhere));
  const unused = freshPath();
  assert.is(
    await codeOf(() => create({ guest: Uint8Array.of(1), trace: unused })),
    'RZ_MODULE_MALFORMED',
  );
  assert.not.ok(existsSync(unused), 'no file for a VM that was never made');
  const vm = await create({});
  await vm.close();
});

tests('TRACE-2: without a trace the guest calls the kernel directly', async () => {
  const isNative = (vm: MicroVM): boolean =>
    Object.values(vm.enter().kernel.calls)
      .filter((value) => typeof value === 'function')
      .every((fn) => /\[native code\]/.test(String(fn)));
  const plain = await create({});
  assert.ok(isNative(plain));
  await plain.close();
  const traced = await create({ trace: freshPath() });
  assert.not.ok(isNative(traced));
  await traced.close();
});

tests('ringzero serve --trace', async () => {
  const trace = freshPath();
  await withServer(['--trace', trace], async (server) => {
    const client = await server.client();
    for (let i = 0; i < 20; i++) await client.call('SET', `key ${i}`, 'x'.repeat(PAGE));
    await client.call('BGSAVE');
    await server.said(/Background saving terminated with success/);
    await server.signal('SIGTERM');
  });
  const { spans, events } = readTrace(readFileSync(trace, 'utf8'));
  assert.ok(events.some(({ name }) => name === 'process_labels'));
  assert.ok(ofKind(spans, 'fault', 'write fault').length > 0);
  const saver = spans.filter(({ tid }) => tid === 1).map(({ name }) => name);
  for (const name of ['open', 'write', 'rename']) assert.ok(saver.includes(name), name);
});

tests('a store with a trace', async () => {
  const trace = freshPath();
  const db = new RingzeroLevel(freshLocation(), { poolSize: 65536, durable: false, trace });
  await db.open();
  for (let i = 0; i < 500; i++) db.putSync(`key ${i}`, 'v'.repeat(100));
  const { pagesWritten } = db.stats();
  await db.close();
  const { spans } = readTrace(readFileSync(trace, 'utf8'));
  assert.ok(
    ofKind(spans, 'syscall', 'pwrite').length >= pagesWritten / 64,
    'its pages were written',
  );
  const folderAsFile = new RingzeroLevel(freshLocation(), { trace: folder });
  assert.is(
    ((await folderAsFile.open().catch((error: Error) => error)) as { cause?: { code: string } })
      .cause?.code,
    'RZ_IO',
  );
});

tests.run();
