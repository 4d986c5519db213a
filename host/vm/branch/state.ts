// A program at a snapshot, as data for the thread of a branch.

import type { PlainGlobal } from './plain-module.ts';
import type { SideState } from '../side/side-module.ts';
import type { TableState } from '../tables.ts';
import type * as Wasm from '../../webassembly.ts';

export interface BranchState {
  /** Names the snapshot. */
  readonly id: number;
  /** The VM's physical memory. */
  readonly memory: Wasm.Memory;
  /** Bytes of guest memory. */
  readonly bytes: number;
  /** Address of the snapshot's page table. */
  readonly table: number;
  /** An earlier snapshot, still active, and the address of its page table. */
  readonly base: { readonly id: number; readonly table: number } | undefined;
  /** Pages of files in the VM, and the page after them. */
  readonly files: { readonly pages: number; readonly end: number };
  /** The program's mutable globals, as `ringzero.save` stores them. */
  readonly registers: Uint8Array;
  /** Its tables, where they differ from what the module declares. */
  readonly tables: TableState | undefined;
  /** The tables are those of the last state that the thread was sent, and are not sent again. */
  readonly hasSameTables?: boolean;
  /** What its glue has linked to it, in that order. */
  readonly sides: readonly SideState[];
}

/** What the thread of a branch starts with. */
export interface BranchThreadData {
  /** The plain module (plain-module.ts). */
  readonly module: Wasm.Module;
  readonly globals: readonly PlainGlobal[];
  /** Its code changes tables. */
  readonly changesTables: boolean;
  readonly memoryImport: { readonly module: string; readonly name: string } | undefined;
  /** Pages of 64 KiB of its memory: initial and maximum. */
  readonly pages: number;
  readonly maximumPages: number;
  /** The module of the file system, if the program has files. */
  readonly files: Uint8Array | undefined;
  /** The user's module. */
  readonly url: string;
}

/** To the thread. */
export type BranchRequest = { readonly id: number } & (
  | {
      readonly kind: 'become' | 'hold';
      readonly state: BranchState;
      readonly argument: unknown;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'end' }
);

/** From the thread. */
export type BranchReply = { readonly id: number } & (
  | { readonly kind: 'copied' }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly error: unknown }
);
