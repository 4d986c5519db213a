// What the server notes about itself: slow commands, latency events, error codes, rates, peak memory.

import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as config from '../config/config.ts';
import * as histogram from '../stats/latency-histogram.ts';
import * as latency from '../stats/latency.ts';
import * as memoryUse from './memory-use.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as rate from '../stats/rate.ts';
import * as slowlog from '../run/slowlog.ts';
import { HOST_SNAPSHOT_US } from '../abi.ts';
import { hostInfo } from '../border/host.ts';
import { GAUGE_SNAPSHOTS_TAKEN } from '../../../assembly/abi/counter.ts';
import { counter } from '../../../assembly/index.ts';

let snapshotsSeen: f64 = 0;

/** At the end of boot: the memory in use then is what the server itself takes. */
export function boot(): void {
  observe.listenTimed(onTimed);
  observe.listenError(rate.countError);
  config.whenChanged(option.SLOWLOG_LOG_SLOWER_THAN, configure);
  config.whenChanged(option.LATENCY_MONITOR_THRESHOLD, configure);
  config.whenChanged(option.LATENCY_TRACKING, configure);
  configure();
  memoryUse.noteStartup();
}

const SHORT_US: i64 = 1000;

/** A threshold below SHORT_US has every command timed by itself; latency-tracking fills histograms. */
function configure(): void {
  const slow = config.number(option.SLOWLOG_LOG_SLOWER_THAN);
  const isShort = slow >= 0 && slow < SHORT_US;
  histogram.setTracking(config.number(option.LATENCY_TRACKING) != 0);
  observe.setTimesAll(isShort || config.number(option.LATENCY_MONITOR_THRESHOLD) != 0);
}

function onTimed(row: u32, us: f64): void {
  latency.note(latency.COMMAND, us);
  if (!(command.flagsOf(row) & command.SKIP_SLOWLOG)) slowlog.note(us);
}

/** With each cron. */
export function tick(): void {
  const taken = counter(GAUGE_SNAPSHOTS_TAKEN);
  if (taken != snapshotsSeen) latency.note(latency.FORK, hostInfo(HOST_SNAPSHOT_US));
  snapshotsSeen = taken;
  rate.sample(clock.ms());
  memoryUse.peakBytes();
}
