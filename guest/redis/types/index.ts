// The types of values: one line each.
//
// A new type is a folder here and its line in registerTypes(). The folder has
//   index.ts     register(): its row (keyspace/type.ts), its commands and their documentation
//   value.ts     the type's number (entry.TYPE_FIRST plus Redis's own), encodings, reads and changes
//   rdb.ts       loadValue() for each form that RDB files have of it, saveValue() in the form of Redis 7.0
//   commands.ts  the commands, in more files when they are many
//   docs.ts      what COMMAND DOCS says of them, in the notation of command/docs/record.ts
// Nothing else changes, except docs/redis.md, which lists the commands: walks, expiry, eviction, background
// freeing, COPY, OBJECT, MEMORY USAGE, TYPE, SCAN ... TYPE, DEBUG DIGEST, saving and loading ask the row.
// Containers that know no keys go to structure/; memory outside the entry is allocated with heap.KIND_VALUE.
// config/option-table.ts already has the options of all types of Redis 7.0: config.named() finds them.

import * as hash from './hash/index.ts';
import * as string from './string/index.ts';

export function registerTypes(): void {
  string.register();
  hash.register();
}
