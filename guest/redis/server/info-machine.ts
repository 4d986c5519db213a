// The sections of INFO about saving, and about the machine below the server.

import * as abi from '../abi.ts';
import * as admission from '../run/admission.ts';
import * as host from '../border/host.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as lazyfree from '../keyspace/lazyfree.ts';
import * as observe from '../stats/observe.ts';
import * as persistence from '../persist/persistence.ts';
import * as loading from '../persist/loading.ts';
import * as stats from '../stats/stats.ts';
import * as text from '../bytes/text.ts';
import {
  COUNTER_COPIES,
  COUNTER_FAULTS,
  COUNTER_FORGOTTEN,
  COUNTER_PRIVATE,
  COUNTER_SAFEPOINTS,
  COUNTER_SYSCALLS,
  COUNTER_WAITS,
  GAUGE_BREAK,
  GAUGE_EPOCH,
  GAUGE_FRAMES_FREE,
  GAUGE_FRAMES_USED,
  GAUGE_LIMBO,
  GAUGE_SNAPSHOTS,
  GAUGE_SNAPSHOTS_LOST,
  GAUGE_SNAPSHOTS_TAKEN,
} from '../../../assembly/abi/counter.ts';
import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import { counter } from '../../../assembly/index.ts';
import { hostInfo } from '../border/host.ts';

export function putLazyFree(): void {
  text.count('lazyfree_pending_objects', lazyfree.pending());
  text.count('lazyfreed_objects', stats.get(stats.LAZY_FREED));
}

function gauge(name: string, index: u32): void {
  text.count(name, <u64>counter(index));
}

/** The machine: epochs, snapshots, write faults, frames. */
export function putMachine(): void {
  text.count('vm_memory', <u64>hostInfo(abi.HOST_VM_BYTES));
  gauge('break', GAUGE_BREAK);
  text.count('frame_bytes', FRAME_BYTES);
  gauge('frames_free', GAUGE_FRAMES_FREE);
  gauge('frames_used', GAUGE_FRAMES_USED);
  gauge('frames_limbo', GAUGE_LIMBO);
  gauge('epoch', GAUGE_EPOCH);
  gauge('snapshots_taken', GAUGE_SNAPSHOTS_TAKEN);
  gauge('snapshots_active', GAUGE_SNAPSHOTS);
  gauge('snapshots_lost', GAUGE_SNAPSHOTS_LOST);
  gauge('write_faults', COUNTER_FAULTS);
  gauge('write_fault_waits', COUNTER_WAITS);
  gauge('frames_copied', COUNTER_COPIES);
  gauge('frames_private', COUNTER_PRIVATE);
  gauge('pages_forgotten', COUNTER_FORGOTTEN);
  gauge('safepoints', COUNTER_SAFEPOINTS);
  gauge('syscalls', COUNTER_SYSCALLS);
}

/** Of the load that runs. */
function putLoading(): void {
  const total = loading.loadTotalBytes();
  const done = loading.loadDoneBytes();
  const elapsed = loading.loadElapsedSeconds();
  text.signed('loading_start_time', loading.loadStartSeconds());
  text.count('loading_total_bytes', total);
  text.count('loading_loaded_bytes', done);
  text.ratio('loading_loaded_perc', total == 0 ? 0 : (100 * <f64>done) / <f64>total);
  text.count(
    'loading_eta_seconds',
    done == 0 ? 1 : <u64>((elapsed * <f64>(total - done)) / <f64>done),
  );
}

/**
 * Saving: the result of the last save, and the progress of the running one. The server has no append-only
 * file.
 */
export function putPersistence(): void {
  const saving = persistence.isSaving();
  text.line('loading', admission.loading() ? '1' : '0');
  text.ascii('async_loading:0\r\n');
  text.count('current_cow_peak', persistence.currentCowBytes());
  text.count('current_cow_size', persistence.currentCowBytes());
  text.count('current_cow_size_age', 0);
  const perMille = persistence.currentPerMille();
  text.ratio('current_fork_perc', <f64>perMille / 10);
  text.count('current_save_keys_processed', (persistence.currentKeysTotal() * perMille) / 1000);
  text.count('current_save_keys_total', persistence.currentKeysTotal());
  text.count('rdb_changes_since_last_save', keyspace.dirty());
  text.line('rdb_bgsave_in_progress', saving ? '1' : '0');
  text.signed('rdb_last_save_time', persistence.lastSaveSeconds());
  text.line('rdb_last_bgsave_status', persistence.isLastGood() ? 'ok' : 'err');
  text.signed('rdb_last_bgsave_time_sec', persistence.lastDurationSeconds());
  text.signed('rdb_current_bgsave_time_sec', persistence.currentDurationSeconds());
  text.count('rdb_saves', persistence.saves());
  text.count('rdb_last_cow_size', persistence.lastCowBytes());
  text.count('rdb_last_load_keys_expired', loading.loadExpiredKeys());
  text.count('rdb_last_load_keys_loaded', loading.loadedKeys());
  text.ascii('aof_enabled:0\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\n');
  text.ascii('aof_last_rewrite_time_sec:-1\r\naof_current_rewrite_time_sec:-1\r\n');
  text.ascii('aof_last_bgrewrite_status:ok\r\naof_last_write_status:ok\r\naof_last_cow_size:0\r\n');
  text.ascii('aof_rewrites:0\r\naof_rewrites_consecutive_failures:0\r\n');
  text.ascii('module_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n');
  if (admission.loading()) putLoading();
}
