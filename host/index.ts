/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public interface of the package.
 *
 * @module ringzero
 */

export { MicroVM } from './vm/micro-vm.ts';
export type { AttachOptions, LoadOptions, MicroVMHandle, MicroVMOptions } from './vm/options.ts';
export type { BranchOptions, Program } from './vm/program.ts';
export type { Branch } from './vm/branch/branch.ts';
export type { ProgramBranch } from './vm/branch/program-branch.ts';
export type { FileEntry, Files, FileStat } from './files/files.ts';
export { ringzeroFS } from './vm/emscripten-files.ts';
export type {
  EmscriptenFS,
  EmscriptenNode,
  EmscriptenStream,
  FilesHolder,
} from './vm/emscripten-interface.ts';
export type { Usage } from './files/file-system.ts';
export { ProgramExit } from './wasi/exit.ts';
export type { WasiOptions } from './wasi/options.ts';
export {
  Scheduler,
  Tasks,
  type SchedulerOptions,
  type SubmitOptions,
  type TasksHandle,
} from './vm/scheduler.ts';
export type { Handlers } from './vm/handlers.ts';
export type { GuestImages } from './vm/images.ts';
export type { Fork } from './vm/fork.ts';
export type { ExportOptions, Snapshot } from './vm/snapshot.ts';
export type { ByteStream, StateSource } from './vm/state/source.ts';
export type { ModuleIdentity } from './translator/identity.ts';
export type { GuestExports, GuestFunction } from './vm/exports.ts';
export type { GuestImports, ImportContext, Machine } from './vm/machine.ts';
export type { Vcpu } from './vm/vcpu.ts';
export type { PoolStats, VMStats } from './vm/stats.ts';
export type { SyscallSink } from './syscalls/table.ts';
export {
  relocate,
  translate,
  translateMain,
  translateSnapshot,
  type ModuleInfo,
  type RelocateOptions,
  type TranslateOptions,
  type Translation,
  type WriteStatistics,
} from './translator/index.ts';
export { Faults, type FaultRates } from './io/faults.ts';
export { Udf, type UdfResult } from './udf/udf.ts';
export type { UdfOptions } from './udf/options.ts';
export { acceptSharedViews } from './shared-views.ts';
export { RingzeroError, type RingzeroErrorCode } from './errors.ts';
