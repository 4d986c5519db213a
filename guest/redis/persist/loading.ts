// Loading of the databases from the file dbfilename, and what INFO tells about it.
//
// Interface   loadWhole() reads the file at once; startLoad() and loadMore() read it in parts, between which
//             clients are served.

import * as admission from '../run/admission.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as log from '../border/log.ts';
import * as option from '../config/option.ts';
import * as rdbLoad from '../rdb/load.ts';
import * as reader from '../rdb/reader.ts';
import * as space from '../keyspace/space.ts';
import { ENOENT } from '../../../assembly/abi/errno.ts';
import { clockUs } from '../border/host.ts';

let loadStartUs: f64 = 0;
let loadStartMs: i64 = 0;

/** Keys that the last load brought, and keys that it found expired. */
export function loadedKeys(): u64 {
  return rdbLoad.loaded();
}

export function loadExpiredKeys(): u64 {
  return rdbLoad.expired();
}

/** Bytes of the file that is being loaded, and those of them that have been. */
export function loadTotalBytes(): u64 {
  return reader.total();
}

export function loadDoneBytes(): u64 {
  return <u64>reader.position();
}

/** Unix time when the load that runs, or ran last, began; and how long ago that is. */
export function loadStartSeconds(): i64 {
  return loadStartMs / 1000;
}

export function loadElapsedSeconds(): f64 {
  return (clockUs() - loadStartUs) / 1000000;
}

/**
 * Reads the file dbfilename into the databases; false when that failed, and if it was the file's content,
 * they are empty then.
 */
export function loadWhole(): bool {
  let result = begin(false);
  while (result > 0) result = loadMore(u32.MAX_VALUE);
  return result == 0;
}

/**
 * Begins to read the file dbfilename into the databases: 1, -ENOENT when there is none, or another negative
 * errno. Keys that are there already are replaced by those of the file. Until loadMore() has ended, commands
 * that need the keys are refused.
 */
export function startLoad(): i32 {
  return begin(config.number(option.RDB_SKIP_UNKNOWN_TYPES) != 0);
}

/** Keys and libraries of functions that the last load left out: only the file has them. */
export function leftOut(): u64 {
  return rdbLoad.leftOutCount();
}

/** While the server runs nothing may be left out: the file would not be kept. */
function begin(leavesOut: bool): i32 {
  loadStartUs = clockUs();
  loadStartMs = clock.ms();
  let isEmpty = true;
  for (let i: u32 = 0; i < space.databases(); i++) if (space.keyCount(i) != 0) isEmpty = false;
  const path = config.textAddress(option.DBFILENAME);
  const opened = rdbLoad.start(path, config.textBytes(option.DBFILENAME), !isEmpty, leavesOut);
  if (opened == 0) admission.setLoading(true);
  else if (opened != -ENOENT) {
    log.begin("Can't open the RDB file for reading: error ");
    log.integer(-opened);
    log.end(log.WARNING);
  }
  return opened == 0 ? 1 : opened;
}

/**
 * Loads the next `bytes` bytes of the file: 1 when there are more, 0 at the end, or a negative errno. After
 * an error the databases are empty.
 */
export function loadMore(bytes: u64): i32 {
  const selected = space.selected();
  const result = rdbLoad.more(bytes) ? 1 : endLoad();
  space.select(selected);
  return result;
}

function endLoad(): i32 {
  const result = rdbLoad.finish();
  admission.setLoading(false);
  if (result == 0) {
    log.begin('Done loading RDB, keys loaded: ');
    log.integer(rdbLoad.loaded());
    log.ascii(', keys expired: ');
    log.integer(rdbLoad.expired());
    log.end(log.NOTICE);
    log.begin('DB loaded from disk: ');
    log.decimal((clockUs() - loadStartUs) / 1000000);
    log.ascii(' seconds');
    log.end(log.NOTICE);
    keyspace.setDirty(0);
  } else {
    for (let i: u32 = 0; i < space.databases(); i++) keyspace.flush(i);
    log.line(log.WARNING, 'The RDB file was not loaded.');
  }
  return result;
}
