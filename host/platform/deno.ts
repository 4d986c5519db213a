// Where Deno differs from Node. Deno has Node's modules, so node.ts serves both and calls these functions
// where they differ:
//
//   descriptors belong to a thread, not to the process           nameOf(), adopt(): each thread opens the file itself
//   no 'exit' event after an uncaught error                       onThreadEnd()
//   unlink() removes directories as well                          unlink()
//   prompts the user for permissions that were not given          isGranted(), before anything optional
//   /proc is readable only with all permissions                   mayReadProc
//   an address that the machine does not have is EINVAL           listenError()
//   process.hrtime() starts at 0 in each thread                   clockStartMs in trace-file.ts
//   a message to a thread without a listener is lost              threads listen before they wait for anything else
//
// Interface   Outside Deno nothing is remembered, nameOf() is undefined, and everything is granted.
// Cost        nameOf() one fstat, adopt() an open and an fstat; once per file and thread.

import { closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';

export const isDeno = 'Deno' in globalThis;

interface Permissions {
  querySync(permission: Record<string, string>): { state: string };
}

const { permissions } = (globalThis as { Deno?: { permissions: Permissions } }).Deno ?? {};

/** Whether a permission is granted without a prompt, such as { name: 'sys', kind: 'hostname' }. */
export function isGranted(permission: Record<string, string>): boolean {
  return permissions === undefined || permissions.querySync(permission).state === 'granted';
}

/** An environment variable of this project's tests; undefined where Deno does not grant access to it. */
export function choice(variable: string): string | undefined {
  return isGranted({ name: 'env', variable }) ? process.env[variable] : undefined;
}

const EVERYTHING = ['read', 'write', 'net', 'env', 'run', 'sys', 'ffi'];
export const mayReadProc = EVERYTHING.every((name) => isGranted({ name }));

/** Removes a file or link. Fails with EISDIR for a directory. */
export function unlink(path: string): void {
  if (isDeno && lstatSync(path).isDirectory())
    throw Object.assign(new Error(`EISDIR: ${path} is a directory`), { code: 'EISDIR' });
  unlinkSync(path);
}

/** The error of a failed listen, with the code that Node gives it. */
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

/** Whether a removed file can still be opened, through /proc. */
const hasDescriptors = isDeno && process.platform === 'linux' && mayReadProc;

/** A name under which another thread can open the same file; undefined where it can use the descriptor. */
export function nameOf(descriptor: number): string | undefined {
  const file = opened.get(descriptor);
  return file && JSON.stringify({ ...file, descriptor, ...identityOf(descriptor) } satisfies Name);
}

/**
 * A descriptor of this thread for a file that another thread has open. EBADF when the path now names another
 * file.
 */
export function adopt(name: string, open: (path: string, flags: number) => number): number {
  const { path, flags, descriptor: other, device, inode } = JSON.parse(name) as Name;
  const descriptor = open(hasDescriptors ? `/proc/self/fd/${other}` : path, flags);
  const found = identityOf(descriptor);
  if (found.device === device && found.inode === inode) return descriptor;
  closeSync(descriptor);
  throw Object.assign(new Error(`${path} now names another file`), { code: 'EBADF' });
}

function identityOf(descriptor: number): { device: string; inode: string } {
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return { device: String(dev), inode: String(ino) };
}

/**
 * Calls `then` once, when this thread ends normally or by an uncaught error. Returns a function that cancels
 * it.
 */
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
