// The order in which the commands enter the table.

import * as clients from './server/client-command.ts';
import * as clusters from './server/cluster-command.ts';
import * as commands from './server/command-command.ts';
import * as configs from './server/config-command.ts';
import * as connections from './server/connection-command.ts';
import * as databases from './keys/database-command.ts';
import * as debugs from './server/debug-command.ts';
import * as hash from './types/hash/value.ts';
import * as hashNumbers from './types/hash/arithmetic.ts';
import * as hashWalks from './types/hash/walk.ts';
import * as hashes from './types/hash/commands.ts';
import * as scans from './keys/scan-command.ts';
import * as infos from './server/info-command.ts';
import * as keys from './keys/keys-command.ts';
import * as latencies from './server/latency-command.ts';
import * as memories from './server/memory-command.ts';
import * as servers from './server/server-command.ts';
import * as strings from './types/string/commands.ts';
import * as transactions from './server/transaction-command.ts';

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
