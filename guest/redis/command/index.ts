// The order in which the commands enter the table.

import * as hash from './hash.ts';
import * as databases from './database.ts';
import * as keys from './keys.ts';
import * as strings from './string.ts';
import * as transactions from './transaction.ts';

export function registerAll(): void {
  strings.register();
  keys.register();
  databases.register();
  hash.register();
  transactions.register();
}
