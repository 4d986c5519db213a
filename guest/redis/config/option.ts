// The numbers of the options that the guest reads, their kinds and flags, and the values of enumerations.
//
// option-rows.ts has a row for each; option-table.ts has the options that the guest does not read.

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
} from '../abi';

// Flags.
export const START: u32 = 1; // can be set only before the server runs
export const PROTECTED: u32 = 2; // CONFIG SET asks for enable-protected-configs
export const HOST: u32 = 4; // the host acts on it: a change raises an event
export const PERCENT: u32 = 8; // may also be a share of maxmemory, kept as a negative number
export const RAISED: u32 = 16; // a smaller value is raised to the least instead of refused
export const LISTEN: u32 = 64; // says where the host listens: CONFIG SET waits until it does
export const FIXED: u32 = 32; // only its first value, no, is accepted, for the server lacks the rest

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
/** Not in Redis: start although the file has keys of types that this server lacks, and leave those out. */
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
export const LATENCY_TRACKING: u32 = 51;
export const LATENCY_TRACKING_INFO_PERCENTILES: u32 = 52;

// Values of enabling options (0 is no) and of maxmemory-policy, in the order of their words.
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
