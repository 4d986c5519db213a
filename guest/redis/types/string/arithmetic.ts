// Counters: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.

import * as args from '../../wire/args.ts';
import * as command from '../../command/command.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as longDouble from '../../bytes/long-double.ts';
import * as number from '../../bytes/number.ts';
import * as reply from '../../wire/reply.ts';
import * as strings from './value.ts';
import { ACL_STRING, DENYOOM, FAST, WRITE } from '../../command/command.ts';

const TEXT: usize = memory.data(4960, 8); // longDouble.FORMAT_MAX

export function register(): void {
  const flags = WRITE | DENYOOM | FAST;
  command.define('incr', increment, 2, flags, 1, 1, 1, ACL_STRING);
  command.define('decr', decrement, 2, flags, 1, 1, 1, ACL_STRING);
  command.define('incrby', incrementBy, 3, flags, 1, 1, 1, ACL_STRING);
  command.define('decrby', decrementBy, 3, flags, 1, 1, 1, ACL_STRING);
  command.define('incrbyfloat', incrementByFloat, 3, flags, 1, 1, 1, ACL_STRING);
}

function increment(): void {
  change(1);
}

function decrement(): void {
  change(-1);
}

function incrementBy(): void {
  if (args.isInteger(2)) change(number.parsed);
  else errors.notInteger();
}

function decrementBy(): void {
  if (!args.isInteger(2)) return errors.notInteger();
  if (number.parsed == i64.MIN_VALUE) return reply.error('ERR decrement would overflow');
  change(-number.parsed);
}

function change(by: i64): void {
  const old = keyspace.lookupWrite(args.ptr(1), args.len(1));
  let value: i64 = 0;
  if (old != 0) {
    if (entry.type(old) != strings.STRING) return errors.wrongType();
    if (entry.encoding(old) == strings.INT) value = load<i64>(entry.value(old));
    else if (strings.isInteger(old)) value = number.parsed;
    else return errors.notInteger();
  }
  const sum = value + by;
  if (by < 0 ? sum > value : sum < value) {
    return reply.error('ERR increment or decrement would overflow');
  }
  if (strings.writeInteger(old, args.ptr(1), args.len(1), sum) == 0) return errors.outOfMemory();
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.integer(sum);
}

function incrementByFloat(): void {
  const old = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (old != 0 && entry.type(old) != strings.STRING) return errors.wrongType();
  let state: u32;
  if (old != 0) {
    strings.read(old);
    state = longDouble.parse(strings.textAt, strings.textBytes, longDouble.FIRST);
  } else {
    store<u8>(TEXT, 48);
    state = longDouble.parse(<u32>TEXT, 1, longDouble.FIRST);
  }
  const other = longDouble.parse(args.ptr(2), args.len(2), longDouble.SECOND);
  if (state == longDouble.INVALID || other == longDouble.INVALID)
    return reply.error('ERR value is not a valid float');
  if (
    state == longDouble.INFINITE ||
    other == longDouble.INFINITE ||
    longDouble.add(longDouble.FIRST, longDouble.SECOND) == longDouble.INFINITE
  ) {
    return reply.error('ERR increment would produce NaN or Infinity');
  }
  const bytes = longDouble.format(<u32>TEXT, longDouble.FIRST);
  if (strings.writeText(old, args.ptr(1), args.len(1), <u32>TEXT, bytes) == 0)
    return errors.outOfMemory();
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.bulk(<u32>TEXT, bytes);
}
