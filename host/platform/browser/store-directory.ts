// What a store needs from a browser: its directory in the origin private file system. Same interface as
// ../store-directory.ts, except that most of it returns promises.

import { checkHasFiles } from './platform.ts';
import { directoryAt, split, withCode } from './files.ts';

const LOCK = 'lock';

async function attempt<T>(what: string, path: string, body: () => Promise<T>): Promise<T> {
  checkHasFiles();
  try {
    return await body();
  } catch (error) {
    throw withCode(error, `${what} ${path}`);
  }
}

export const directory = {
  /** With its parents. */
  make: (path: string): Promise<void> =>
    attempt('make', path, async () => void (await directoryAt(path, true))),
  removeIfEmpty: (path: string): Promise<void> =>
    attempt('remove', path, async () => {
      const [folder, name] = split(path);
      try {
        await (await directoryAt(path)).removeEntry(LOCK).catch(() => {}); // it is empty
        await (await directoryAt(folder)).removeEntry(name);
      } catch (error) {
        if ((error as Error).name !== 'InvalidModificationError') throw error;
      }
    }),
  /** Bytes of a file; undefined when there is none. */
  sizeOf: (path: string): Promise<number | undefined> =>
    attempt('look at', path, async () => {
      const [folder, name] = split(path);
      try {
        const file = await (await directoryAt(folder)).getFileHandle(name);
        return (await file.getFile()).size;
      } catch (error) {
        if ((error as Error).name === 'NotFoundError') return undefined;
        throw error;
      }
    }),
  /** Creates an empty file unless it exists. */
  create: (path: string): Promise<void> =>
    attempt('create', path, async () => {
      const [folder, name] = split(path);
      await (await directoryAt(folder)).getFileHandle(name, { create: true });
    }),
  /** A browser makes names durable by itself. */
  sync: (_path: string): void => {},
  unlink: (path: string): Promise<void> =>
    attempt('remove', path, async () => {
      const [folder, name] = split(path);
      await (await directoryAt(folder)).removeEntry(name);
    }),
};

/** The name of an error, such as ENOENT. */
export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** A browser ends threads without notice. */
export function atExit(_then: () => void): () => void {
  return () => {};
}
