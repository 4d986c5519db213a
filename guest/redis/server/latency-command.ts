// LATENCY and SLOWLOG: what took long.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as statistics from '../command/statistics.ts';
import * as config from '../config/config.ts';
import * as errors from '../command/errors.ts';
import * as help from './help.ts';
import * as histogram from '../stats/latency-histogram.ts';
import * as latency from '../stats/latency.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import * as slowlog from '../run/slowlog.ts';
import * as text from '../bytes/text.ts';
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../command/command.ts';

export function register(): void {
  const flags = ADMIN | NOSCRIPT | LOADING | STALE;
  command.define('latency', null, -2, 0, 0, 0, 0, 0);
  command.define('latency|doctor', doctor, 2, flags, 0, 0, 0, 0);
  command.define('latency|graph', graph, 3, flags, 0, 0, 0, 0);
  command.define('latency|help', help.put, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('latency|histogram', showHistograms, -2, flags, 0, 0, 0, 0);
  command.define('latency|history', history, 3, flags, 0, 0, 0, 0);
  command.define('latency|latest', latest, 2, flags, 0, 0, 0, 0);
  command.define('latency|reset', resetEvents, -2, flags, 0, 0, 0, 0);
  const slow = ADMIN | LOADING | STALE;
  command.define('slowlog', null, -2, 0, 0, 0, 0, 0);
  command.define('slowlog|get', slowlogGet, -2, slow, 0, 0, 0, 0);
  command.define('slowlog|help', help.put, 2, LOADING | STALE, 0, 0, 0, 0);
  command.define('slowlog|len', slowlogLen, 2, slow, 0, 0, 0, 0);
  command.define('slowlog|reset', slowlogReset, 2, slow, 0, 0, 0, 0);
}

/** The event that an argument names, or EVENTS. */
function eventOf(index: u32): u32 {
  let event: u32 = 0;
  while (event < latency.EVENTS && !args.is(index, latency.nameOf(event))) event++;
  return event;
}

/** LATENCY LATEST */
function latest(): void {
  const mark = reply.deferArray();
  let found: u32 = 0;
  for (let event: u32 = 0; event < latency.EVENTS; event++) {
    const samples = latency.samplesOf(event);
    if (samples == 0) continue;
    const last = latency.sampleOf(event, samples - 1);
    reply.array(4);
    reply.bulkText(latency.nameOf(event));
    reply.integer(<i64>load<u32>(last));
    reply.integer(<i64>load<u32>(last, 4));
    reply.integer(<i64>latency.longestOf(event));
    found++;
  }
  reply.endArray(mark, found);
}

/** LATENCY HISTORY event */
function history(): void {
  const event = eventOf(2);
  const samples: u32 = event == latency.EVENTS ? 0 : latency.samplesOf(event);
  reply.array(samples);
  for (let i: u32 = 0; i < samples; i++) {
    const sample = latency.sampleOf(event, i);
    reply.array(2);
    reply.integer(<i64>load<u32>(sample));
    reply.integer(<i64>load<u32>(sample, 4));
  }
}

/** LATENCY RESET [event ...] */
function resetEvents(): void {
  let cleared: i64 = 0;
  for (let event: u32 = 0; event < latency.EVENTS; event++) {
    let meant = args.count() == 2;
    for (let i: u32 = 2; i < args.count(); i++) if (args.is(i, latency.nameOf(event))) meant = true;
    if (!meant || latency.samplesOf(event) == 0) continue;
    latency.reset(event);
    cleared++;
  }
  reply.integer(cleared);
}

const GRAPH_ROWS: u32 = 4;
const GRAPH_COLUMNS: u32 = 80;

/** LATENCY GRAPH event: bars of the last samples, as high as their milliseconds. */
function graph(): void {
  const event = eventOf(2);
  const samples: u32 = event == latency.EVENTS ? 0 : latency.samplesOf(event);
  if (samples == 0) {
    reply.errorBegin("ERR No samples available for event '");
    reply.plain(args.ptr(2), args.len(2));
    reply.text("'");
    return reply.errorEnd();
  }
  const first = samples > GRAPH_COLUMNS ? samples - GRAPH_COLUMNS : 0;
  let highest: u32 = 1;
  for (let i = first; i < samples; i++)
    highest = max(highest, load<u32>(latency.sampleOf(event, i), 4));
  text.begin();
  text.ascii(latency.nameOf(event));
  text.ascii(' - high ');
  text.unsigned(highest);
  text.ascii(' ms, all time high ');
  text.unsigned(latency.longestOf(event));
  text.ascii(' ms\n');
  for (let row = GRAPH_ROWS; row > 0; row--) {
    for (let i = first; i < samples; i++) {
      const ms = load<u32>(latency.sampleOf(event, i), 4);
      text.byte(ms * GRAPH_ROWS > highest * (row - 1) ? 35 : 32);
    }
    text.byte(ascii.LF);
  }
  reply.verbatim(text.address(), text.length());
  text.end();
}

/** LATENCY DOCTOR */
function doctor(): void {
  text.begin();
  if (config.number(option.LATENCY_MONITOR_THRESHOLD) == 0) {
    text.ascii(
      'Latency is not being watched. CONFIG SET latency-monitor-threshold <milliseconds> starts it.\n',
    );
  }
  let seen = false;
  for (let event: u32 = 0; event < latency.EVENTS; event++) {
    if (latency.samplesOf(event) == 0) continue;
    seen = true;
    text.ascii(latency.nameOf(event));
    text.ascii(': ');
    text.unsigned(latency.samplesOf(event));
    text.ascii(' slow events, the longest ');
    text.unsigned(latency.longestOf(event));
    text.ascii(' ms.\n');
  }
  if (!seen) text.ascii('No slow event is on record.\n');
  reply.verbatim(text.address(), text.length());
  text.end();
}

/**
 * LATENCY HISTOGRAM [command ...]: for each command the calls, and how many of them took less than each
 * bound.
 */
function showHistograms(): void {
  const mark = reply.deferArray();
  shown = 0;
  if (args.count() == 2) {
    for (let i: u32 = 0; i < command.count(); i++) putHistogram(command.rowAt(i));
  } else {
    for (let i: u32 = 2; i < args.count(); i++) {
      const row = command.find(args.ptr(i), args.len(i));
      if (row != 0) putHistograms(row);
    }
  }
  reply.endMap(mark, shown);
}

let shown: u32 = 0;

/** Of a command and its subcommands. */
function putHistograms(row: u32): void {
  putHistogram(row);
  for (let i: u32 = 0; i < command.count() && command.subcommandCount(row) != 0; i++)
    if (command.containerOf(command.rowAt(i)) == row) putHistogram(command.rowAt(i));
}

function putHistogram(row: u32): void {
  const at = statistics.histogramOf(row);
  if (at == 0) return;
  shown++;
  reply.bulk(command.nameAddress(row), command.nameBytes(row));
  reply.map(2);
  reply.bulkText('calls');
  reply.integer(<i64>histogram.calls(at));
  reply.bulkText('histogram_usec');
  const mark = reply.deferArray();
  let pairs: u32 = 0;
  let before: u64 = 0;
  for (let bound: u32 = 0; bound < histogram.BOUNDS; bound++) {
    const below = histogram.cumulative(at, bound);
    if (below == before) continue;
    reply.integer(<i64>histogram.boundUs(bound));
    reply.integer(<i64>below);
    before = below;
    pairs++;
  }
  reply.endMap(mark, pairs);
}

/** SLOWLOG GET [count] */
function slowlogGet(): void {
  if (args.count() > 3) return errors.badSubcommand();
  let wanted: i64 = 10;
  if (args.count() == 3) {
    const isCount = args.isInteger(2) && number.parsed >= -1;
    if (!isCount) return reply.error('ERR count should be greater than or equal to -1');
    wanted = number.parsed;
  }
  slowlog.put(wanted < 0 || wanted > 0x7fffffff ? 0x7fffffff : <u32>wanted);
}

/** SLOWLOG LEN */
function slowlogLen(): void {
  reply.integer(<i64>slowlog.length());
}

/** SLOWLOG RESET */
function slowlogReset(): void {
  slowlog.reset();
  reply.ok();
}
