// DEBUG POPULATE: many keys at once, for tests and measurements.

import * as args from '../wire/args.ts';
import * as entry from '../keyspace/entry.ts';
import * as errors from '../command/errors.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as number from '../bytes/number.ts';
import * as reply from '../wire/reply.ts';
import * as strings from '../types/string/value.ts';
import { copy } from '../bytes/copy.ts';
import { safepoint } from '../../../assembly/index.ts';

const KEY_MAX: u32 = 512;
const KEY: usize = memory.data(544, 8); // prefix, colon, number
const VALUE: usize = memory.data(32, 8);
const BATCH: i64 = 1024; // keys between two safepoints

function readPositive(index: u32): bool {
  if (args.isInteger(index) && number.parsed >= 0) return true;
  reply.error('ERR value is out of range, must be positive');
  return false;
}

function putAscii(at: usize, literal: string): u32 {
  const bytes = <u32>literal.length;
  for (let i: u32 = 0; i < bytes; i++) {
    store<u8>(at + i, load<u8>(changetype<u32>(literal) + (i << 1)));
  }
  return bytes;
}

/**
 * Creates one key; false if out of memory. Its value is value:N, cut or filled up with zeros to
 * `size`.
 */
function create(keyBytes: u32, n: i64, size: u32): bool {
  const head = putAscii(VALUE, 'value:');
  const textBytes = head + number.format(<u32>VALUE + head, n);
  const valueBytes = size == 0 ? textBytes : size;
  const encoding = strings.encodingOf(valueBytes);
  const made = keyspace.insert(<u32>KEY, keyBytes, strings.STRING, encoding, valueBytes);
  if (made == 0) return false;
  const to = entry.value(made);
  const kept = min(valueBytes, textBytes);
  copy(to, <u32>VALUE, kept);
  memory.fill(to + kept, 0, valueBytes - kept);
  keyspace.signalModified(<u32>KEY, keyBytes);
  return true;
}

/** DEBUG POPULATE count [prefix] [size] */
export function run(): void {
  if (!readPositive(2)) return;
  const count = number.parsed;
  let size: u32 = 0;
  if (args.count() == 5) {
    if (!readPositive(4)) return;
    size = <u32>min<i64>(number.parsed, 0xe0000000);
  }
  let prefix = putAscii(KEY, 'key');
  if (args.count() > 3) {
    if (args.len(3) > KEY_MAX) return reply.error('ERR the prefix is too long');
    prefix = args.len(3);
    memory.copy(KEY, args.ptr(3), prefix);
  }
  store<u8>(KEY + prefix, 58);
  for (let n: i64 = 0; n < count; n++) {
    const keyBytes = prefix + 1 + number.format(<u32>KEY + prefix + 1, n);
    if (keyspace.peek(<u32>KEY, keyBytes) != 0) continue;
    if (!create(keyBytes, n, size)) return errors.outOfMemory();
    if (n % BATCH == 0) safepoint();
  }
  reply.ok();
}
