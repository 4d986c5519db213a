// The server's statistics as metrics: those of INFO, with the same names.

import * as abi from '../../guest/redis/abi.ts';
import type { Metric } from '../vm/stats.ts';

const ROWS: readonly (readonly [metric: number, name: string, help: string])[] = [
  [abi.METRIC_COMMANDS, 'commands_total', 'Commands processed.'],
  [abi.METRIC_KEYS, 'keys', 'Keys in all databases.'],
  [abi.METRIC_USED_BYTES, 'used_memory_bytes', 'Memory of keys, values and clients.'],
  [abi.METRIC_MAXMEMORY, 'maxmemory_bytes', 'Limit of used memory (option maxmemory), 0 = none.'],
  [abi.METRIC_HITS, 'keyspace_hits_total', 'Look-ups that found their key.'],
  [abi.METRIC_MISSES, 'keyspace_misses_total', 'Look-ups that did not find their key.'],
  [abi.METRIC_SAVES, 'saves_total', 'Successful saves.'],
  [abi.METRIC_CHANGES, 'unsaved_changes', 'Changes since the last save.'],
  [abi.METRIC_EXPIRED, 'expired_keys_total', 'Keys that expired.'],
  [abi.METRIC_EVICTED, 'evicted_keys_total', 'Keys evicted to free memory.'],
  [abi.METRIC_ERRORS, 'error_replies_total', 'Commands answered with an error.'],
  [abi.METRIC_ACCEPTED, 'connections_received_total', 'Connections accepted.'],
  [abi.METRIC_INPUT_BYTES, 'received_bytes_total', 'Bytes received from clients.'],
  [abi.METRIC_OUTPUT_BYTES, 'sent_bytes_total', 'Bytes of replies.'],
];

/** `read` is the guest's function of that name. */
export function serverMetrics(read: (metric: number) => number): Metric[] {
  return ROWS.map(([metric, name, help]) => ({
    name: `ringzero_${name}`,
    help,
    value: read(metric),
  }));
}
