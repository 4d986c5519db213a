// Options of a user-defined function, and what they may be.

import { refuse, RingzeroError } from '../errors.ts';

/** What `Udf.compile` is given: the limits of a function. */
export interface UdfOptions {
  /** Memory that the module may have, in pages of 64 KiB (default 32, 2 MiB). */
  memoryPages?: number;
  /**
   * What a call may use up: a unit for each call and for each round of a loop, and another for every 64 bytes of code in it. The same
   * call always uses the same. Default 10 million, about 20 ms of small loops.
   */
  fuel?: number;
  /** Instead of `fuel`: milliseconds that a call may take. Looked at every 65536 units, so it may take a little longer. */
  timeMs?: number;
}

/** Options with what they are by default. */
export interface UdfLimits {
  readonly memoryPages: number;
  readonly fuel: number;
  /** Infinity when fuel limits the call. */
  readonly timeMs: number;
}

const MEMORY_PAGES = 32;
const MEMORY_PAGES_MAX = 16384;
const FUEL = 10_000_000;
const TIME_MS_MAX = 3_600_000;

/** Throws RZ_OPTION. */
export function limitsOf(options: UdfOptions): UdfLimits {
  const { memoryPages = MEMORY_PAGES, fuel, timeMs } = options;
  check('memoryPages', memoryPages, MEMORY_PAGES_MAX, Number.isInteger(memoryPages));
  if (timeMs !== undefined) {
    if (fuel !== undefined)
      throw new RingzeroError('RZ_OPTION', "give a function either 'fuel' or 'timeMs'");
    check('timeMs', timeMs, TIME_MS_MAX, true);
    return { memoryPages, fuel: Infinity, timeMs };
  }
  if (fuel !== undefined) check('fuel', fuel, Number.MAX_SAFE_INTEGER, Number.isInteger(fuel));
  return { memoryPages, fuel: fuel ?? FUEL, timeMs: Infinity };
}

function check(name: string, value: unknown, most: number, isRight: boolean): void {
  if (typeof value === 'number' && isRight && value > 0 && value <= most) return;
  refuse(name, value, `above 0, up to ${most}`);
}
