// Names of flags and of ACL categories, as clients see them.

import * as ascii from '../bytes/ascii.ts';
import * as command from './command.ts';

export const FLAG_COUNT: u32 = ctz(command.ALLOW_BUSY) + 1;
export const CATEGORY_COUNT: u32 = ctz(command.ACL_SCRIPTING) + 1;

/** Name of one flag, as COMMAND INFO shows it. */
export function ofFlag(flag: u32): string {
  switch (flag) {
    case command.WRITE:
      return 'write';
    case command.READONLY:
      return 'readonly';
    case command.DENYOOM:
      return 'denyoom';
    case command.ADMIN:
      return 'admin';
    case command.PUBSUB:
      return 'pubsub';
    case command.NOSCRIPT:
      return 'noscript';
    case command.BLOCKING:
      return 'blocking';
    case command.LOADING:
      return 'loading';
    case command.STALE:
      return 'stale';
    case command.SKIP_MONITOR:
      return 'skip_monitor';
    case command.SKIP_SLOWLOG:
      return 'skip_slowlog';
    case command.ASKING:
      return 'asking';
    case command.FAST:
      return 'fast';
    case command.NO_AUTH:
      return 'no_auth';
    case command.MAY_REPLICATE:
      return 'may_replicate';
    case command.NO_MANDATORY_KEYS:
      return 'no_mandatory_keys';
    case command.NO_ASYNC_LOADING:
      return 'no_async_loading';
    case command.NO_MULTI:
      return 'no_multi';
    case command.MOVABLE_KEYS:
      return 'movablekeys';
    default:
      return 'allow_busy';
  }
}

/** Name of one ACL category, without @. */
export function ofCategory(category: u32): string {
  switch (category) {
    case command.ACL_KEYSPACE:
      return 'keyspace';
    case command.ACL_READ:
      return 'read';
    case command.ACL_WRITE:
      return 'write';
    case command.ACL_SET:
      return 'set';
    case command.ACL_SORTEDSET:
      return 'sortedset';
    case command.ACL_LIST:
      return 'list';
    case command.ACL_HASH:
      return 'hash';
    case command.ACL_STRING:
      return 'string';
    case command.ACL_BITMAP:
      return 'bitmap';
    case command.ACL_HYPERLOGLOG:
      return 'hyperloglog';
    case command.ACL_GEO:
      return 'geo';
    case command.ACL_STREAM:
      return 'stream';
    case command.ACL_PUBSUB:
      return 'pubsub';
    case command.ACL_ADMIN:
      return 'admin';
    case command.ACL_FAST:
      return 'fast';
    case command.ACL_SLOW:
      return 'slow';
    case command.ACL_BLOCKING:
      return 'blocking';
    case command.ACL_DANGEROUS:
      return 'dangerous';
    case command.ACL_CONNECTION:
      return 'connection';
    case command.ACL_TRANSACTION:
      return 'transaction';
    default:
      return 'scripting';
  }
}

/** The category with a name in any case, or 0. */
export function categoryNamed(at: u32, bytes: u32): u32 {
  for (let i: u32 = 0; i < CATEGORY_COUNT; i++)
    if (ascii.isWord(at, bytes, ofCategory(1 << i))) return 1 << i;
  return 0;
}
