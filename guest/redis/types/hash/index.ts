// Hashes, as the rest of the server sees them.

import * as arithmetic from './arithmetic.ts';
import * as commands from './commands.ts';
import * as digest from '../../bytes/digest.ts';
import * as docs from '../../command/docs/record.ts';
import * as format from '../../rdb/format.ts';
import * as rdb from './rdb.ts';
import * as type from '../../keyspace/type.ts';
import * as value from './value.ts';
import * as walk from './walk.ts';
import { HASH_DOCS } from './docs.ts';

const FIELD: usize = memory.data(20, 4); // the digest of a field and its value

export function register(): void {
  type.define(value.HASH, 'hash', value.encodingName, rdb.saveValue, addToDigest);
  type.defineOutside(
    value.HASH,
    value.free,
    value.duplicate,
    value.bytesOutside,
    value.effort,
    value.drainStep,
  );
  type.defineForm(format.TYPE_HASH, rdb.loadValue);
  type.defineForm(format.TYPE_HASH_LISTPACK, rdb.loadValue);
  type.defineForm(format.TYPE_HASH_ZIPLIST, rdb.loadValue);
  type.defineForm(format.TYPE_HASH_ZIPMAP, rdb.loadValue);
  commands.register();
  arithmetic.register();
  walk.register();
  docs.add('hash', HASH_DOCS);
}

/** Fields have no order: each is combined with its value mixed in. */
function addToDigest(found: u32, to: u32): void {
  for (let more = value.begin(found); more; more = value.advance()) {
    digest.clear(<u32>FIELD);
    value.readField();
    digest.mix(<u32>FIELD, value.textAt, value.textBytes);
    value.readValue();
    digest.mix(<u32>FIELD, value.textAt, value.textBytes);
    digest.combine(to, <u32>FIELD, digest.BYTES);
  }
}
