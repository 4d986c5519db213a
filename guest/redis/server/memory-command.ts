// MEMORY: what keys and the server itself take.

import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as entry from '../keyspace/entry.ts';
import * as heap from '../bytes/heap.ts';
import * as help from './help.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as memoryUse from './memory-use.ts';
import * as number from '../bytes/number.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import * as stats from '../stats/stats.ts';
import * as text from '../bytes/text.ts';
import * as type from '../keyspace/type.ts';
import { HOST_RSS } from '../abi.ts';
import { hostInfo } from '../border/host.ts';
import { LOADING, READONLY, STALE } from '../command/command.ts';
import { slab } from '../../../assembly/index.ts';

export function register(): void {
  command.define('memory', null, -2, 0, 0, 0, 0, 0);
  command.define('memory|doctor', doctor, 2, 0, 0, 0, 0, 0);
  command.define('memory|help', help.put, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('memory|malloc-stats', mallocStats, 2, 0, 0, 0, 0, 0);
  command.define('memory|purge', purge, 2, 0, 0, 0, 0, 0);
  command.define('memory|stats', show, 2, 0, 0, 0, 0, 0);
  command.define('memory|usage', usage, -3, READONLY, 2, 2, 1, 0);
}

/** MEMORY USAGE key [SAMPLES count]: exact, so nothing is sampled. */
function usage(): void {
  for (let i: u32 = 3; i < args.count(); i += 2) {
    if (!args.is(i, 'samples') || i + 1 == args.count()) return reply.error('ERR syntax error');
    if (!args.isInteger(i + 1)) return reply.error('ERR value is not an integer or out of range');
    if (number.parsed < 0) return reply.error('ERR syntax error');
  }
  const found = keyspace.peek(args.ptr(2), args.len(2));
  if (found == 0) return reply.none();
  reply.integer(<i64>keyspace.bytesOf(found) + type.size(entry.type(found), found));
}

/** MEMORY PURGE: free spans are shared at once, nothing is held back. */
function purge(): void {
  reply.ok();
}

/** MEMORY DOCTOR */
function doctor(): void {
  const used = heap.usedBytes();
  const active = memoryUse.activeBytes();
  text.begin();
  if (used < 5242880) text.ascii('There is too little data for a judgement.\n');
  else if (active > used + (used >> 1)) {
    text.ascii('The heap holds much more than its objects: ');
    text.human(<f64>(active - used));
    text.ascii(
      ' lie free in spans that other objects keep. Keys of other sizes cannot use them.\n',
    );
  } else text.ascii('Nothing about memory needs attention.\n');
  reply.verbatim(text.address(), text.length());
  text.end();
}

/** MEMORY MALLOC-STATS */
function mallocStats(): void {
  text.begin();
  text.count('live_bytes', slab.liveBytes());
  text.count('heap_bytes', slab.heapBytes());
  text.count('free_span_bytes', slab.freeBytes());
  text.count('span_bytes', slab.SPAN_BYTES);
  reply.verbatim(text.address(), text.length());
  text.end();
}

function field(name: string, value: i64): void {
  reply.bulkText(name);
  reply.integer(value);
}

function ratio(name: string, part: f64, whole: f64): void {
  reply.bulkText(name);
  text.begin();
  text.decimal(whole > 0 ? part / whole : 0, 6);
  reply.double(text.address(), text.length());
  text.end();
}

function database(index: u32): void {
  text.begin();
  text.ascii('db.');
  text.unsigned(index);
  reply.bulk(text.address(), text.length());
  text.end();
  reply.map(3);
  field('overhead.hashtable.main', <i64>memoryUse.tableBytes(index));
  field('overhead.hashtable.expires', (<i64>space.expiringCount(index)) << 2);
  field('overhead.hashtable.slot-to-keys', 0);
}

/** MEMORY STATS */
function show(): void {
  let databases: u32 = 0;
  let keys: u64 = 0;
  for (let i: u32 = 0; i < space.databases(); i++) {
    if (space.keyCount(i) != 0) databases++;
    keys += space.keyCount(i);
  }
  const used = heap.usedBytes();
  const active = memoryUse.activeBytes();
  const startup = memoryUse.startupBytes();
  const overhead = memoryUse.overheadBytes();
  const dataset = used > overhead ? used - overhead : 0;
  const rss = hostInfo(HOST_RSS);
  reply.map(27 + databases);
  field('peak.allocated', <i64>memoryUse.peakBytes());
  field('total.allocated', <i64>used);
  field('startup.allocated', <i64>startup);
  field('replication.backlog', 0);
  field('clients.slaves', 0);
  field('clients.normal', <i64>memoryUse.clientBytes());
  field('cluster.links', 0);
  field('aof.buffer', 0);
  field('lua.caches', 0);
  field('functions.caches', 0);
  for (let i: u32 = 0; i < space.databases(); i++) if (space.keyCount(i) != 0) database(i);
  field('overhead.total', <i64>overhead);
  field('keys.count', <i64>keys);
  field('keys.bytes-per-key', keys == 0 ? 0 : <i64>((used - min(used, startup)) / keys));
  field('dataset.bytes', <i64>dataset);
  ratio('dataset.percentage', <f64>dataset * 100, <f64>(used - min(used, startup)));
  ratio('peak.percentage', <f64>used * 100, <f64>memoryUse.peakBytes());
  field('allocator.allocated', <i64>used);
  field('allocator.active', <i64>active);
  field('allocator.resident', <i64>slab.heapBytes());
  ratio('allocator-fragmentation.ratio', <f64>active, <f64>used);
  field('allocator-fragmentation.bytes', <i64>(active - used));
  ratio('allocator-rss.ratio', <f64>slab.heapBytes(), <f64>active);
  field('allocator-rss.bytes', <i64>(slab.heapBytes() - active));
  ratio('rss-overhead.ratio', rss, <f64>slab.heapBytes());
  field('rss-overhead.bytes', <i64>(rss - <f64>slab.heapBytes()));
  ratio('fragmentation', rss, <f64>used);
  field('fragmentation.bytes', <i64>(rss - <f64>used));
}
