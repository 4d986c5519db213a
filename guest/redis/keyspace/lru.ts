// The access field of entries: when, or how often, a key was used. Eviction and OBJECT read it.
//
// LRU keeps seconds in 24 bits. LFU keeps minutes in the upper 16 of 24 bits and a logarithmic counter in the
// lower 8. A store here makes a page dirty, so it is made only when the value differs, and never while a
// child saves.

import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as entry from './entry.ts';
import * as option from '../config/option.ts';
import * as random from '../bytes/random.ts';

const LFU_INITIAL: u32 = 5;

let countsUses: bool = false; // the policy is one of LFU
let needsAccess: bool = false; // maxmemory is set, and the policy is one of LFU or LRU

/** Reads the policy; evict.ts calls it after each change of the options. */
export function configure(): void {
  const policy = config.number(option.MAXMEMORY_POLICY);
  countsUses = policy == option.VOLATILE_LFU || policy == option.ALLKEYS_LFU;
  needsAccess =
    config.number(option.MAXMEMORY) != 0 &&
    (countsUses || policy == option.VOLATILE_LRU || policy == option.ALLKEYS_LRU);
}

export function isFrequency(): bool {
  return countsUses;
}

/** Whether each key's value needs an access field of its own, so that Redis would share no integers. */
export function isPerKey(): bool {
  return needsAccess;
}

/** What a new entry has. */
@inline
export function initial(): u32 {
  return countsUses ? (minutes() << 8) | LFU_INITIAL : clock.lru();
}

/** Notes that a key was used. */
@inline
export function touch(found: u32): void {
  if (countsUses) touchFrequency(found);
  else {
    const now = clock.lru();
    if (entry.access(found) != now) entry.setAccess(found, now);
  }
}

function touchFrequency(found: u32): void {
  const value = (minutes() << 8) | raised(frequency(found));
  if (entry.access(found) != value) entry.setAccess(found, value);
}

function minutes(): u32 {
  return (<u32>(clock.ms() / 60000)) & 0xffff;
}

/** The counter of a key, less what has decayed since it was last used. */
export function frequency(found: u32): u32 {
  const value = entry.access(found);
  const counter = value & 255;
  const decay = <u32>config.number(option.LFU_DECAY_TIME);
  if (decay == 0) return counter;
  const periods = ((minutes() - (value >> 8)) & 0xffff) / decay;
  return periods > counter ? 0 : counter - periods;
}

function raised(counter: u32): u32 {
  if (counter == 255) return 255;
  const above = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
  const odds = <f64>above * <f64>config.number(option.LFU_LOG_FACTOR) + 1;
  return <f64>random.bits() * odds < 4294967296.0 ? counter + 1 : counter;
}

/** Seconds since a key was used. */
export function idleSeconds(found: u32): u32 {
  return (clock.lru() - entry.access(found)) & 0xffffff;
}
