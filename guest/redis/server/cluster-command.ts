// CLUSTER and its like: the server forms no cluster, so that only wrong names and arguments get other errors
// than that.

import * as command from '../command/command.ts';
import * as reply from '../wire/reply.ts';
import {
  ACL_CONNECTION,
  ADMIN,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NOSCRIPT,
  STALE,
} from '../command/command.ts';

export function register(): void {
  const change = ADMIN | STALE | NO_ASYNC_LOADING;
  command.define('cluster', null, -2, 0, 0, 0, 0, 0);
  command.define('cluster|addslots', refuse, -3, change, 0, 0, 0, 0);
  command.define('cluster|addslotsrange', refuse, -4, change, 0, 0, 0, 0);
  command.define('cluster|bumpepoch', refuse, 2, change, 0, 0, 0, 0);
  command.define('cluster|count-failure-reports', refuse, 3, ADMIN | STALE, 0, 0, 0, 0);
  command.define('cluster|countkeysinslot', refuse, 3, STALE, 0, 0, 0, 0);
  command.define('cluster|delslots', refuse, -3, change, 0, 0, 0, 0);
  command.define('cluster|delslotsrange', refuse, -4, change, 0, 0, 0, 0);
  command.define('cluster|failover', refuse, -2, change, 0, 0, 0, 0);
  command.define('cluster|flushslots', refuse, 2, change, 0, 0, 0, 0);
  command.define('cluster|forget', refuse, 3, change, 0, 0, 0, 0);
  command.define('cluster|getkeysinslot', refuse, 4, STALE, 0, 0, 0, 0);
  command.define('cluster|help', refuse, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('cluster|info', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('cluster|keyslot', refuse, 3, STALE, 0, 0, 0, 0);
  command.define('cluster|links', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('cluster|meet', refuse, -4, change, 0, 0, 0, 0);
  command.define('cluster|myid', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('cluster|nodes', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('cluster|replicas', refuse, 3, ADMIN | STALE, 0, 0, 0, 0);
  command.define('cluster|replicate', refuse, 3, change, 0, 0, 0, 0);
  command.define('cluster|reset', refuse, -2, ADMIN | NOSCRIPT | STALE, 0, 0, 0, 0);
  command.define('cluster|saveconfig', refuse, 2, change, 0, 0, 0, 0);
  command.define('cluster|set-config-epoch', refuse, 3, change, 0, 0, 0, 0);
  command.define('cluster|setslot', refuse, -4, change, 0, 0, 0, 0);
  command.define('cluster|shards', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('cluster|slaves', refuse, 3, ADMIN | STALE, 0, 0, 0, 0);
  command.define('cluster|slots', refuse, 2, STALE, 0, 0, 0, 0);
  command.define('readonly', refuse, 1, LOADING | STALE | FAST, 0, 0, 0, ACL_CONNECTION);
  command.define('readwrite', refuse, 1, LOADING | STALE | FAST, 0, 0, 0, ACL_CONNECTION);
  command.define('asking', refuse, 1, FAST, 0, 0, 0, ACL_CONNECTION);
}

function refuse(): void {
  reply.error('ERR This instance has cluster support disabled');
}
