// The thread of a snapshot vCPU: waits for a snapshot, runs guest functions on it, releases it.

import { EINTR, EIO, ENOMEM } from '../../assembly/abi/errno.ts';
import { ENDING_SELF } from '../../assembly/abi/snapshot-block.ts';
import { RingzeroError } from '../errors.ts';
import { prepareDirectory, thread } from '#platform';
import { Preopen } from '../syscalls/preopen.ts';
import type { FileImages } from '../files/module.ts';
import { Fork } from './fork.ts';
import { checkState } from './snapshot-state.ts';
import { ProgramExit } from '../wasi/exit.ts';
import { addWasi } from './system-interface.ts';
import type { TableState } from './tables.ts';
import type { GuestFunction } from './exports.ts';
import { registersOf } from './registers.ts';
import type { GuestImports, ImportContext, Machine } from './machine.ts';
import { Vcpu } from './vcpu.ts';

/** Data that the thread starts with. */
export interface SnapshotThreadData {
  machine: Machine;
  importsModule: string | undefined;
  background: boolean;
}

/** One job: a function by export name, by table index for spawn(), or a module that drives the guest. */
export interface Job {
  id: number;
  slot: number;
  preopen: string | undefined;
  call:
    | { name: string; args: (number | bigint)[] }
    | { fn: number; arg: number }
    | { module: string; argument: unknown };
  /** The program's tables, where they differ from what its module declares. */
  tables?: TableState | undefined;
  /** The vCPU that took the snapshot: its descriptors of files in the VM are the fork's. */
  owner: number;
  /** The VM's file system: it may have been opened after this thread had started. */
  files?: FileImages | undefined;
  /** Whether to release the snapshot after this job. */
  release: boolean;
}

export type SnapshotThreadMessage =
  | { kind: 'ready'; vcpu: number }
  | Done
  | { kind: 'log'; level: number; text: string }
  | { kind: 'progress'; what: number; perMille: number };

/** A job has ended. */
interface Done {
  kind: 'done';
  id: number;
  result?: unknown;
  failure?: Failure;
  /** The program's tables after the job. */
  tables: TableState | undefined;
  /** Lengths of tables that have grown: the instance can serve only snapshots whose tables are that long. */
  lengths: readonly number[] | undefined;
}

/** An error in a form that can be posted. */
export interface Failure {
  code: string;
  message: string;
  stack: string | undefined;
  errno: number;
  /** The program ended itself. */
  exitCode: number | undefined;
  /** An error that a driving module threw. */
  thrown?: unknown;
}

async function main(): Promise<void> {
  const data = (await thread.data()) as SnapshotThreadData;
  const vcpu = start(data);
  // Listens before anything that takes time: Deno drops a message that finds no listener. The await below
  // reports why start() failed.
  thread.onMessage((message) => {
    if (message === null) return; // Deno posts this to a thread that is being terminated
    void vcpu.then(
      (ready) => work(ready, data.machine, message as Job),
      () => {},
    );
  });
  await vcpu;
}

const post = (message: SnapshotThreadMessage): void => thread.post(message);

async function start({ machine, importsModule, background }: SnapshotThreadData): Promise<Vcpu> {
  if (background) thread.yieldPriority();
  const given = importsModule === undefined ? {} : await importsOf(importsModule);
  const imports = await addWasi(machine.wasi, given);
  const vcpu = new Vcpu(machine, 'snapshot', imports, new Preopen(undefined), {
    log: (level, text) => post({ kind: 'log', level, text }),
    progress: (what, perMille) => post({ kind: 'progress', what, perMille }),
  });
  post({ kind: 'ready', vcpu: vcpu.kernel.vcpu });
  return vcpu;
}

async function work(vcpu: Vcpu, machine: Machine, job: Job): Promise<void> {
  let end: { result?: unknown; failure?: Failure };
  try {
    end = { result: await run(vcpu, machine, job) };
  } catch (error) {
    end = { failure: failureOf(error) };
  }
  const about = {
    kind: 'done',
    id: job.id,
    tables: vcpu.tables!.capture(),
    lengths: vcpu.tables!.lengths,
  } as const;
  vcpu.tracer?.flush(); // the thread is terminated when the VM is closed
  try {
    post({ ...about, ...end });
  } catch (error) {
    const failure = failureOf(new DriverError(error)); // the result cannot be cloned
    post({ ...about, failure });
  }
}

async function importsOf(url: string): Promise<GuestImports> {
  const module = (await import(url)) as { imports(context: ImportContext): WebAssembly.Imports };
  return (context) => module.imports(context);
}

/** Carries the error of a driving module. */
class DriverError extends Error {
  constructor(thrown: unknown) {
    super(`a module that drives a fork threw: ${String(thrown)}`);
    try {
      this.cause = structuredClone(thrown);
    } catch {
      // only its text can be posted
    }
  }
}

/**
 * Points the vCPU at the snapshot, with the registers of its parent or of the previous call, and calls the
 * function.
 */
async function run(vcpu: Vcpu, machine: Machine, job: Job): Promise<unknown> {
  const { calls } = vcpu.kernel;
  const guest = vcpu.instance.exports;
  vcpu.syscalls.preopen = new Preopen(job.preopen);
  const releaseFiles = await prepareDirectory(job.preopen);
  const registers = registersOf(calls, machine.registers, job.slot);
  let isLoaded = false;
  calls.lookAt(job.slot + 1);
  try {
    checkState(calls, job.slot);
    calls.settleSnapshot(job.slot);
    machine.files ??= job.files;
    vcpu.files.lookAtSnapshot();
    if (vcpu.syscalls.wasi !== undefined) vcpu.syscalls.wasi.owner = job.owner;
    (guest['ringzero.load'] as GuestFunction)(registers);
    isLoaded = true;
    vcpu.tables!.apply(job.tables);
    (guest['ringzero.table'] as WebAssembly.Global).value = calls.snapshotTable(job.slot);
    const { call } = job;
    const result =
      'fn' in call
        ? vcpu.run('spawned function', () => vcpu.functionAt(call.fn)(call.arg))
        : 'module' in call
          ? await drive(new Fork(vcpu, job.slot, machine.memory), call.module, call.argument)
          : vcpu.function(call.name)(...call.args);
    checkState(calls, job.slot);
    return result;
  } finally {
    // Like memory: the next call on this snapshot starts with what this one left.
    if (isLoaded) (guest['ringzero.save'] as GuestFunction)(registers);
    calls.lookAt(0);
    vcpu.syscalls.closeAll();
    releaseFiles();
    if (job.release && calls.endSnapshot(job.slot, ENDING_SELF) !== 0)
      calls.releaseSnapshot(job.slot);
  }
}

async function drive(fork: Fork, url: string, argument: unknown): Promise<unknown> {
  try {
    const { main } = (await import(url)) as { main?: (fork: Fork, argument: unknown) => unknown };
    if (typeof main !== 'function')
      throw new RingzeroError('RZ_EXPORT', `${url} exports no function \`main\``);
    return await main(fork, argument);
  } catch (error) {
    throw error instanceof RingzeroError ? error : new DriverError(error);
  } finally {
    fork.end();
  }
}

/** What the parent of a spawned function learns about its end. */
const ERRNO = new Map<string, number>([
  ['RZ_SNAPSHOT_LOST', ENOMEM],
  ['RZ_SNAPSHOT_STOPPED', EINTR],
]);

function failureOf(error: unknown): Failure {
  const { message, stack } = error as Error;
  const code = error instanceof RingzeroError ? error.code : 'RZ_GUEST_TRAP';
  return {
    code,
    message,
    stack,
    errno: ERRNO.get(code) ?? EIO,
    exitCode: error instanceof ProgramExit ? error.exitCode : undefined,
    thrown: error instanceof DriverError ? error.cause : undefined,
  };
}

await main();
