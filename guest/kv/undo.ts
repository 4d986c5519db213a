// The undo log of a batch: what each of its operations replaced, as records in the exchange window
// (abi/kv.ts).
//
// Interface   begin() and end() around the operations of a batch; each logs exactly one record once it cannot
//             fail any more. take() returns what was logged since the last call, before isFull() stops the
//             batch.
// Invariants  UNDO-1  While a batch is logged, chains that it replaced are not freed: its end does that, or
//                     its undo.
// Cost        a store for each new key, a copy of each replaced value.

import { PANIC_UNDO_ROOM } from '../../assembly/abi/panic';
import {
  UNDO_ABSENT,
  UNDO_AT,
  UNDO_BYTES,
  UNDO_CHAIN,
  UNDO_HAS_CHAINS,
  UNDO_NOTHING,
} from '../../assembly/abi/kv';
import { checked } from '../../assembly/linked';
import { copyBytes } from './bytes';
import * as map from './memory-map';
import * as node from './node';

/** The largest record: a value of a leaf. */
const RECORD_MAX: u32 = 4 + node.INLINE_MAX + 16;

export let isOn: bool = false;
let at: u32 = 0; // bytes logged
let chains: u32 = 0;

export function begin(): void {
  isOn = true;
  at = 0;
  chains = 0;
}

export function end(): void {
  isOn = false;
}

export function isFull(): bool {
  return at + RECORD_MAX > UNDO_BYTES;
}

/** Bytes of the records, and UNDO_HAS_CHAINS. */
export function take(): u32 {
  const logged = at | chains;
  at = 0;
  chains = 0;
  return logged;
}

export function nothing(): void {
  if (isOn) word(UNDO_NOTHING);
}

export function absent(): void {
  if (isOn) word(UNDO_ABSENT);
}

/** Logs the value of a leaf's record, whose key has `rest` bytes in it. */
export function value(record: u32, rest: u32): void {
  if (!isOn) return;
  const bytes = <u32>load<u16>(record);
  const from = record + node.RECORD_HEAD + rest;
  if (bytes == node.OVERFLOW) {
    word(UNDO_CHAIN);
    word(load<u32>(from));
    word(load<u32>(from, 4));
    chains = UNDO_HAS_CHAINS;
  } else {
    word(bytes);
    if (checked.CHECKED && at + bytes > UNDO_BYTES) checked.panic(PANIC_UNDO_ROOM);
    copyBytes(map.window + UNDO_AT + at, from, bytes);
    at = (at + bytes + 3) & ~3;
  }
}

function word(bits: u32): void {
  if (checked.CHECKED && at + 4 > UNDO_BYTES) checked.panic(PANIC_UNDO_ROOM);
  store<u32>(map.window + UNDO_AT + at, bits);
  at += 4;
}
