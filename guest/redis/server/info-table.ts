// The sections of INFO that are tables: commands, errors, keyspaces.

import * as ascii from '../bytes/ascii.ts';
import * as command from '../command/command.ts';
import * as statistics from '../command/statistics.ts';
import * as config from '../config/config.ts';
import * as histogram from '../stats/latency-histogram.ts';
import * as option from '../config/option.ts';
import * as percentile from '../config/latency-percentile.ts';
import * as rate from '../stats/rate.ts';
import * as space from '../keyspace/space.ts';
import * as text from '../bytes/text.ts';

const LOWER_P: u32 = 112;

/** A line for each command that was called or refused. */
export function putCommands(): void {
  for (let i: u32 = 0; i < command.count(); i++) {
    const row = command.rowAt(i);
    const calls = statistics.callsOf(row);
    if (calls == 0 && statistics.rejectedOf(row) == 0) continue;
    const us = <u64>statistics.microsecondsOf(row);
    text.ascii('cmdstat_');
    text.bytes(command.nameAddress(row), command.nameBytes(row));
    text.ascii(':calls=');
    text.unsigned(calls);
    text.ascii(',usec=');
    text.unsigned(us);
    text.ascii(',usec_per_call=');
    text.decimal(calls == 0 ? 0 : <f64>us / <f64>calls, 2);
    text.ascii(',rejected_calls=');
    text.unsigned(statistics.rejectedOf(row));
    text.ascii(',failed_calls=');
    text.unsigned(statistics.failedOf(row));
    text.crlf();
  }
}

let shown: u32 = 0; // the histogram of the line

/** A line for each command whose calls were tracked. */
export function putLatency(): void {
  if (!histogram.isTracking()) return;
  const index = option.LATENCY_TRACKING_INFO_PERCENTILES;
  for (let i: u32 = 0; i < command.count(); i++) {
    const row = command.rowAt(i);
    shown = statistics.histogramOf(row);
    if (shown == 0) continue;
    text.ascii('latency_percentiles_usec_');
    text.bytes(command.nameAddress(row), command.nameBytes(row));
    separator = ascii.COLON;
    percentile.each(config.textAddress(index), config.textBytes(index), putPercentile);
    if (separator == ascii.COLON) text.byte(separator);
    text.crlf();
  }
}

let separator: u32 = 0; // what the next percentile begins with

function putPercentile(percent: f64): void {
  text.byte(separator);
  separator = ascii.COMMA;
  text.byte(LOWER_P);
  percentile.putNumber(percent);
  text.byte(ascii.EQUALS);
  text.decimal(histogram.percentile(shown, percent), 3);
}

/** A line for each error code that was replied. */
export function putErrors(): void {
  for (let i: u32 = 0; i < rate.codes(); i++) {
    text.ascii('errorstat_');
    text.bytes(rate.codeAddress(i), rate.codeBytes(i));
    text.ascii(':count=');
    text.unsigned(rate.codeTotal(i));
    text.crlf();
  }
}

/** A line for each database that holds keys. */
export function putKeyspace(): void {
  for (let i: u32 = 0; i < space.databases(); i++) {
    if (space.keyCount(i) == 0) continue;
    text.ascii('db');
    text.unsigned(i);
    text.ascii(':keys=');
    text.unsigned(space.keyCount(i));
    text.ascii(',expires=');
    text.unsigned(space.expiringCount(i));
    text.ascii(',avg_ttl=');
    text.unsigned(<u64>space.averageTtl(i));
    text.crlf();
  }
}
