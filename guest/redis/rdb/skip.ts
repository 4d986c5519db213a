// Values of types that this server does not have: read over, so that the rest of a file can be loaded.

import * as format from './format.ts';
import * as reader from './reader.ts';

// Opcodes in the values of modules.
const MODULE_EOF: u64 = 0;
const MODULE_SIGNED: u64 = 1;
const MODULE_UNSIGNED: u64 = 2;
const MODULE_FLOAT: u64 = 3;
const MODULE_DOUBLE: u64 = 4;
const MODULE_STRING: u64 = 5;

/**
 * Reads over a value; false after a failure, an unknown type included. Each turn of a loop here uses up
 * bytes.
 */
export function value(type: u32): bool {
  switch (type) {
    case format.TYPE_STRING:
    case format.TYPE_HASH_ZIPMAP:
    case format.TYPE_LIST_ZIPLIST:
    case format.TYPE_SET_INTSET:
    case format.TYPE_ZSET_ZIPLIST:
    case format.TYPE_HASH_ZIPLIST:
    case format.TYPE_HASH_LISTPACK:
    case format.TYPE_ZSET_LISTPACK:
      return reader.skipString();
    case format.TYPE_LIST:
    case format.TYPE_SET:
    case format.TYPE_LIST_QUICKLIST:
      return strings(reader.length(), 1);
    case format.TYPE_HASH:
      return strings(reader.length(), 2);
    case format.TYPE_ZSET:
      return scored(false);
    case format.TYPE_ZSET_2:
      return scored(true);
    case format.TYPE_LIST_QUICKLIST_2:
      return nodes();
    case format.TYPE_STREAM:
      return stream(false);
    case format.TYPE_STREAM_2:
      return stream(true);
    case format.TYPE_MODULE_2:
      reader.length();
      return moduleValue();
    default:
      return reader.fail('unknown or unsupported object type');
  }
}

function strings(count: u64, each: u32): bool {
  for (; count > 0; count--) {
    for (let i: u32 = 0; i < each; i++) if (!reader.skipString()) return false;
  }
  return !reader.hasFailed();
}

/**
 * Members with scores: 8 bytes, or in old files a length and as much text, 253 to 255 standing for no
 * numbers.
 */
function scored(isBinary: bool): bool {
  for (let count = reader.length(); count > 0; count--) {
    if (!reader.skipString()) return false;
    let bytes: u32 = 8;
    if (!isBinary) {
      bytes = reader.byte();
      if (bytes >= 253) bytes = 0;
    }
    if (!reader.skip(bytes)) return false;
  }
  return !reader.hasFailed();
}

function nodes(): bool {
  for (let count = reader.length(); count > 0; count--) {
    reader.length();
    if (!reader.skipString()) return false;
  }
  return !reader.hasFailed();
}

function lengths(count: u32): bool {
  for (; count > 0; count--) reader.length();
  return !reader.hasFailed();
}

/** Listpacks of entries; length and last id; groups with their pending entries and consumers. */
function stream(isSecond: bool): bool {
  if (!strings(reader.length(), 2) || !lengths(isSecond ? 8 : 3)) return false;
  for (let groups = reader.length(); groups > 0; groups--) {
    if (!reader.skipString() || !lengths(isSecond ? 3 : 2)) return false;
    for (let pending = reader.length(); pending > 0; pending--) {
      if (!reader.skip(24)) return false; // id and time of delivery
      reader.length();
    }
    for (let consumers = reader.length(); consumers > 0; consumers--) {
      if (!reader.skipString() || !reader.skip(8)) return false;
      for (let pending = reader.length(); pending > 0; pending--)
        if (!reader.skip(16)) return false;
    }
  }
  return !reader.hasFailed();
}

/** What a module has written, up to its end mark. */
export function moduleValue(): bool {
  while (!reader.hasFailed()) {
    const opcode = reader.length();
    if (opcode == MODULE_EOF) return !reader.hasFailed();
    if (opcode == MODULE_SIGNED || opcode == MODULE_UNSIGNED) reader.length();
    else if (opcode == MODULE_FLOAT) reader.skip(4);
    else if (opcode == MODULE_DOUBLE) reader.skip(8);
    else if (opcode == MODULE_STRING) reader.skipString();
    else reader.fail('unknown opcode in the value of a module');
  }
  return false;
}
