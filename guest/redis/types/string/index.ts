// Strings, as the rest of the server sees them. A string's value is in its entry alone.

import * as arithmetic from './arithmetic.ts';
import * as commands from './commands.ts';
import * as digest from '../../bytes/digest.ts';
import * as docs from '../../command/docs/record.ts';
import * as format from '../../rdb/format.ts';
import * as rdb from './rdb.ts';
import * as set from './set.ts';
import * as type from '../../keyspace/type.ts';
import * as value from './value.ts';
import { STRING_DOCS } from './docs.ts';

export function register(): void {
  type.define(value.STRING, 'string', value.encodingName, rdb.saveValue, addToDigest);
  type.defineForm(format.TYPE_STRING, rdb.loadValue);
  set.register();
  arithmetic.register();
  commands.register();
  docs.add('string', STRING_DOCS);
}

function addToDigest(found: u32, to: u32): void {
  value.read(found);
  digest.mix(to, value.textAt, value.textBytes);
}
