// The speed of a background saver. It works in bursts, and rests after one when another thread needs the
// processor and the frames allow it: the longer it takes, the more pages are copied for it.
//
//   need    another vCPU was seen in the guest during the burst, and the machine has no core to spare
//   allow   L + growth < frames, even if the saver did not rest any more from now on
//
//           A pages are ahead of the saver, L of them are copied, r more are copied per microsecond and a are
//           saved per microsecond of work. x microseconds of work later (A - ax)(L + rx) / A copies are
//           alive: A falls, and with it all that are behind. At its peak, x = (Ar - aL) / 2ar, it must leave
//           a margin of what was free at the start. Both rates are guesses from the past, and the machine may
//           get busier: r is the highest recent one, a is halved.
//
// Interface   begin() before the first page; passed() after each span. On the main vCPU nothing rests.

import { HOST_CORES } from '../abi.ts';
import { clockUs, hostInfo } from '../border/host.ts';
import {
  COUNTER_COPIES,
  GAUGE_BREAK,
  GAUGE_FRAMES_FREE,
  GAUGE_RUNNING,
} from '../../../assembly/abi/counter.ts';
import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import { SYS_SLEEP } from '../../../assembly/abi/syscall.ts';
import { counter, syscall } from '../../../assembly/index.ts';

/** Spans between two looks at the clock: half a millisecond. */
const BURST_SPANS: u32 = 16;
/** Length of a rest, as a multiple of the burst before it. */
const REST: f64 = 2.2;
const REST_US_MAX: f64 = 5000;
/** From this number of cores on, a server, its clients and a saver do not wait for each other. */
const CORES_ENOUGH: f64 = 4;
/** Part of the frames free at the start that is kept for what a rate of the past does not tell. */
const MARGIN: f64 = 1 / 8;

/** The factor by which the saver may still become slower. */
const HASTE: f64 = 2;

let isPaced: bool = false;
let spans: u32 = 0;
let isWanted: bool = false; // another vCPU was seen at work in this burst
let burstUs: f64 = 0; // when it began
let pages: f64 = 0; // pages that the snapshot has
let free: f64 = 0; // frames free when the save began
let copies: f64 = 0; // pages copied when the burst began
let aheadThen: f64 = 0; // A when the burst began
let copyRate: f64 = 0; // recent mean, per microsecond of time
let copyRateMost: f64 = 0; // r
let pageUs: f64 = 0; // 1 / a: recent mean

export function begin(isBackground: bool): void {
  isPaced = isBackground && hostInfo(HOST_CORES) < CORES_ENOUGH;
  spans = 0;
  isWanted = false;
  burstUs = clockUs();
  pages = counter(GAUGE_BREAK) / FRAME_BYTES;
  free = counter(GAUGE_FRAMES_FREE);
  copies = counter(COUNTER_COPIES);
  aheadThen = pages;
  copyRate = 0;
  copyRateMost = 0;
  pageUs = 0;
}

/** All pages below an address have been saved. */
export function passed(address: u32): void {
  if (!isPaced) return;
  if (counter(GAUGE_RUNNING) > 0) isWanted = true;
  if (++spans < BURST_SPANS) return;
  spans = 0;
  const ahead = pages - <f64>address / FRAME_BYTES;
  const worked = clockUs() - burstUs;
  const each = worked / max<f64>(aheadThen - ahead, 1);
  pageUs = pageUs == 0 ? each : pageUs + (each - pageUs) / 8;
  if (isWanted && isAllowed(ahead))
    syscall(SYS_SLEEP, <i32>min(worked * REST, REST_US_MAX), 0, 0, 0, 0);
  measure(ahead);
}

/** The next burst begins. */
function measure(ahead: f64): void {
  const now = clockUs();
  const copied = counter(COUNTER_COPIES);
  const rate = (copied - copies) / max<f64>(now - burstUs, 1);
  copyRate += (rate - copyRate) / 8;
  copyRateMost = max<f64>(copyRate, copyRateMost - copyRateMost / 64);
  copies = copied;
  burstUs = now;
  aheadThen = ahead;
  isWanted = false;
}

function isAllowed(ahead: f64): bool {
  const left = counter(GAUGE_FRAMES_FREE) - free * MARGIN;
  return growth(ahead, max<f64>(free - counter(GAUGE_FRAMES_FREE), 0)) < left;
}

/** How many more copies will be alive at once than are now, if the saver does not rest. */
function growth(ahead: f64, alive: f64): f64 {
  const a = 1 / max<f64>(pageUs * HASTE, 0.001);
  const r = copyRateMost;
  if (ahead * r <= a * alive) return 0;
  const x = (ahead * r - a * alive) / (2 * a * r);
  return ((ahead - a * x) * (alive + r * x)) / ahead - alive;
}
