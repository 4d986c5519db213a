// Changing options: the host's start options and CONFIG SET alike.
//
// Interface   assign() puts a value in force that value.check() accepted, and calls the option's
//             whenChanged() function.

import * as ascii from '../bytes/ascii.ts';
import * as config from './config.ts';
import * as heap from '../bytes/heap.ts';
import * as limit from './output-limit.ts';
import * as option from './option.ts';
import * as savePoint from './save-point.ts';
import * as value from './option-value.ts';

const SCRATCH: usize = memory.data(512, 8); // a default, narrowed to bytes

/** Puts a value that check() accepted in force. False if out of memory for a string. */
export function assign(index: u32, at: u32, given: u32): bool {
  const bytes = value.lengthOf(index, at, given);
  const kind = config.at(index).kind;
  if (kind == option.LIMITS) limit.assign(at, bytes);
  else if (kind == option.STRING || kind == option.SAVE) {
    if (!assignText(index, at, bytes)) return false;
    if (kind == option.SAVE) savePoint.assign(at, bytes);
  } else config.setNumber(index, bounded(index, value.valueOf(index, at, bytes)));
  announce(index);
  return true;
}

/** Puts a number in force that check() would accept. */
export function assignNumber(index: u32, to: i64): void {
  config.setNumber(index, to);
  announce(index);
}

function announce(index: u32): void {
  const changed = config.at(index).changed;
  if (changed != 0) call_indirect<void>(changed);
}

function assignText(index: u32, at: u32, bytes: u32): bool {
  let block: u32 = 0;
  if (bytes != 0) {
    block = heap.alloc(bytes + 4);
    if (block == 0) return false;
    store<u32>(block, bytes);
    memory.copy(block + 4, at, bytes);
  }
  const old = <u32>config.number(index);
  if (old != 0) heap.free(old, load<u32>(old) + 4);
  config.setNumber(index, <i64>block);
  return true;
}

/** A number as it is kept: Redis takes any hz and any size of the backlog, and bounds them silently. */
function bounded(index: u32, wanted: i64): i64 {
  if (index == option.HZ) return min(max(wanted, option.HZ_MIN), option.HZ_MAX);
  const row = config.at(index);
  return row.flags & option.RAISED ? max(wanted, row.min) : wanted;
}

/** Puts the default of a row in force. */
export function assignDefault(index: u32): void {
  const row = config.at(index);
  ascii.narrow(row.initial, row.initialUnits, <u32>SCRATCH);
  if (!value.check(index, <u32>SCRATCH, row.initialUnits)) unreachable();
  assign(index, <u32>SCRATCH, row.initialUnits);
}

/** Whether the value in force, which is shown as the text at `at`, is the default. */
export function hasDefault(index: u32, at: u32, bytes: u32): bool {
  const row = config.at(index);
  const kind = row.kind;
  const isLimits = kind == option.LIMITS;
  const from = isLimits ? changetype<u32>(limit.DEFAULT) : row.initial;
  const units = isLimits ? <u32>limit.DEFAULT.length : row.initialUnits;
  ascii.narrow(from, units, <u32>SCRATCH);
  if (kind == option.STRING || kind == option.SAVE || isLimits)
    return units == bytes && memory.compare(SCRATCH, at, bytes) == 0;
  return bounded(index, value.valueOf(index, <u32>SCRATCH, units)) == config.number(index);
}
