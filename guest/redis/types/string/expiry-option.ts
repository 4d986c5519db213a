// When a key is to end, as commands say it: relative or absolute, in seconds or milliseconds.

import * as args from '../../wire/args.ts';
import * as clock from '../../border/clock.ts';
import * as dispatch from '../../run/dispatch.ts';
import * as errors from '../../command/errors.ts';
import * as number from '../../bytes/number.ts';

/** Reads an argument that must be positive, as SET and GETEX want; false after an error reply. */
export function read(index: u32, isSeconds: bool, isAbsolute: bool): bool {
  if (!args.isInteger(index)) {
    errors.notInteger();
    return false;
  }
  let when = number.parsed;
  let isValid = when > 0 && !(isSeconds && when > i64.MAX_VALUE / 1000);
  if (isValid) {
    if (isSeconds) when *= 1000;
    if (!isAbsolute) when += clock.ms();
    isValid = when > 0;
  }
  if (!isValid) errors.invalidExpire(dispatch.row());
  endMs = when;
  return isValid;
}

/** Unix time in ms. Set by read() when it returns true, valid until its next call. */
export let endMs: i64 = 0;
