// What a store needs from Node: its directory, identities of processes, and a callback before this process
// ends.

import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';
import { isGranted, mayReadProc, onThreadEnd, unlink } from './deno.ts';
import { hasThreadEnded } from './node.ts';
import { onSignal } from './signals.ts';

/**
 * Creates a directory with its parents, of which Deno may not let us test an existing one. Not with
 * mkdirSync's recursion, which never ends where a directory refuses with ENOENT, as /proc does.
 */
function makeDirectory(path: string): void {
  if (madeOne(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path);
  syncParent(path);
}

/** False when its parent does not exist. */
function madeOne(path: string): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return true;
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  syncParent(path);
  return true;
}

/** A power loss must not take the directory, and with it what was synced inside. */
function syncParent(path: string): void {
  try {
    syncDirectory(dirname(path));
  } catch (error) {
    // The parent may be unreadable for this user; a host may lack the call.
    if (!UNREADABLE.includes(codeOf(error)) && (error as Error).name !== 'NotCapable') throw error;
  }
}

const UNREADABLE = ['EACCES', 'EPERM', 'EISDIR', 'EINVAL'];

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Files by absolute path; every function throws the host's own error with a `code` such as ENOENT. */
export const directory = {
  make: makeDirectory,
  removeIfEmpty: (path: string): void => {
    try {
      rmdirSync(path);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error;
    }
  },
  /** Bytes of a file; undefined when there is none. */
  sizeOf: (path: string): number | undefined => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isFile())
      throw Object.assign(new Error(`${path} is not a file`), { code: 'EISDIR' });
    return found.size;
  },
  /** Creates an empty file unless it exists, where that must happen before a guest opens it: in a browser. */
  create: (_path: string): void => {},
  /** Makes names in the directory durable. */
  sync: syncDirectory,
  readText: (path: string): string => readFileSync(path, 'utf8'),
  writeText: (path: string, text: string): void => writeFileSync(path, text, { flag: 'wx' }),
  link: linkSync,
  rename: renameSync,
  unlink,
  exists: existsSync,
  list: (path: string): string[] => readdirSync(path),
  /** Identifies a file or directory independently of its name. */
  stamp: (path: string): { inode: string; modified: string } => {
    const { ino, mtimeNs } = lstatSync(path, { bigint: true });
    return { inode: String(ino), modified: String(mtimeNs) };
  },
};

/** The host's name of an error, such as ENOENT. */
export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** Identifies a process beyond its number, which may be reused. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from boot to its start; '' where the host does not say. */
  started: string;
  /** The boot of the machine that it runs on. */
  boot: string;
  /** The PID namespace of its number. */
  space: string;
  host: string;
  /** Which of its threads (thisThread()); undefined means all. */
  thread?: { id: number; start: number } | undefined;
}

function attempt(isAllowed: boolean, read: () => string): string {
  try {
    return isAllowed ? read() : '';
  } catch {
    return '';
  }
}

/** Fields 3, 20 and 22 of /proc/PID/stat; the name in field 2 may contain spaces and parentheses. */
function statOf(pid: number): { state: string; threads: string; started: string } {
  const text = attempt(mayReadProc, () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, threads: fields[17] ?? '', started: fields[19] ?? '' };
}

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    started: statOf(process.pid).started,
    boot: attempt(mayReadProc, () =>
      readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    ),
    space: attempt(mayReadProc, () => readlinkSync('/proc/self/ns/pid')),
    host: attempt(isGranted({ name: 'sys', kind: 'hostname' }), hostname),
  };
}

/**
 * Whether that thread may still run, or, without one, that process: 'unknown' when it cannot be seen from
 * here.
 */
export function livenessOf(other: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const own = thisProcess();
  if (own.boot === '' || other.boot !== own.boot) {
    if (own.host === '' || other.host !== own.host) return 'unknown';
    if (differ(other.boot, own.boot)) return 'dead';
  }
  if (other.space !== own.space) return 'unknown';
  if (other.pid !== own.pid && !isGranted({ name: 'run' })) return 'unknown';
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return 'dead';
  }
  const { state, threads, started } = statOf(other.pid);
  // A process whose parent does not wait for it stays a zombie, forever where process 1 is not an init. While
  // it has other threads they may still write.
  if (state === 'Z' && threads === '1') return 'dead';
  if (differ(other.started, started)) return 'dead';
  const { id, start } = other.thread ?? { id: 0, start: 0 };
  return id !== 0 && hasThreadEnded(id, start, other.pid) ? 'dead' : 'alive';
}

/** Facts that a host does not reveal (Deno without all permissions) are empty, and prove nothing. */
function differ(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other;
}

let names = 0;

/** A word that no other lock file of this machine has. */
export function uniqueWord(): string {
  return `${process.pid}-${threadId}-${Date.now().toString(36)}-${(names++).toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

/**
 * Calls `then` when this thread ends in order, or its process by a signal, unless the returned function is
 * called before.
 */
export function atExit(then: () => void): () => void {
  process.setMaxListeners(0);
  const undo = onThreadEnd(then);
  const undoSignals = onSignal(then);
  return () => {
    undo();
    undoSignals();
  };
}
