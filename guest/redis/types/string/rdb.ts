// Strings in RDB files.

import * as entry from '../../keyspace/entry.ts';
import * as format from '../../rdb/format.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as number from '../../bytes/number.ts';
import * as reader from '../../rdb/reader.ts';
import * as value from './value.ts';
import * as writer from '../../rdb/writer.ts';
import { slab } from '../../../../assembly/index.ts';

/** Makes a key of a string; the entry, or 0 after a failure. */
export function loadValue(form: u32, key: u32, keyBytes: u32): u32 {
  const head = reader.head();
  if (reader.hasFailed()) return 0;
  if (head == reader.INTEGER) return ofInteger(key, keyBytes, reader.integerValue);
  const bytes = reader.stringBytes;
  const made = entry.reserve(keyBytes, bytes);
  if (made == 0) {
    reader.failMemory();
    return 0;
  }
  memory.copy(entry.key(made), key, keyBytes);
  if (reader.fetch(head, entry.value(made))) {
    if (bytes <= 20 && number.parse(entry.value(made), bytes)) {
      slab.free(made);
      return ofInteger(key, keyBytes, number.parsed);
    }
    if (keyspace.add(made, value.STRING, value.encodingOf(bytes))) return made;
    reader.failMemory();
  }
  slab.free(made);
  return 0;
}

function ofInteger(key: u32, keyBytes: u32, number_: i64): u32 {
  const made = keyspace.insert(key, keyBytes, value.STRING, value.INT, 8);
  if (made == 0) reader.failMemory();
  else store<i64>(entry.value(made), number_);
  return made;
}

/** Writes a string: integers in their short form. */
export function saveValue(found: u32, key: u32, keyBytes: u32, at: u32): void {
  if (entry.encoding(found) != value.INT)
    return writer.pair(key, keyBytes, entry.valueBytes(found));
  writer.byte(format.TYPE_STRING);
  writer.text(key, keyBytes);
  writer.integer(load<i64>(at));
}
