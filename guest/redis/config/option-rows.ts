// The rows of the options: names, kinds, bounds, defaults.
//
// Interface   boot() once, before anything reads an option: every default is in force then.

import * as ascii from '../bytes/ascii.ts';
import * as assign from './assign.ts';
import * as config from './config.ts';
import * as limit from './output-limit.ts';
import * as option from './option.ts';
import * as optionText from './option-read.ts';
import { OPTION_TABLE } from './option-table.ts';
import {
  BOOL,
  BYTES,
  ENUM,
  HOST,
  INT,
  LIMITS,
  LISTEN,
  OCTAL,
  PERCENT,
  PROTECTED,
  SAVE,
  START,
  STRING,
  WORDS,
} from './option.ts';

const NAMES_BYTES: u32 = 6144;
const NAMES: usize = memory.data(6144, 8);
const SCRATCH: usize = memory.data(64, 8); // a word of the table, narrowed to bytes

const MAX_I32: i64 = 0x7fffffff;
const MAX_I64: i64 = i64.MAX_VALUE;
const MIB: i64 = 1048576;

let namesUsed: u32 = 0;

export function boot(): void {
  limit.assignDefault();
  defineServing();
  defineLimits();
  defineBackground();
  cursor = changetype<u32>(OPTION_TABLE) + 2;
  const end = changetype<u32>(OPTION_TABLE) + ((<u32>OPTION_TABLE.length) << 1);
  while (cursor < end) {
    defineLine();
    while (load<u16>(cursor) != ascii.LF) cursor += 2;
    cursor += 2;
  }
}

/** Adds a row; its index. */
function addRow(name: u32, units: u32): u32 {
  const index = config.add();
  const row = config.at(index);
  if (namesUsed + units > NAMES_BYTES) unreachable();
  row.name = <u32>NAMES + namesUsed;
  row.nameBytes = <u16>units;
  ascii.narrow(name, units, row.name);
  namesUsed += units;
  return index;
}

function describe(index: u32, kind: u32, min: i64, max: i64, flags: u32): void {
  const row = config.at(index);
  row.kind = <u8>kind;
  row.flags = <u8>flags;
  row.min = min;
  row.max = max;
}

function setWords(index: u32, words: u32, units: u32): void {
  config.at(index).words = words;
  config.at(index).wordsUnits = <u16>units;
}

function setInitial(index: u32, initial: u32, units: u32): void {
  config.at(index).initial = initial;
  config.at(index).initialUnits = units;
  assign.assignDefault(index);
}

// --- Options that the guest reads --------------------------------------------------------------------------

/** Defines the row of an option of option.ts; rows are defined in the order of their numbers. */
function define(
  index: u32,
  name: string,
  kind: u32,
  initial: string,
  min: i64,
  max: i64,
  flags: u32,
): void {
  if (addRow(changetype<u32>(name), <u32>name.length) != index) unreachable();
  describe(index, kind, min, max, flags);
  if (kind == option.ENUM || kind == option.WORDS) {
    const words = wordsOf(index);
    setWords(index, changetype<u32>(words), <u32>words.length);
  }
  setInitial(index, changetype<u32>(initial), <u32>initial.length);
}

function defineServing(): void {
  define(option.PORT, 'port', INT, '6379', 0, 65535, LISTEN);
  define(option.BIND, 'bind', STRING, '127.0.0.1', 0, 1024, LISTEN);
  define(option.UNIXSOCKET, 'unixsocket', STRING, '', 0, 108, START);
  define(option.DIR, 'dir', STRING, '.', 0, 4096, PROTECTED | START);
  define(option.DBFILENAME, 'dbfilename', STRING, 'dump.rdb', 0, 255, PROTECTED);
  define(option.SAVE_POINTS, 'save', SAVE, '3600 1 300 100 60 10000', 0, 0, 0);
  define(option.MAXMEMORY, 'maxmemory', BYTES, '0', 0, MAX_I64, HOST);
  define(option.MAXMEMORY_POLICY, 'maxmemory-policy', ENUM, 'noeviction', 0, 0, 0);
  define(option.MAXMEMORY_SAMPLES, 'maxmemory-samples', INT, '5', 1, MAX_I32, 0);
  define(option.REQUIREPASS, 'requirepass', STRING, '', 0, 4096, 0);
  define(option.MAXCLIENTS, 'maxclients', INT, '10000', 1, 0xffffffff, HOST);
  define(option.TIMEOUT, 'timeout', INT, '0', 0, MAX_I32, 0);
  define(option.DATABASES, 'databases', INT, '16', 1, MAX_I32, START);
  define(option.LOGLEVEL, 'loglevel', ENUM, 'notice', 0, 0, HOST);
  define(option.LOGFILE, 'logfile', STRING, '', 0, 4096, START);
  define(option.TCP_KEEPALIVE, 'tcp-keepalive', INT, '300', 0, MAX_I32, HOST);
  define(option.HZ, 'hz', INT, '10', 0, MAX_I32, HOST);
  define(option.RDBCOMPRESSION, 'rdbcompression', BOOL, 'yes', 0, 0, 0);
  define(option.RDBCHECKSUM, 'rdbchecksum', BOOL, 'yes', 0, 0, START);
  define(option.STOP_WRITES_ON_BGSAVE_ERROR, 'stop-writes-on-bgsave-error', BOOL, 'yes', 0, 0, 0);
  define(option.PROTO_MAX_BULK_LEN, 'proto-max-bulk-len', BYTES, '512mb', MIB, MAX_I64, 0);
  define(
    option.CLIENT_QUERY_BUFFER_LIMIT,
    'client-query-buffer-limit',
    BYTES,
    '1gb',
    MIB,
    MAX_I64,
    0,
  );
  define(option.CLIENT_OUTPUT_BUFFER_LIMIT, 'client-output-buffer-limit', LIMITS, '', 0, 0, HOST);
}

function defineLimits(): void {
  define(option.SLOWLOG_LOG_SLOWER_THAN, 'slowlog-log-slower-than', INT, '10000', -1, MAX_I64, 0);
  define(option.SLOWLOG_MAX_LEN, 'slowlog-max-len', INT, '128', 0, MAX_I64, 0);
  define(option.LATENCY_MONITOR_THRESHOLD, 'latency-monitor-threshold', INT, '0', 0, MAX_I64, 0);
  define(option.HASH_MAX_LISTPACK_ENTRIES, 'hash-max-listpack-entries', INT, '512', 0, MAX_I64, 0);
  define(option.HASH_MAX_LISTPACK_VALUE, 'hash-max-listpack-value', BYTES, '64', 0, MAX_I64, 0);
  define(option.ACTIVEREHASHING, 'activerehashing', BOOL, 'yes', 0, 0, 0);
  define(option.LFU_LOG_FACTOR, 'lfu-log-factor', INT, '10', 0, MAX_I32, 0);
  define(option.LFU_DECAY_TIME, 'lfu-decay-time', INT, '1', 0, MAX_I32, 0);
  define(option.ENABLE_DEBUG_COMMAND, 'enable-debug-command', ENUM, 'no', 0, 0, START);
  define(option.ENABLE_PROTECTED_CONFIGS, 'enable-protected-configs', ENUM, 'no', 0, 0, START);
  define(option.PROTECTED_MODE, 'protected-mode', BOOL, 'yes', 0, 0, 0);
  define(option.MAXMEMORY_CLIENTS, 'maxmemory-clients', BYTES, '0', 0, MAX_I64, PERCENT);
  define(option.UNIXSOCKETPERM, 'unixsocketperm', OCTAL, '0', 0, 511, START);
  define(option.MIN_REPLICAS_TO_WRITE, 'min-replicas-to-write', INT, '0', 0, MAX_I32, 0);
  define(option.MIN_REPLICAS_MAX_LAG, 'min-replicas-max-lag', INT, '10', 0, MAX_I32, 0);
  define(option.RDB_SKIP_UNKNOWN_TYPES, 'rdb-skip-unknown-types', BOOL, 'no', 0, 0, START);
}

function defineBackground(): void {
  define(option.LAZYFREE_LAZY_USER_DEL, 'lazyfree-lazy-user-del', BOOL, 'no', 0, 0, 0);
  define(option.LAZYFREE_LAZY_USER_FLUSH, 'lazyfree-lazy-user-flush', BOOL, 'no', 0, 0, 0);
  define(option.SHUTDOWN_ON_SIGINT, 'shutdown-on-sigint', WORDS, 'default', 0, 0, 0);
  define(option.SHUTDOWN_ON_SIGTERM, 'shutdown-on-sigterm', WORDS, 'default', 0, 0, 0);
  define(option.ACTIVE_EXPIRE_EFFORT, 'active-expire-effort', INT, '1', 1, 10, 0);
  define(option.LAZYFREE_LAZY_EXPIRE, 'lazyfree-lazy-expire', BOOL, 'no', 0, 0, 0);
  define(option.LAZYFREE_LAZY_EVICTION, 'lazyfree-lazy-eviction', BOOL, 'no', 0, 0, 0);
  define(option.LAZYFREE_LAZY_SERVER_DEL, 'lazyfree-lazy-server-del', BOOL, 'no', 0, 0, 0);
  define(option.MAXMEMORY_EVICTION_TENACITY, 'maxmemory-eviction-tenacity', INT, '10', 0, 100, 0);
  define(option.DYNAMIC_HZ, 'dynamic-hz', BOOL, 'yes', 0, 0, HOST);
  define(
    option.PROC_TITLE_TEMPLATE,
    'proc-title-template',
    STRING,
    '{title} {listen-addr} {server-mode}',
    0,
    4096,
    HOST,
  );
  define(option.RDB_SAVE_INCREMENTAL_FSYNC, 'rdb-save-incremental-fsync', BOOL, 'yes', 0, 0, 0);
  define(option.LATENCY_TRACKING, 'latency-tracking', BOOL, 'yes', 0, 0, 0);
  define(
    option.LATENCY_TRACKING_INFO_PERCENTILES,
    'latency-tracking-info-percentiles',
    STRING,
    '50 99 99.9',
    0,
    1024,
    0,
  );
}

const POLICIES = `volatile-lru volatile-lfu volatile-random volatile-ttl
allkeys-lru allkeys-lfu allkeys-random noeviction`;

/** The words that an enumeration of the first table accepts, in the order of their values. */
function wordsOf(index: u32): string {
  switch (index) {
    case option.MAXMEMORY_POLICY:
      return POLICIES;
    case option.SHUTDOWN_ON_SIGINT:
    case option.SHUTDOWN_ON_SIGTERM:
      return 'default save nosave now force';
    case option.LOGLEVEL:
      return 'debug verbose notice warning';
    default:
      return 'no yes local';
  }
}

// --- The other options: a cursor over the text of option-table.ts ------------------------------------------

let cursor: u32 = 0;

// Set by nextWord(), valid until its next call.
let wordStart: u32 = 0;
let wordUnits: u32 = 0;

/**
 * Moves to the next word of the line; quotes hold blanks together and are left out. False at the line's end.
 */
function nextWord(): bool {
  while (load<u16>(cursor) == ascii.SPACE) cursor += 2;
  const first: u32 = load<u16>(cursor);
  if (first == ascii.LF) return false;
  const end = first == ascii.QUOTE ? ascii.QUOTE : ascii.SPACE;
  if (first == ascii.QUOTE) cursor += 2;
  wordStart = cursor;
  for (let c: u32 = load<u16>(cursor); c != end && c != ascii.LF; c = load<u16>(cursor))
    cursor += 2;
  wordUnits = (cursor - wordStart) >> 1;
  if (end == ascii.QUOTE) cursor += 2;
  return true;
}

function wordIs(literal: string): bool {
  const units = <u32>literal.length;
  return units == wordUnits && memory.compare(wordStart, changetype<u32>(literal), units << 1) == 0;
}

function wordNumber(): i64 {
  ascii.narrow(wordStart, wordUnits, <u32>SCRATCH);
  return optionText.readInteger(<u32>SCRATCH, wordUnits) ? optionText.parsed : 0;
}

/** Takes marks off the end of the word; the flags that they stand for. */
function takeMarks(): u32 {
  let flags: u32 = 0;
  for (let flag = takeMark(); flag != 0; flag = takeMark()) flags |= flag;
  return flags;
}

/** Takes a mark off; the flag that it stands for, or 0. */
function takeMark(): u32 {
  const last: u32 = load<u16>(wordStart + (wordUnits << 1) - 2);
  let flag: u32 = 0;
  if (last == ascii.EXCLAMATION) flag = option.START;
  else if (last == ascii.CARET) flag = option.RAISED;
  else if (last == ascii.EQUALS) flag = option.FIXED;
  if (flag != 0) wordUnits--;
  return flag;
}

function kindOfWord(): u32 {
  if (wordIs('bool')) return option.BOOL;
  if (wordIs('int')) return option.INT;
  if (wordIs('bytes') || wordIs('percent')) return option.BYTES;
  if (wordIs('enum')) return option.ENUM;
  if (wordIs('octal')) return option.OCTAL;
  return option.STRING;
}

function defineLine(): void {
  nextWord();
  if (wordIs('#')) return; // a heading
  const index = addRow(wordStart, wordUnits);
  nextWord();
  if (wordIs('=')) {
    nextWord();
    ascii.narrow(wordStart, wordUnits, <u32>SCRATCH);
    config.at(index).original = config.find(<u32>SCRATCH, wordUnits);
    return;
  }
  let flags = takeMarks();
  if (wordIs('percent')) flags |= option.PERCENT;
  const kind = kindOfWord();
  let min: i64 = 0;
  let max: i64 = wordIs('string') ? 4096 : 0;
  nextWord();
  const initial = wordStart;
  const initialUnits = wordUnits;
  if (nextWord()) {
    if (kind == option.ENUM) setWords(index, wordStart, wordUnits);
    else {
      min = wordNumber();
      nextWord();
      max = wordNumber();
    }
  }
  describe(index, kind, min, max, flags);
  setInitial(index, initial, initialUnits);
}
