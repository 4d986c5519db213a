// Options of a user-defined function, and their bounds.

import { refuse, RingzeroError } from '../errors.ts';

/**
 * Options of `Udf.compile`: the limits of a function.
 *
 * @category UDF
 */
export interface UdfOptions {
  /** The most memory that the module may have, in pages of 64 KiB (default 32, 2 MiB). */
  memoryPages?: number;
  /**
   * Budget of a call: one unit per call and per iteration of a loop, and one for every 64 bytes of code in
   * it. The same call always uses the same amount. Default 10 million, about 20 ms of small loops.
   */
  fuel?: number;
  /**
   * Instead of `fuel`: milliseconds that a call may take. Tested every 65536 units, so a call may take
   * slightly longer.
   */
  timeMs?: number;
}

/** Options with their defaults. */
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
      throw new RingzeroError('RZ_OPTION', "a function takes either 'fuel' or 'timeMs', not both");
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
