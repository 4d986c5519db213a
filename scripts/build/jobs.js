// Jobs of a build: what each makes of what, and whether that has to be done again.
//
// Interface   asc() and program() describe jobs, run() does those wanted and what they need, several at a
//             time, and fails if one did.
// Invariants  A job is left out exactly when its stamp (dist/.stamps) says that these inputs, by content,
//             made these outputs with this tool. A guest's inputs are the files that asc asked for, with
//             those it did not find.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';

const STAMPS = 'dist/.stamps';

/** SHA-256 of a file's content; null without the file. */
export function hashOf(path) {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('base64');
  } catch {
    return null;
  }
}

const hashesOf = (paths) => Object.fromEntries(paths.map((path) => [path, hashOf(path)]));
const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version; // prettier-ignore
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** A guest, compiled by AssemblyScript in the slot's worker. */
export function asc(name, { entry, flags, outFile, ...rest }) {
  const argv = [entry, '--config', 'assembly/guest.json', '--outFile', outFile, ...flags];
  const key = [`assemblyscript ${versionOf('assemblyscript')}`, ...argv];
  const make = async (slot) => {
    const { inputs, text, isFailed } = await slot.compile(argv);
    return { text, isFailed, inputs: hashesOf(inputs) };
  };
  return { name, key, outputs: [outFile], needs: [], make, ...rest };
}

/** A program that Node runs. `inputs` lists files, when everything it needs is built. */
export function program(name, { command, inputs, before, after, ...rest }) {
  const make = async () => {
    before?.();
    const made = hashesOf(inputs());
    const result = await execute(command);
    if (!result.isFailed) await after?.();
    return { ...result, inputs: made };
  };
  return { name, key: command, needs: [], inputs, make, ...rest };
}

/** A file that is another, under a second name. */
export function copy(name, { from, to, ...rest }) {
  const make = async () => {
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, readFileSync(from));
    return { text: '', isFailed: false, inputs: hashesOf([from]) };
  };
  return { name, key: [from, to], inputs: () => [from], outputs: [to], make, ...rest };
}

function execute(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part) => (text += part));
    child.on('close', (code) => resolve({ text, isFailed: code !== 0 }));
  });
}

const stampOf = (job) => `${STAMPS}/${job.name.replaceAll('/', '.')}.json`;

function isCurrent(job) {
  let stamp;
  try {
    stamp = JSON.parse(readFileSync(stampOf(job), 'utf8'));
  } catch {
    return false;
  }
  const inputs = hashesOf(job.inputs?.() ?? Object.keys(stamp.inputs));
  return isSame(stamp, { key: job.key, inputs, outputs: hashesOf(job.outputs) });
}

/** What one job at a time runs in: a worker that keeps the compiler. */
class Slot {
  #worker;

  compile(argv) {
    const worker = (this.#worker ??= new Worker(new URL('./asc-worker.js', import.meta.url)));
    return new Promise((resolve, reject) => {
      worker.removeAllListeners().once('message', resolve);
      worker.once('error', (error) => {
        this.#worker = undefined; // it has ended
        reject(error);
      });
      worker.postMessage(argv);
    });
  }

  async run(job) {
    if (isCurrent(job)) return { isCurrent: true };
    rmSync(stampOf(job), { force: true });
    const start = performance.now();
    const { text, isFailed, inputs } = await job.make(this);
    const outputs = hashesOf(job.outputs);
    const absent = job.outputs.filter((path) => outputs[path] === null);
    if (!isFailed && absent.length > 0)
      return { isFailed: true, text: `${text}\nnot made: ${absent}` };
    if (!isFailed) {
      mkdirSync(STAMPS, { recursive: true });
      writeFileSync(stampOf(job), JSON.stringify({ key: job.key, inputs, outputs }));
    }
    return { text, isFailed, seconds: (performance.now() - start) / 1000 };
  }

  close() {
    return this.#worker?.terminate();
  }
}

/** The jobs wanted and all that they need, in the order of `jobs`. */
function withNeeds(jobs, wanted) {
  const chosen = new Set();
  const choose = (job) => {
    if (chosen.has(job)) return;
    chosen.add(job);
    for (const name of job.needs) choose(jobs.find((other) => other.name === name));
  };
  wanted.forEach(choose);
  return jobs.filter((job) => chosen.has(job));
}

function report({ name }, { text, isFailed, seconds }) {
  if (text.trim() !== '') console.log(text.trim());
  console.log(isFailed ? `${name} failed` : `${name} ${seconds.toFixed(1)} s`);
}

/** Runs them in parallel, a slot for each core. What needs a job that failed is left out. */
export async function run(jobs, wanted) {
  const pending = withNeeds(jobs, wanted);
  const done = new Set();
  const counts = { built: 0, current: 0, failed: 0 };
  const slots = Array.from({ length: availableParallelism() }, () => new Slot());
  const idle = [...slots];
  await new Promise((resolve) => {
    const finish = (job, result) => {
      counts[result.isFailed ? 'failed' : result.isCurrent ? 'current' : 'built']++;
      if (!result.isFailed) done.add(job.name);
      if (!result.isCurrent) report(job, result);
    };
    const start = async (job, slot) => {
      finish(job, await slot.run(job).catch((error) => ({ text: String(error?.stack ?? error), isFailed: true }))); // prettier-ignore
      idle.push(slot);
      startReady();
    };
    const startReady = () => {
      while (idle.length > 0) {
        const index = pending.findIndex(({ needs }) => needs.every((name) => done.has(name)));
        if (index < 0) break;
        void start(pending.splice(index, 1)[0], idle.pop());
      }
      if (idle.length === slots.length) resolve();
    };
    startReady();
  });
  await Promise.all(slots.map((slot) => slot.close()));
  return { ...counts, skipped: pending.length };
}
