// The server's numbers for monitors: what INFO says of them, without the text.

import * as abi from '../abi.ts';
import * as config from '../config/config.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as option from '../config/option.ts';
import * as persistence from '../persist/persistence.ts';
import * as space from '../keyspace/space.ts';
import * as stats from '../stats/stats.ts';
import { usedBytes } from '../bytes/heap.ts';

/** One of METRIC_*; -1 for any other. */
export function read(metric: i32): f64 {
  switch (metric) {
    case abi.METRIC_COMMANDS:
      return <f64>stats.get(stats.COMMANDS);
    case abi.METRIC_HITS:
      return <f64>stats.get(stats.HITS);
    case abi.METRIC_MISSES:
      return <f64>stats.get(stats.MISSES);
    case abi.METRIC_KEYS:
      return keys();
    case abi.METRIC_USED_BYTES:
      return <f64>usedBytes();
    case abi.METRIC_MAXMEMORY:
      return <f64>config.number(option.MAXMEMORY);
    case abi.METRIC_SAVES:
      return <f64>persistence.saves();
    case abi.METRIC_CHANGES:
      return <f64>keyspace.dirty();
    case abi.METRIC_EXPIRED:
      return <f64>stats.get(stats.EXPIRED);
    case abi.METRIC_EVICTED:
      return <f64>stats.get(stats.EVICTED);
    case abi.METRIC_ERRORS:
      return <f64>stats.get(stats.ERRORS);
    case abi.METRIC_ACCEPTED:
      return <f64>stats.get(stats.CONNECTIONS);
    case abi.METRIC_INPUT_BYTES:
      return <f64>stats.get(stats.INPUT_BYTES);
    case abi.METRIC_OUTPUT_BYTES:
      return <f64>stats.get(stats.OUTPUT_BYTES);
  }
  return -1;
}

/** Of all databases. */
function keys(): f64 {
  let count: f64 = 0;
  for (let i: u32 = 0; i < space.databases(); i++) count += <f64>space.keyCount(i);
  return count;
}
