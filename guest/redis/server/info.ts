// INFO: the sections, line by line.
//
// Interface   put() appends the wanted sections to text.ts. A line is written only where something stands
//             behind it: a counter, a gauge of the kernel, or a fact about this server that cannot be
//             otherwise (role:master).

import * as ascii from '../bytes/ascii.ts';
import * as abi from '../abi.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as configFile from '../config/config-file.ts';
import * as host from '../border/host.ts';
import * as identity from '../client/identity.ts';
import * as machine from './info-machine.ts';
import * as memoryUse from './memory-use.ts';
import * as option from '../config/option.ts';
import * as pace from '../client/hz.ts';
import * as rate from '../stats/rate.ts';
import * as section from './info-section.ts';
import * as stats from '../stats/stats.ts';
import * as tables from './info-table.ts';
import * as text from '../bytes/text.ts';
import * as value from '../config/option-value.ts';
import { hostInfo } from '../border/host.ts';
import { usedBytes } from '../bytes/heap.ts';
import { GAUGE_BREAK, GAUGE_SNAPSHOTS_TAKEN } from '../../../assembly/abi/counter.ts';
import { counter, slab } from '../../../assembly/index.ts';

function putServer(): void {
  text.line('redis_version', identity.VERSION);
  text.ascii('redis_git_sha1:00000000\r\nredis_git_dirty:0\r\nredis_build_id:ringzero\r\n');
  text.ascii('redis_mode:standalone\r\nos:ringzero\r\narch_bits:32\r\n');
  text.ascii('monotonic_clock:host\r\nmultiplexing_api:host\r\natomicvar_api:wasm\r\n');
  text.count('process_id', <u64>hostInfo(abi.HOST_PID));
  text.line('process_supervised', 'no');
  text.ascii('run_id:');
  identity.putRunId();
  text.crlf();
  text.count('tcp_port', <u64>hostInfo(abi.HOST_PORT));
  text.count('server_time_usec', <u64>clock.ms() * 1000);
  const uptime = <u64>hostInfo(abi.HOST_UPTIME);
  text.count('uptime_in_seconds', uptime);
  text.count('uptime_in_days', uptime / 86400);
  text.signed('hz', pace.hz());
  text.signed('configured_hz', config.number(option.HZ));
  text.count('lru_clock', clock.lru());
  text.ascii('executable:ringzero\r\nconfig_file:');
  configFile.putPath();
  text.ascii('\r\nio_threads_active:0\r\n');
}

function putClients(): void {
  let longest: u64 = 0;
  let longestOutput: u64 = 0;
  for (let slot: u32 = 0; slot < client.slots(); slot++) {
    const record = client.at(slot);
    if (record == 0) continue;
    const c = changetype<client.Client>(record);
    longest = max<u64>(longest, c.largeRead + c.inputBytes);
    longestOutput = max(longestOutput, c.output);
  }
  text.count('connected_clients', client.count());
  text.line('cluster_connections', '0');
  text.signed('maxclients', config.number(option.MAXCLIENTS));
  text.count('client_recent_max_input_buffer', longest);
  text.count('client_recent_max_output_buffer', longestOutput);
  text.ascii('blocked_clients:0\r\ntracking_clients:0\r\nclients_in_timeout_table:0\r\n');
}

function putPercent(name: string, part: f64, whole: f64): void {
  text.ascii(name);
  text.byte(ascii.COLON);
  text.decimal(whole > 0 ? (part * 100) / whole : 0, 2);
  text.ascii('%\r\n');
}

function putMemory(): void {
  const used = <f64>usedBytes();
  const rss = hostInfo(abi.HOST_RSS);
  const peak = <f64>memoryUse.peakBytes();
  const startup = <f64>memoryUse.startupBytes();
  const overhead = <f64>memoryUse.overheadBytes();
  const dataset = max<f64>(0, used - overhead);
  text.size('used_memory', used);
  text.size('used_memory_rss', rss);
  text.size('used_memory_peak', peak);
  putPercent('used_memory_peak_perc', used, peak);
  text.count('used_memory_overhead', <u64>overhead);
  text.count('used_memory_startup', <u64>startup);
  text.count('used_memory_dataset', <u64>dataset);
  putPercent('used_memory_dataset_perc', dataset, used - startup);
  putAllocator(used);
  text.size('total_system_memory', hostInfo(abi.HOST_SYSTEM_MEMORY));
  text.size('maxmemory', <f64>config.number(option.MAXMEMORY));
  text.ascii('maxmemory_policy:');
  value.put(option.MAXMEMORY_POLICY);
  text.crlf();
  text.ratio('mem_fragmentation_ratio', used > 0 ? rss / used : 0);
  text.signed('mem_fragmentation_bytes', <i64>(rss - used));
  text.ascii('mem_not_counted_for_evict:0\r\nmem_replication_backlog:0\r\n');
  text.ascii('mem_total_replication_buffers:0\r\nmem_clients_slaves:0\r\n');
  text.count('mem_clients_normal', memoryUse.clientBytes());
  // The server has no scripts and no functions in Lua, so they take no memory.
  text.ascii('used_memory_lua:0\r\nused_memory_vm_eval:0\r\nused_memory_lua_human:0B\r\n');
  text.ascii(
    'used_memory_scripts_eval:0\r\nnumber_of_cached_scripts:0\r\nnumber_of_functions:0\r\n',
  );
  text.ascii('number_of_libraries:0\r\nused_memory_vm_functions:0\r\nused_memory_vm_total:0\r\n');
  text.ascii('used_memory_vm_total_human:0B\r\nused_memory_functions:0\r\n');
  text.ascii('used_memory_scripts:0\r\nused_memory_scripts_human:0B\r\n');
  text.ascii('mem_cluster_links:0\r\nmem_aof_buffer:0\r\nmem_allocator:ringzero-slab\r\n');
  text.ascii('active_defrag_running:0\r\n');
  machine.putLazyFree();
}

/** Allocated: live objects. Active: spans with objects in them. Resident: memory below the break. */
function putAllocator(used: f64): void {
  const active = <f64>memoryUse.activeBytes();
  const resident = counter(GAUGE_BREAK);
  text.count('allocator_allocated', <u64>used);
  text.count('allocator_active', <u64>active);
  text.count('allocator_resident', <u64>resident);
  text.ratio('allocator_frag_ratio', used > 0 ? active / used : 1);
  text.signed('allocator_frag_bytes', <i64>(active - used));
  text.ratio('allocator_rss_ratio', active > 0 ? resident / active : 1);
  text.signed('allocator_rss_bytes', <i64>(resident - active));
  const rss = hostInfo(abi.HOST_RSS);
  text.ratio('rss_overhead_ratio', resident > 0 ? rss / resident : 1);
  text.signed('rss_overhead_bytes', <i64>(rss - resident));
}

function putStats(): void {
  text.count('total_connections_received', stats.get(stats.CONNECTIONS));
  text.count('total_commands_processed', stats.get(stats.COMMANDS));
  text.count('instantaneous_ops_per_sec', <u64>rate.perSecond(rate.COMMANDS));
  text.count('total_net_input_bytes', stats.get(stats.INPUT_BYTES));
  text.count('total_net_output_bytes', stats.get(stats.OUTPUT_BYTES));
  text.ascii('total_net_repl_input_bytes:0\r\ntotal_net_repl_output_bytes:0\r\n');
  text.ratio('instantaneous_input_kbps', rate.perSecond(rate.INPUT) / 1024);
  text.ratio('instantaneous_output_kbps', rate.perSecond(rate.OUTPUT) / 1024);
  text.ascii('instantaneous_input_repl_kbps:0.00\r\ninstantaneous_output_repl_kbps:0.00\r\n');
  text.count('rejected_connections', stats.get(stats.REJECTED));
  text.ascii('sync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n');
  text.count('expired_keys', stats.get(stats.EXPIRED));
  text.ratio('expired_stale_perc', <f64>stats.get(stats.EXPIRE_STALE_PERCENT) / 100);
  text.count('expired_time_cap_reached_count', stats.get(stats.EXPIRE_TIME_CAP));
  text.count('evicted_keys', stats.get(stats.EVICTED));
  text.count('evicted_clients', stats.get(stats.EVICTED_CLIENTS));
  text.ascii('total_eviction_exceeded_time:0\r\ncurrent_eviction_exceeded_time:0\r\n');
  text.count('keyspace_hits', stats.get(stats.HITS));
  text.count('keyspace_misses', stats.get(stats.MISSES));
  text.ascii('pubsub_channels:0\r\npubsub_patterns:0\r\npubsubshard_channels:0\r\n');
  text.count('latest_fork_usec', <u64>hostInfo(abi.HOST_SNAPSHOT_US));
  text.count('total_forks', <u64>counter(GAUGE_SNAPSHOTS_TAKEN));
  text.ascii('migrate_cached_sockets:0\r\nslave_expires_tracked_keys:0\r\n');
  text.ascii('active_defrag_hits:0\r\nactive_defrag_misses:0\r\nactive_defrag_key_hits:0\r\n');
  text.ascii('active_defrag_key_misses:0\r\ntracking_total_keys:0\r\ntracking_total_items:0\r\n');
  text.ascii('tracking_total_prefixes:0\r\nunexpected_error_replies:0\r\n');
  text.count('total_error_replies', stats.get(stats.ERRORS));
  text.ascii('total_active_defrag_time:0\r\ncurrent_active_defrag_time:0\r\n');
  text.ascii('dump_payload_sanitizations:0\r\nio_threaded_reads_processed:0\r\n');
  text.ascii(
    'io_threaded_writes_processed:0\r\nreply_buffer_shrinks:0\r\nreply_buffer_expands:0\r\n',
  );
  text.count('client_limit_disconnections', stats.get(stats.LIMIT_CLOSED));
}

function putReplication(): void {
  text.ascii(
    'role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\nmaster_replid:',
  );
  identity.putReplicationId();
  text.ascii('\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n');
  text.ascii('master_repl_offset:0\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:0\r\n');
  text.signed('repl_backlog_size', config.number(config.named('repl-backlog-size')));
  text.ascii('repl_backlog_first_byte_offset:0\r\nrepl_backlog_histlen:0\r\n');
}

function putSeconds(name: string, seconds: f64): void {
  text.ascii(name);
  text.byte(ascii.COLON);
  text.decimal(seconds, 6);
  text.crlf();
}

function putCpu(): void {
  putSeconds('used_cpu_sys', hostInfo(abi.HOST_CPU_SYSTEM));
  putSeconds('used_cpu_user', hostInfo(abi.HOST_CPU_USER));
  putSeconds('used_cpu_sys_children', 0);
  putSeconds('used_cpu_user_children', 0);
}

/** Appends the lines of a section, without its title. */
function putLines(wanted: u32): void {
  switch (wanted) {
    case section.SERVER:
      return putServer();
    case section.CLIENTS:
      return putClients();
    case section.MEMORY:
      return putMemory();
    case section.PERSISTENCE:
      return machine.putPersistence();
    case section.STATS:
      return putStats();
    case section.REPLICATION:
      return putReplication();
    case section.CPU:
      return putCpu();
    case section.COMMANDSTATS:
      return tables.putCommands();
    case section.ERRORSTATS:
      return tables.putErrors();
    case section.CLUSTER:
      return text.ascii('cluster_enabled:0\r\n');
    case section.KEYSPACE:
      return tables.putKeyspace();
    case section.RINGZERO:
      return machine.putMachine();
    case section.LATENCYSTATS:
      return tables.putLatency();
    default: // modules, of which there are none
  }
}

/** Appends the sections whose bits are set. */
export function put(wanted: u32): void {
  for (let i: u32 = 0; i < section.SECTIONS; i++) {
    if (!(wanted & (1 << i))) continue;
    if (text.length() != 0) text.crlf();
    text.ascii('# ');
    text.ascii(section.nameOf(i));
    text.crlf();
    putLines(i);
  }
}
