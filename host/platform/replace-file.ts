// Replaces a whole file atomically: a reader finds the old text or the new one.

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

const MODE = 0o644;

/** The bytes of a file as Latin-1; '' when it does not exist. Fails as the system does. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Replaces a file by Latin-1 text. It is on disk when the function returns, and keeps its permissions. Fails
 * as the system does.
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}-${Date.now()}.tmp`;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? MODE;
  const file = openSync(temporary, 'wx', mode & 0o777);
  try {
    try {
      writeSync(file, text, null, 'latin1');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
