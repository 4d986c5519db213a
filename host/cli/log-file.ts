// Files that `ringzero serve` keeps: the log, and the process id.

import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { RingzeroError } from '../errors.ts';
import type { LogTarget } from '../redis/log.ts';

const STANDARD_OUTPUT: LogTarget = {
  write: (text) => void process.stdout.write(text),
  isTerminal: process.stdout.isTTY === true,
};

/**
 * Where the log goes: a file that is opened for each line, so that it may be moved, or standard output for
 * ''.
 */
export function logTarget(path: string): LogTarget {
  if (path === '') return STANDARD_OUTPUT;
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    throw new RingzeroError(
      'RZ_OPTION',
      `Can't open the log file '${path}' (option logfile): ${(error as Error).message}`,
      { cause: error },
    );
  }
  return { write: (text) => append(path, text), isTerminal: false };
}

function append(path: string, text: string): void {
  try {
    const file = openSync(path, 'a');
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
  } catch {
    // A log that cannot be written must not end the server.
  }
}

/** Writes the process id to a file. Returns why that failed, or undefined. */
export function writePidFile(path: string): string | undefined {
  try {
    writeFileSync(path, `${process.pid}\n`);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}
