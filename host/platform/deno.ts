// What Deno does otherwise than Node. It has Node's modules, so node.ts serves both, and asks here where they differ:
//
//   a descriptor is a number of its thread, not of the process   nameOf(), adopt(): each thread opens the file for itself
//   no 'exit' event after an error that nobody caught             onThreadEnd()
//   unlink() removes directories as well                          unlink()
//   asks its user for what a program was not given                isGranted(), before anything that can be done without
//   /proc is readable only by who may do everything               mayReadProc
//   an address that the machine lacks is EINVAL                   listenError()
//   process.hrtime() begins anew in each thread                   clockStartMs in trace-file.ts
//   a message that finds no listener in its thread is lost        threads listen before they wait for anything else
//
// Interface   Elsewhere than in Deno nothing is remembered, nameOf() is undefined, and everything is granted.
// Cost        nameOf() one fstat, adopt() an open and an fstat; once a file and thread.

import { closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';

export const isDeno = 'Deno' in globalThis;

interface Permissions {
  querySync(permission: Record<string, string>): { state: string };
}

const { permissions } = (globalThis as { Deno?: { permissions: Permissions } }).Deno ?? {};

/** Whether the host gives this without asking anybody, such as { name: 'sys', kind: 'hostname' }. */
export function isGranted(permission: Record<string, string>): boolean {
  return permissions === undefined || permissions.querySync(permission).state === 'granted';
}

const EVERYTHING = ['read', 'write', 'net', 'env', 'run', 'sys', 'ffi'];
export const mayReadProc = EVERYTHING.every((name) => isGranted({ name }));

/** Removes a file or link. Fails with EISDIR for a directory. */
export function unlink(path: string): void {
  if (isDeno && lstatSync(path).isDirectory())
    throw Object.assign(new Error(`EISDIR: ${path} is a directory`), { code: 'EISDIR' });
  unlinkSync(path);
}

/** What listening at an address failed with, by the code that Node gives it. */
export function listenError(error: unknown): unknown {
  const isMisnamed = isDeno && (error as { code?: unknown }).code === 'EINVAL';
  return isMisnamed ? Object.assign(error as Error, { code: 'EADDRNOTAVAIL' }) : error;
}

interface Opened {
  path: string;
  flags: number;
}

interface Name extends Opened {
  descriptor: number;
  device: string;
  inode: string;
}

const opened = new Map<number, Opened>();

export function remember(descriptor: number, path: string, flags: number): void {
  if (isDeno) opened.set(descriptor, { path, flags });
}

export function forget(descriptor: number): void {
  if (isDeno) opened.delete(descriptor);
}

/** A file without a name, one that was removed, can be opened only so. */
const hasDescriptors = isDeno && process.platform === 'linux' && mayReadProc;

/** By what another thread can open the same file; undefined where it can use the descriptor. */
export function nameOf(descriptor: number): string | undefined {
  const file = opened.get(descriptor);
  return file && JSON.stringify({ ...file, descriptor, ...identityOf(descriptor) } satisfies Name);
}

/** A descriptor of this thread for what another has open. EBADF when there is another file under that path by now. */
export function adopt(name: string, open: (path: string, flags: number) => number): number {
  const { path, flags, descriptor: other, device, inode } = JSON.parse(name) as Name;
  const descriptor = open(hasDescriptors ? `/proc/self/fd/${other}` : path, flags);
  const found = identityOf(descriptor);
  if (found.device === device && found.inode === inode) return descriptor;
  closeSync(descriptor);
  throw Object.assign(new Error(`${path} is another file by now`), { code: 'EBADF' });
}

function identityOf(descriptor: number): { device: string; inode: string } {
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return { device: String(dev), inode: String(ino) };
}

/** Calls `then` once, when this thread ends by itself or by an error that nobody catches; the result takes that back. */
export function onThreadEnd(then: () => void): () => void {
  const undo = (): void => {
    process.off('exit', end);
    if (!isDeno) return;
    removeEventListener('error', failed);
    removeEventListener('unhandledrejection', failed);
    removeEventListener('unload', end);
  };
  const end = (): void => {
    undo();
    then();
  };
  const failed = (event: Event): void => {
    if (!event.defaultPrevented && process.listenerCount('uncaughtException') === 0) end();
  };
  process.on('exit', end);
  if (isDeno) {
    addEventListener('error', failed);
    addEventListener('unhandledrejection', failed);
    addEventListener('unload', end); // Deno.exit()
  }
  return undo;
}
