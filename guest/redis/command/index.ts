// The order in which the commands enter the table.

import * as clients from './client.ts';
import * as clusters from './cluster.ts';
import * as commands from './command.ts';
import * as configs from './config.ts';
import * as connections from './connection.ts';
import * as databases from './database.ts';
import * as debugs from './debug.ts';
import * as hash from '../hash.ts';
import * as hashNumbers from './hash-number.ts';
import * as hashWalks from './hash-walk.ts';
import * as hashes from './hash.ts';
import * as scans from './scan.ts';
import * as infos from './info.ts';
import * as keys from './keys.ts';
import * as latencies from './latency.ts';
import * as memories from './memory.ts';
import * as servers from './server.ts';
import * as strings from './string.ts';
import * as transactions from './transaction.ts';

export function registerAll(): void {
  strings.register();
  keys.register();
  scans.register();
  databases.register();
  hash.register();
  hashes.register();
  hashNumbers.register();
  hashWalks.register();
  transactions.register();
  connections.register();
  clients.register();
  clusters.register();
  commands.register();
  configs.register();
  servers.register();
  infos.register();
  memories.register();
  debugs.register();
  latencies.register();
}
