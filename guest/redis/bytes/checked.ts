// Assertions of the checked build (asc --use RZ_CHECKED=1): they vanish in release.
//
// Interface   Write `if (CHECKED && !condition) broken('RULE-1: ...')` at the site, where the condition says
//             the rule.

import * as ascii from './ascii.ts';
import { SYS_LOG } from '../../../assembly/abi/syscall.ts';
import { syscall } from '../../../assembly/index.ts';

export const CHECKED: bool = isDefined(RZ_CHECKED);

const WARNING: i32 = 3; // border/log.ts, which is above this room
const TEXT_MAX: u32 = 128;
const TEXT: usize = memory.data(128, 8);

/** Logs the rule and ends the server: the data can no longer be trusted. */
export function broken(rule: string): void {
  const units = min<u32>(<u32>rule.length, TEXT_MAX);
  ascii.narrow(changetype<u32>(rule), units, <u32>TEXT);
  syscall(SYS_LOG, WARNING, <i32>TEXT, <i32>units, 0, 0);
  unreachable();
}
