// How many files and sockets the process may have open, and how many it has.

import { readdirSync, readFileSync } from 'node:fs';
import { mayReadProc } from './deno.ts';

/** Descriptors that a Node process has open before it listens, where the system does not tell. */
const USED_USUALLY = 32;

export interface Descriptors {
  /** The process's limit; undefined where there is none, or it is unknown. */
  most: number | undefined;
  used: number;
}

export function descriptors(): Descriptors {
  return { most: limit(), used: used() };
}

function used(): number {
  if (!mayReadProc) return USED_USUALLY;
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return USED_USUALLY;
  }
}

function limit(): number | undefined {
  if (mayReadProc && process.platform === 'linux') {
    try {
      const limits = readFileSync('/proc/self/limits', 'latin1');
      return finite(/^Max open files\s+(\S+)/m.exec(limits)?.[1]);
    } catch {
      // then from the diagnostic report
    }
  }
  interface Report {
    userLimits?: { open_files?: { soft?: number | string } };
  }
  const { report } = process as { report?: { getReport(): object } };
  return finite((report?.getReport() as Report | undefined)?.userLimits?.open_files?.soft);
}

function finite(text: number | string | undefined): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
