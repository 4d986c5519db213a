// HINCRBY and HINCRBYFLOAT.

import * as args from '../../wire/args.ts';
import * as command from '../../command/command.ts';
import * as errors from '../../command/errors.ts';
import * as hash from './value.ts';
import * as longDouble from '../../bytes/long-double.ts';
import * as number from '../../bytes/number.ts';
import * as reply from '../../wire/reply.ts';
import * as target from './target.ts';

const TEXT: usize = memory.data(4960, 8); // longDouble.FORMAT_MAX

export function register(): void {
  const flags = command.WRITE | command.DENYOOM | command.FAST;
  target.define('hincrby', hincrby, 4, flags);
  target.define('hincrbyfloat', hincrbyfloat, 4, flags);
}

/** True when the target has the field; its value is the chosen text. */
function hasOld(): bool {
  const found = target.opened;
  if (found == 0 || !hash.find(found, args.ptr(2), args.len(2))) return false;
  hash.readValue();
  return true;
}

/** HINCRBY key field increment */
function hincrby(): void {
  if (!args.isInteger(3)) return errors.notInteger();
  const increment = number.parsed;
  if (!target.open()) return;
  let old: i64 = 0;
  if (hasOld()) {
    if (!number.parse(hash.textAt, hash.textBytes)) {
      return reply.error('ERR hash value is not an integer');
    }
    old = number.parsed;
  }
  const sum = old + increment;
  if (increment < 0 ? sum > old : sum < old) {
    return reply.error('ERR increment or decrement would overflow');
  }
  const bytes = number.format(<u32>TEXT, sum);
  if (target.setOne(args.ptr(2), args.len(2), <u32>TEXT, bytes)) reply.integer(sum);
}

/** HINCRBYFLOAT key field increment */
function hincrbyfloat(): void {
  const kind = longDouble.parse(args.ptr(3), args.len(3), longDouble.SECOND);
  if (kind == longDouble.INVALID) return reply.error('ERR value is not a valid float');
  if (kind == longDouble.INFINITE) return reply.error('ERR value is NaN or Infinity');
  if (!target.open()) return;
  let oldKind = longDouble.FINITE;
  if (hasOld()) oldKind = longDouble.parse(hash.textAt, hash.textBytes, longDouble.FIRST);
  else longDouble.setZero(longDouble.FIRST);
  if (oldKind == longDouble.INVALID) return reply.error('ERR hash value is not a float');
  if (
    oldKind == longDouble.INFINITE ||
    longDouble.add(longDouble.FIRST, longDouble.SECOND) != longDouble.FINITE
  ) {
    return reply.error('ERR increment would produce NaN or Infinity');
  }
  const bytes = longDouble.format(<u32>TEXT, longDouble.FIRST);
  if (target.setOne(args.ptr(2), args.len(2), <u32>TEXT, bytes)) reply.bulk(<u32>TEXT, bytes);
}
