// The options: names, kinds, bounds, defaults. One row each; config.ts reads and changes their values.
//
// This table holds the options that the guest reads; their numbers are constants for the code that does. option-table.ts
// holds the others, each with its standing.

import { row } from './config.ts';

// Kinds, which abi.ts explains.
export {
  KIND_BOOL as BOOL,
  KIND_INT as INT,
  KIND_BYTES as BYTES,
  KIND_ENUM as ENUM,
  KIND_STRING as STRING,
  KIND_SAVE as SAVE,
  KIND_LIMITS as LIMITS,
  KIND_OCTAL as OCTAL,
  KIND_WORDS as WORDS,
} from './abi';

import {
  KIND_BOOL as BOOL,
  KIND_INT as INT,
  KIND_BYTES as BYTES,
  KIND_ENUM as ENUM,
  KIND_STRING as STRING,
  KIND_SAVE as SAVE,
  KIND_LIMITS as LIMITS,
  KIND_OCTAL as OCTAL,
  KIND_WORDS as WORDS,
} from './abi.ts';

// Flags.
export const START: u32 = 1; // can be set before the server runs only
export const PROTECTED: u32 = 2; // CONFIG SET asks for enable-protected-configs
export const HOST: u32 = 4; // the host acts on it: a change raises an event
export const PERCENT: u32 = 8; // may also be a share of maxmemory, kept as a negative number
export const RAISED: u32 = 16; // a smaller value is raised to the least instead of refused

export const PORT: u32 = 0;
export const BIND: u32 = 1;
export const UNIXSOCKET: u32 = 2;
export const DIR: u32 = 3;
export const DBFILENAME: u32 = 4;
export const SAVE_POINTS: u32 = 5;
export const MAXMEMORY: u32 = 6;
export const MAXMEMORY_POLICY: u32 = 7;
export const MAXMEMORY_SAMPLES: u32 = 8;
export const REQUIREPASS: u32 = 9;
export const MAXCLIENTS: u32 = 10;
export const TIMEOUT: u32 = 11;
export const DATABASES: u32 = 12;
export const LOGLEVEL: u32 = 13;
export const LOGFILE: u32 = 14;
export const TCP_KEEPALIVE: u32 = 15;
export const HZ: u32 = 16;
export const RDBCOMPRESSION: u32 = 17;
export const RDBCHECKSUM: u32 = 18;
export const STOP_WRITES_ON_BGSAVE_ERROR: u32 = 19;
export const PROTO_MAX_BULK_LEN: u32 = 20;
export const CLIENT_QUERY_BUFFER_LIMIT: u32 = 21;
export const CLIENT_OUTPUT_BUFFER_LIMIT: u32 = 22;
export const SLOWLOG_LOG_SLOWER_THAN: u32 = 23;
export const SLOWLOG_MAX_LEN: u32 = 24;
export const LATENCY_MONITOR_THRESHOLD: u32 = 25;
export const HASH_MAX_LISTPACK_ENTRIES: u32 = 26;
export const HASH_MAX_LISTPACK_VALUE: u32 = 27;
export const ACTIVEREHASHING: u32 = 28;
export const LFU_LOG_FACTOR: u32 = 29;
export const LFU_DECAY_TIME: u32 = 30;
export const ENABLE_DEBUG_COMMAND: u32 = 31;
export const ENABLE_PROTECTED_CONFIGS: u32 = 32;
export const PROTECTED_MODE: u32 = 33;
export const MAXMEMORY_CLIENTS: u32 = 34;
export const UNIXSOCKETPERM: u32 = 35;
export const MIN_REPLICAS_TO_WRITE: u32 = 36;
export const MIN_REPLICAS_MAX_LAG: u32 = 37;
/** Not Redis's: start although the file has keys of types that this server lacks, without them. */
export const RDB_SKIP_UNKNOWN_TYPES: u32 = 38;
export const LAZYFREE_LAZY_USER_DEL: u32 = 39;
export const LAZYFREE_LAZY_USER_FLUSH: u32 = 40;
export const SHUTDOWN_ON_SIGINT: u32 = 41;
export const SHUTDOWN_ON_SIGTERM: u32 = 42;
export const ACTIVE_EXPIRE_EFFORT: u32 = 43;
export const LAZYFREE_LAZY_EXPIRE: u32 = 44;
export const LAZYFREE_LAZY_EVICTION: u32 = 45;
export const LAZYFREE_LAZY_SERVER_DEL: u32 = 46;
export const MAXMEMORY_EVICTION_TENACITY: u32 = 47;
export const DYNAMIC_HZ: u32 = 48;
export const PROC_TITLE_TEMPLATE: u32 = 49;
export const RDB_SAVE_INCREMENTAL_FSYNC: u32 = 50;

// Values of enabling options and of maxmemory-policy, in the order of their words.
export const ENABLE_NO: i64 = 0;
export const ENABLE_YES: i64 = 1;
export const ENABLE_LOCAL: i64 = 2;

export const VOLATILE_LRU: i64 = 0;
export const VOLATILE_LFU: i64 = 1;
export const VOLATILE_RANDOM: i64 = 2;
export const VOLATILE_TTL: i64 = 3;
export const ALLKEYS_LRU: i64 = 4; // from here on the policies on all keys
export const ALLKEYS_LFU: i64 = 5;
export const ALLKEYS_RANDOM: i64 = 6;
export const NOEVICTION: i64 = 7;

// Bits of shutdown-on-sigterm and shutdown-on-sigint.
export const ON_SIGNAL_SAVE: u32 = 2;
export const ON_SIGNAL_NOSAVE: u32 = 4;
export const ON_SIGNAL_FORCE: u32 = 16;

export const HZ_MIN: i64 = 1;
export const HZ_MAX: i64 = 500;

const MAX_I32: i64 = 0x7fffffff;
const MAX_I64: i64 = i64.MAX_VALUE;
const MIB: i64 = 1048576;

export function defineLive(): void {
  row(PORT, 'port', INT, '6379', 0, 65535, START);
  row(BIND, 'bind', STRING, '127.0.0.1', 0, 1024, START);
  row(UNIXSOCKET, 'unixsocket', STRING, '', 0, 108, START);
  row(DIR, 'dir', STRING, '.', 0, 4096, PROTECTED | START);
  row(DBFILENAME, 'dbfilename', STRING, 'dump.rdb', 0, 255, PROTECTED);
  row(SAVE_POINTS, 'save', SAVE, '3600 1 300 100 60 10000', 0, 0, 0);
  row(MAXMEMORY, 'maxmemory', BYTES, '0', 0, MAX_I64, HOST);
  row(MAXMEMORY_POLICY, 'maxmemory-policy', ENUM, 'noeviction', 0, 0, 0);
  row(MAXMEMORY_SAMPLES, 'maxmemory-samples', INT, '5', 1, MAX_I32, 0);
  row(REQUIREPASS, 'requirepass', STRING, '', 0, 4096, 0);
  row(MAXCLIENTS, 'maxclients', INT, '10000', 1, 0xffffffff, HOST);
  row(TIMEOUT, 'timeout', INT, '0', 0, MAX_I32, 0);
  row(DATABASES, 'databases', INT, '16', 1, MAX_I32, START);
  row(LOGLEVEL, 'loglevel', ENUM, 'notice', 0, 0, HOST);
  row(LOGFILE, 'logfile', STRING, '', 0, 4096, START);
  row(TCP_KEEPALIVE, 'tcp-keepalive', INT, '300', 0, MAX_I32, HOST);
  row(HZ, 'hz', INT, '10', 0, MAX_I32, HOST);
  row(RDBCOMPRESSION, 'rdbcompression', BOOL, 'yes', 0, 0, 0);
  row(RDBCHECKSUM, 'rdbchecksum', BOOL, 'yes', 0, 0, START);
  row(STOP_WRITES_ON_BGSAVE_ERROR, 'stop-writes-on-bgsave-error', BOOL, 'yes', 0, 0, 0);
  row(PROTO_MAX_BULK_LEN, 'proto-max-bulk-len', BYTES, '512mb', MIB, MAX_I64, 0);
  row(CLIENT_QUERY_BUFFER_LIMIT, 'client-query-buffer-limit', BYTES, '1gb', MIB, MAX_I64, 0);
  row(CLIENT_OUTPUT_BUFFER_LIMIT, 'client-output-buffer-limit', LIMITS, '', 0, 0, HOST);
  row(SLOWLOG_LOG_SLOWER_THAN, 'slowlog-log-slower-than', INT, '10000', -1, MAX_I64, 0);
  row(SLOWLOG_MAX_LEN, 'slowlog-max-len', INT, '128', 0, MAX_I64, 0);
  row(LATENCY_MONITOR_THRESHOLD, 'latency-monitor-threshold', INT, '0', 0, MAX_I64, 0);
  row(HASH_MAX_LISTPACK_ENTRIES, 'hash-max-listpack-entries', INT, '512', 0, MAX_I64, 0);
  row(HASH_MAX_LISTPACK_VALUE, 'hash-max-listpack-value', BYTES, '64', 0, MAX_I64, 0);
  row(ACTIVEREHASHING, 'activerehashing', BOOL, 'yes', 0, 0, 0);
  row(LFU_LOG_FACTOR, 'lfu-log-factor', INT, '10', 0, MAX_I32, 0);
  row(LFU_DECAY_TIME, 'lfu-decay-time', INT, '1', 0, MAX_I32, 0);
  row(ENABLE_DEBUG_COMMAND, 'enable-debug-command', ENUM, 'no', 0, 0, START);
  row(ENABLE_PROTECTED_CONFIGS, 'enable-protected-configs', ENUM, 'no', 0, 0, START);
  row(PROTECTED_MODE, 'protected-mode', BOOL, 'yes', 0, 0, 0);
  row(MAXMEMORY_CLIENTS, 'maxmemory-clients', BYTES, '0', 0, MAX_I64, PERCENT);
  row(UNIXSOCKETPERM, 'unixsocketperm', OCTAL, '0', 0, 511, START);
  row(MIN_REPLICAS_TO_WRITE, 'min-replicas-to-write', INT, '0', 0, MAX_I32, 0);
  row(MIN_REPLICAS_MAX_LAG, 'min-replicas-max-lag', INT, '10', 0, MAX_I32, 0);
  row(RDB_SKIP_UNKNOWN_TYPES, 'rdb-skip-unknown-types', BOOL, 'no', 0, 0, START);
  row(LAZYFREE_LAZY_USER_DEL, 'lazyfree-lazy-user-del', BOOL, 'no', 0, 0, 0);
  row(LAZYFREE_LAZY_USER_FLUSH, 'lazyfree-lazy-user-flush', BOOL, 'no', 0, 0, 0);
  row(SHUTDOWN_ON_SIGINT, 'shutdown-on-sigint', WORDS, 'default', 0, 0, 0);
  row(SHUTDOWN_ON_SIGTERM, 'shutdown-on-sigterm', WORDS, 'default', 0, 0, 0);
  row(ACTIVE_EXPIRE_EFFORT, 'active-expire-effort', INT, '1', 1, 10, 0);
  row(LAZYFREE_LAZY_EXPIRE, 'lazyfree-lazy-expire', BOOL, 'no', 0, 0, 0);
  row(LAZYFREE_LAZY_EVICTION, 'lazyfree-lazy-eviction', BOOL, 'no', 0, 0, 0);
  row(LAZYFREE_LAZY_SERVER_DEL, 'lazyfree-lazy-server-del', BOOL, 'no', 0, 0, 0);
  row(MAXMEMORY_EVICTION_TENACITY, 'maxmemory-eviction-tenacity', INT, '10', 0, 100, 0);
  row(DYNAMIC_HZ, 'dynamic-hz', BOOL, 'yes', 0, 0, HOST);
  row(
    PROC_TITLE_TEMPLATE,
    'proc-title-template',
    STRING,
    '{title} {listen-addr} {server-mode}',
    0,
    4096,
    HOST,
  );
  row(RDB_SAVE_INCREMENTAL_FSYNC, 'rdb-save-incremental-fsync', BOOL, 'yes', 0, 0, 0);
}

/** The words that an enumeration of the first table accepts, in the order of their values. */
export function wordsOf(option: u32): string {
  switch (option) {
    case MAXMEMORY_POLICY:
      return 'volatile-lru volatile-lfu volatile-random volatile-ttl allkeys-lru allkeys-lfu allkeys-random noeviction';
    case SHUTDOWN_ON_SIGINT:
    case SHUTDOWN_ON_SIGTERM:
      return 'default save nosave now force';
    case LOGLEVEL:
      return 'debug verbose notice warning';
    default:
      return 'no yes local';
  }
}
