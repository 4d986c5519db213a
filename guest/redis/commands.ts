// The order in which the commands enter the table, and the documentation of those that belong to no type.

import * as clients from './server/client-command.ts';
import * as clusters from './server/cluster-command.ts';
import * as commands from './server/command-command.ts';
import * as configs from './server/config-command.ts';
import * as connections from './server/connection-command.ts';
import * as databases from './keys/database-command.ts';
import * as debugs from './server/debug-command.ts';
import * as docs from './command/docs/record.ts';
import * as infos from './server/info-command.ts';
import * as keys from './keys/keys-command.ts';
import * as latencies from './server/latency-command.ts';
import * as memories from './server/memory-command.ts';
import * as monitors from './server/monitor-command.ts';
import * as scans from './keys/scan-command.ts';
import * as servers from './server/server-command.ts';
import * as transactions from './server/transaction-command.ts';
import { registerTypes } from './types/index.ts';
import { CLUSTER_DOCS } from './command/docs/cluster.ts';
import { CONNECTION_DOCS } from './command/docs/connection.ts';
import { GENERIC_DOCS } from './command/docs/generic.ts';
import { SERVER_DOCS } from './command/docs/server.ts';
import { TRANSACTION_DOCS } from './command/docs/transaction.ts';

export function registerAll(): void {
  registerTypes();
  keys.register();
  scans.register();
  databases.register();
  transactions.register();
  connections.register();
  clients.register();
  clusters.register();
  commands.register();
  configs.register();
  servers.register();
  infos.register();
  memories.register();
  monitors.register();
  debugs.register();
  latencies.register();
  document();
}

function document(): void {
  docs.add('generic', GENERIC_DOCS);
  docs.add('transactions', TRANSACTION_DOCS);
  docs.add('connection', CONNECTION_DOCS);
  docs.add('cluster', CLUSTER_DOCS);
  docs.add('server', SERVER_DOCS);
}
